// Packets that the service fails on: found among others and set aside, and never where the fault is not theirs. The
// pipeline and its archive are real; what fails is put around the archive's write.
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { TocsinError } from "../domain/errors.js";
import type { DeadLetter, Packet } from "../domain/packet.js";
import { openArchivePackets } from "../stores/archive/packets.js";
import { type ArchiveStores, createArchiveStores } from "../stores/archive/stores.js";
import { startTestArchive, type TestArchive } from "../test/archive.js";
import { readContainer } from "./avro/container.js";
import { decode } from "./decode.js";
import { createPipeline, type Pipeline, type PipelineStores } from "./pipeline.js";
import { bigColumn } from "./rows.js";
import { settingAside } from "./setaside.js";
import { container, packetMaker, simulate } from "./simulator/write.js";
import { SURVEYS } from "./surveys/index.js";

const OWNER = { scope: "all", mayChange: true } as never;
let engine: TestArchive;
let stores: ArchiveStores;
beforeAll(async () => {
  engine = await startTestArchive();
  stores = await createArchiveStores(
    engine.client,
    SURVEYS.map(({ description }) => description),
  );
}, 120_000);
afterAll(() => engine?.stop());

/** Alerts whose rows the archive does not take, and how often it fails before it takes any. */
let poison: Set<bigint>;
let failures: number;
let writes: number;
const setAside: DeadLetter[] = [];
beforeEach(() => {
  [poison, failures, writes] = [new Set(), 0, 0];
  setAside.length = 0;
});

let sky = 0;
function packetsOf(count: number): { packets: Packet[]; candids: bigint[] } {
  const seed = `setaside ${sky++}`;
  const alerts = simulate({ seed, nights: 5, endJd: 2_461_000.5, alerts: new Map([["ZTF", count]]) });
  const bytes = container("ZTF", alerts.map(packetMaker(seed)));
  const packets = [...readContainer(bytes, seed, 0)].filter((item): item is Packet => !("reason" in item));
  return { packets, candids: [...bigColumn(decode(packets).batches[0]!.alerts, "candid").values] };
}

function pipelineThat(how: { evenAlone?: boolean } = {}): Pipeline {
  const all: PipelineStores = {
    ...stores,
    packets: openArchivePackets(engine.client),
    alerts: Object.assign(Object.create(stores.alerts), {
      async write(...[batchId, batch, ...more]: Parameters<PipelineStores["alerts"]["write"]>) {
        writes += 1;
        if (failures-- > 0) throw new Error("a fault of the moment");
        const bad = bigColumn(batch.alerts, "candid").values.find((candid) => poison.has(candid));
        if (bad !== undefined) throw new TocsinError("INTERNAL", `The archive cannot store ${bad}.`);
        return stores.alerts.write(batchId, batch, ...more);
      },
    }),
  };
  const taking = createPipeline({
    stores: all,
    filters: { run: async () => ({ hits: [], broken: [] }) },
    follower: { enter: async () => {} },
    sequencer: { committed: async () => {}, followed: async () => {} },
    enrichments: [],
    onMissing: () => {},
    onBroken: () => {},
    outages: { failed() {}, over() {} },
  });
  return settingAside(taking, { ...how, onSetAside: (letters) => setAside.push(...letters) });
}

const storedOf = async (candids: readonly bigint[]): Promise<number> =>
  [...(await stores.alerts.known("ZTF", BigInt64Array.from(candids))).values()].filter(({ committed }) => committed)
    .length;

test("a few bad packets among many are dead letters, whole, and all others are stored", async () => {
  const { packets, candids } = packetsOf(200);
  poison = new Set([candids[0]!, candids[77]!, candids[78]!, candids[199]!]);
  const letter: DeadLetter = {
    ...{ reason: "EMPTY", message: "It is empty.", origin: { source: "empty.avro", position: "byte 0" } },
    ...{ survey: null, bytes: null, schemaFingerprint: null },
  };
  const taken = await pipelineThat().take(packets, [letter]);
  expect(taken).toMatchObject({ read: 201, stored: 196, duplicates: 0, deadLetters: 5 });
  expect(await storedOf(candids)).toBe(196);
  expect(setAside).toHaveLength(4);
  expect(writes).toBeLessThan(80);

  const kept = await stores.deadLetters.page(OWNER, { reason: "FAILED" } as never, 100, null);
  expect(kept.map(({ message }) => message).toSorted()).toEqual(
    [...poison].map((candid) => `The service failed on it. The archive cannot store ${candid}.`).toSorted(),
  );
  const [first] = await stores.deadLetters.whole(OWNER, [kept[0]!.id]);
  const origin = packets.find((packet) => packet.origin.position === first!.origin.position)!;
  expect(Buffer.from(first!.bytes!).equals(Buffer.from(origin.bytes))).toBe(true);
  expect(first!.survey).toBe("ZTF");

  // Brought again they fail again, and are the same letters; mended, they are stored.
  const again = await pipelineThat({ evenAlone: true }).take([packets[0]!], []);
  expect(again).toMatchObject({ stored: 0, deadLetters: 1 });
  expect(await stores.deadLetters.page(OWNER, { reason: "FAILED" } as never, 100, null)).toHaveLength(4);
  poison.clear();
  expect(await pipelineThat().take(packets, [])).toMatchObject({ stored: 4, duplicates: 196, deadLetters: 0 });
}, 120_000);

test("a fault of the moment sets nothing aside", async () => {
  const { packets, candids } = packetsOf(8);
  failures = 6;
  expect(await pipelineThat().take(packets, [])).toMatchObject({ read: 8, stored: 8, deadLetters: 0 });
  expect(await storedOf(candids)).toBe(8);
  expect(setAside).toEqual([]);
}, 120_000);

test("where nothing can be stored the fault is nobody's, and soon told", async () => {
  const { packets } = packetsOf(300);
  failures = Number.POSITIVE_INFINITY;
  await expect(pipelineThat().take(packets, [])).rejects.toThrow("a fault of the moment");
  expect(writes).toBeLessThan(40);
  expect(setAside).toEqual([]);
}, 120_000);

test("duplicates say nothing of a fault: with them alone beside it a packet waits, with new alerts it does not", async () => {
  const { packets, candids } = packetsOf(20);
  poison = new Set([candids[19]!]);
  await pipelineThat().take(packets.slice(0, 10), []);
  const failing = [...packets.slice(0, 10), packets[19]!];
  await expect(pipelineThat().take(failing, [])).rejects.toThrow("cannot store");
  expect(setAside).toEqual([]);
  expect(await pipelineThat().take(packets, [])).toMatchObject({ stored: 9, duplicates: 10, deadLetters: 1 });
  expect(setAside).toHaveLength(1);
}, 120_000);

test("what nobody brings again, and what is replayed, is set aside even alone", async () => {
  const { packets, candids } = packetsOf(1);
  poison = new Set(candids);
  expect(await pipelineThat({ evenAlone: true }).take(packets, [])).toMatchObject({ stored: 0, deadLetters: 1 });
  const replayed = await pipelineThat().take([{ ...packets[0]!, replayOf: 7n }], []);
  expect(replayed.letters).toMatchObject([{ reason: "FAILED", replayOf: 7n }]);
}, 120_000);

test("a lost engine is not the packets' fault", async () => {
  const { packets } = packetsOf(3);
  const lost = new TocsinError("ENGINE_UNAVAILABLE", "The archive does not answer.");
  const pipeline = settingAside({ take: () => Promise.reject(lost) }, { onSetAside: () => {} });
  await expect(pipeline.take(packets, [])).rejects.toBe(lost);
});
