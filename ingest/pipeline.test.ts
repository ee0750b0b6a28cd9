// What overlapping and failing batches do to each other. Stores are made by hand here: the moments that matter, a commit
// while another batch is looked up and an engine's fault in the middle, cannot be had from real ones on demand.
import { beforeAll, expect, test } from "vitest";
import type { AlertBatch } from "../domain/alert.js";
import type { ListColumn } from "../domain/columns.js";
import { TocsinError } from "../domain/errors.js";
import type { MissingStep } from "../domain/missing.js";
import type { DeadLetter, Packet } from "../domain/packet.js";
import { readContainer } from "./avro/container.js";
import { createPipeline, type PipelineParts, recover } from "./pipeline.js";
import { container, packetMaker, simulate } from "./simulator/write.js";

let packets: Packet[];
beforeAll(() => {
  const sky = simulate({ seed: "pipeline", nights: 5, endJd: 2_461_000.5, alerts: new Map([["ZTF", 5]]) });
  const bytes = container("ZTF", sky.map(packetMaker("pipeline")));
  packets = [...readContainer(bytes, "test", 0)].filter((item): item is Packet => !("reason" in item));
});

/** Enough of an archive: what was written by which batch, and which batches are complete. */
function world() {
  const written = new Map<bigint, { batch: bigint; contentHash: bigint }>();
  const complete = new Set<bigint>();
  const faults: Error[] = [];
  let batches = 0n;
  /** Called after known() has read and before it answers. */
  const moments: { beforeKnownAnswers?: () => Promise<void> } = {};
  const letters: DeadLetter[] = [];
  const nothing = async () => {};
  const parts = {
    stores: {
      alerts: {
        async known(_survey: string, candids: BigInt64Array) {
          const known = [...candids].flatMap((candid) => {
            const row = written.get(candid);
            return row ? [[candid, { contentHash: row.contentHash, committed: complete.has(row.batch) }] as const] : [];
          });
          await moments.beforeKnownAnswers?.();
          return new Map(known);
        },
        async write(batch: bigint, { alerts }: { alerts: { columns: Map<string, never> } }, hashes: BigUint64Array) {
          const candids = (alerts.columns.get("candid")! as { values: BigInt64Array }).values;
          candids.forEach((candid, row) => {
            written.set(candid, { batch, contentHash: hashes[row]! });
          });
        },
      },
      objects: { neighbours: async () => [] },
      hits: { found: nothing },
      batches: {
        begin: () => ++batches,
        async commit(batch: bigint) {
          const fault = faults.shift();
          if (fault) throw fault;
          complete.add(batch);
        },
      },
      deadLetters: { add: async (more: readonly DeadLetter[]) => void letters.push(...more) },
      counterparts: { found: nothing },
      receipts: { write: nothing },
      packets: { append: async (kept: readonly Packet[]) => kept.map(() => ({})) },
    },
    filters: { run: async () => ({ hits: [], broken: [] }) },
    follower: { enter: nothing },
    sequencer: { committed: nothing, followed: nothing },
    enrichments: [],
    onMissing: () => {},
    onBroken: () => {},
    outages: { failed() {}, over() {} },
  } as unknown as PipelineParts;
  return { pipeline: createPipeline(parts), parts, stores: parts.stores, moments, faults, letters };
}

test("an alert is taken in once where its first batch is committed while a second one is looked up", async () => {
  const { pipeline, moments } = world();
  const first = pipeline.take(packets, []);
  let asked = 0;
  moments.beforeKnownAnswers = async () => {
    asked += 1;
    if (asked === 2) await first;
  };
  const second = await pipeline.take(packets, []);
  expect(asked).toBe(2);
  expect((await first).stored).toBe(5);
  expect(second).toMatchObject({ stored: 0, duplicates: 5 });
});

test("a batch is read while the one before is written, and takes nothing twice", async () => {
  const { pipeline, parts, moments } = world();
  let asked = 0;
  let readOn = () => {};
  const isReadOn = new Promise<void>((resolve) => {
    readOn = resolve;
  });
  moments.beforeKnownAnswers = async () => {
    asked += 1;
    if (asked === 2) readOn();
  };
  const { write } = parts.stores.alerts;
  Object.assign(parts.stores.alerts, {
    async write(...of: Parameters<typeof write>) {
      await isReadOn;
      await write(...of);
    },
  });
  const first = pipeline.take(packets.slice(0, 3), []);
  const second = pipeline.take(packets.slice(1), []);
  expect(await first).toMatchObject({ stored: 3, duplicates: 0 });
  expect(await second).toMatchObject({ stored: 2, duplicates: 2 });
});

test("alerts of a batch that failed are taken in when they come again", async () => {
  const { pipeline, faults } = world();
  faults.push(new TocsinError("QUERY_TOO_LARGE", "The query needs more memory than its limit."));
  await expect(pipeline.take(packets, [])).rejects.toMatchObject({ code: "QUERY_TOO_LARGE" });
  expect(await pipeline.take(packets, [])).toMatchObject({ stored: 5, duplicates: 0 });
});

test("filters run while the alerts are written, and what they find is committed after both", async () => {
  const { parts } = world();
  const told: string[] = [];
  const { alerts, batches, hits } = parts.stores;
  const { write } = alerts;
  const { commit } = batches;
  let filtered = () => {};
  const isFiltered = new Promise<void>((resolve) => {
    filtered = resolve;
  });
  Object.assign(alerts, {
    async write(...of: Parameters<typeof write>) {
      await isFiltered;
      await write(...of);
      told.push("written");
    },
  });
  Object.assign(hits, {
    async found() {
      told.push("found");
      filtered();
    },
  });
  Object.assign(batches, {
    commit(...of: Parameters<typeof commit>) {
      told.push("commit");
      return commit(...of);
    },
  });
  await createPipeline(parts).take(packets, [], () => told.push("delivered"));
  expect(told).toEqual(["found", "written", "commit", "delivered"]);
});

test("a filter that becomes active while a batch is enriched finds what it reads in it", async () => {
  const { parts } = world();
  const read = new Set(["old"]);
  const runs: string[][] = [];
  const seen: string[][] = [];
  const step = {
    ...{ name: "lists", version: "1", followsFilters: true },
    async run(batch: AlertBatch): Promise<AlertBatch> {
      const lists = new Map(batch.alerts.lists);
      runs.push([...read].filter((name) => !lists.has(name)));
      for (const name of read) lists.set(name, LIST);
      return { ...batch, alerts: { ...batch.alerts, lists } };
    },
  };
  const other = {
    ...{ name: "others", version: "1" },
    async run(batch: AlertBatch): Promise<AlertBatch> {
      read.add("new");
      return batch;
    },
  };
  const filters: PipelineParts["filters"] = {
    async run(batch) {
      seen.push([...batch.alerts.lists!.keys()]);
      return { hits: [], broken: [] };
    },
  };
  await createPipeline({ ...parts, filters, enrichments: [step, other] }).take(packets, []);
  expect(runs).toEqual([["old"], ["new"]]);
  expect(seen).toEqual([["old", "new"]]);

  // One that is broken is told once, and not tried again.
  const told: string[] = [];
  const broken = {
    ...step,
    async run(): Promise<AlertBatch> {
      throw new Error("it cannot");
    },
  };
  const { parts: others } = world();
  Object.assign(others.stores, { missing: { add: async () => {} } });
  const onMissing = ({ reason }: MissingStep) => void told.push(reason);
  await createPipeline({ ...others, onMissing, enrichments: [broken] }).take(packets, []);
  expect(told).toEqual(["it cannot"]);
});

const LIST: ListColumn = {
  ends: new Uint32Array(5),
  items: { type: "Float64", values: new Float64Array(0), nulls: null },
};

test("a packet that a power cut took does not keep the service from starting", async () => {
  const { pipeline, stores, letters } = world();
  const location = (offset: number) => ({ segment: 7, offset, length: 1, schema: "" });
  const afterCrash = {
    ...stores,
    batches: {
      ...stores.batches,
      recovered: async () => {},
      uncommittedPackets: async () =>
        packets.map((_, n) => ({ survey: "ZTF", candid: BigInt(n), location: location(n) })),
    },
    packets: {
      ...stores.packets,
      async read({ offset }: { offset: number }) {
        if (offset === 2) throw new TocsinError("DATA_DAMAGED", "Packet segment 7 is shorter than it was.");
        return packets[offset]!;
      },
    },
  };
  expect(await recover(pipeline, afterCrash, 2, Date.now())).toBe(4);
  expect(letters).toMatchObject([
    { reason: "UNREADABLE", survey: "ZTF", origin: { source: "packet store", position: "segment 7 offset 2" } },
  ]);
  expect(letters[0]!.message).toMatch(/ZTF alert 2 .*shorter than it was/);
});
