// The receipt, the delivery clock and the replay of dead letters through the whole service, on real packets, against what
// fastavro counts in the files.
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { callService } from "../cli/control.js";
import { receiptText } from "../cli/receipt.js";
import type { Packet } from "../domain/packet.js";
import { schemaLookup } from "../ingest/avro/confluent.js";
import { readContainer } from "../ingest/avro/container.js";
import { itemsOf } from "../ingest/sources/kafka/message.js";
import { ztfFile } from "./packets.js";
import { python, pythonHas } from "./python.js";
import { startTestService, type TestService } from "./service.js";
import { SHARED } from "./shared.js";

const NIGHTS = ["20200202", "20231012"];
const RUBIN = join(SHARED, "data/lsst/7912941781254298.avro");
const JD = 2_461_000.5;
const hasTruth = pythonHas("fastavro");

interface Sums {
  received: number;
  stored: number;
  duplicates: number;
  deadLetters: number;
  adds: boolean;
}
interface Source extends Sums {
  source: string;
  partition: number | null;
  offsets: { first: string; last: string } | null;
  gaps: { first: string; last: string }[];
}
interface Receipt extends Sums {
  hits: number;
  archived: number;
  sourceCount: number;
  sources: Source[];
  unattributed: Source[];
}
const SUMS = "received stored duplicates deadLetters adds";
const SOURCE = `source partition offsets { first last } gaps { first last } ${SUMS}`;

let folder: string;
let service: TestService;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tocsin-receipt-"));
  await mkdir(join(folder, "schemas"));
  service = await startTestService({ SCHEMA_DIR: join(folder, "schemas") });
});
afterAll(async () => {
  await service?.close();
  await rm(folder, { recursive: true, force: true });
});

async function receiptOf(survey: string, night: string, of = service): Promise<Receipt> {
  const { nightReceipt } = await of.ask<{ nightReceipt: Receipt }>(
    `query ($night: String!) { nightReceipt(survey: ${survey}, night: $night) {
      ${SUMS} hits archived sourceCount sources { ${SOURCE} } unattributed { ${SOURCE} } } }`,
    { night },
  );
  return nightReceipt;
}
interface Letter {
  id: string;
  reason: string;
  survey: string | null;
  source: string;
  replayedAt: string | null;
  bytesKept: number;
}
async function letters(where: object): Promise<Letter[]> {
  const { deadLetters } = await service.ask<{ deadLetters: { edges: { node: Letter }[] } }>(
    `query ($where: DeadLetterWhere) { deadLetters(first: 1000, where: $where) {
      edges { node { id reason survey source replayedAt bytesKept } } } }`,
    { where },
  );
  return deadLetters.edges.map(({ node }) => node);
}
const replay = async (where: object) =>
  (
    await service.ask<{ replayDeadLetters: Record<string, unknown> }>(
      `mutation ($where: DeadLetterWhere!) { replayDeadLetters(where: $where) { replayed failed stored duplicates reasons } }`,
      { where },
    )
  ).replayDeadLetters;

describe("files with duplicates and damage", () => {
  let perFile: Record<string, { night: string; candid: string }[] | null>;
  beforeAll(async () => {
    await service.ask(`mutation { createFilter(input: { name: "all", survey: ZTF, where: "magpsf < 99" }) { id } }`);
    for (const night of NIGHTS) {
      for (const copy of ["first", "again"])
        await cp(join(SHARED, "data/ztf", night), join(folder, copy, night), { recursive: true });
      const [some] = await readdir(join(folder, "first", night));
      const bytes = await readFile(join(folder, "first", night, some!));
      await writeFile(join(folder, "again", night, "torn.avro"), bytes.subarray(0, bytes.length - 1000));
    }
    await writeFile(join(folder, "again", "noise.avro"), Buffer.alloc(5000, 7));
    await service.ingest(join(folder, "first"));
    await service.ingest(join(folder, "again"));
    if (!hasTruth) return;
    perFile = python(
      `import fastavro, glob
answer = {}
for path in glob.glob(input["folder"] + "/*/**/*.avro", recursive=True):
    try:
        with open(path, "rb") as file:
            records = list(fastavro.reader(file))
    except Exception:
        answer[path] = None
        continue
    import datetime
    date = lambda jd: (datetime.datetime(2000, 1, 1, 12) + datetime.timedelta(days=jd - 2451545.0)).strftime("%Y%m%d")
    answer[path] = [{"night": date(r["candidate"]["jd"]), "candid": str(r["candid"])} for r in records]
print(json.dumps(answer))`,
      { folder },
    );
  });

  test.skipIf(!hasTruth)("add up to what fastavro counts", async () => {
    const packets = Object.values(perFile).flatMap((records) => records ?? []);
    const bad = Object.values(perFile).filter((records) => records === null).length;
    expect(bad).toBe(3);
    let received = 0;
    for (const night of new Set(packets.map((packet) => packet.night))) {
      const receipt = await receiptOf("ZTF", night);
      const ours = packets.filter((packet) => packet.night === night);
      const distinct = new Set(ours.map(({ candid }) => candid)).size;
      expect(receipt).toMatchObject({
        received: ours.length,
        stored: distinct,
        duplicates: ours.length - distinct,
        deadLetters: 0,
        archived: distinct,
        hits: distinct,
        adds: true,
      });
      const files = Object.entries(perFile).flatMap(([path, records]) => (records?.[0]?.night === night ? [path] : []));
      expect(receipt.sources.map(({ source }) => source)).toEqual(files.sort());
      for (const { source, partition, received: came } of receipt.sources) {
        expect([partition, came]).toEqual([null, perFile[source]!.length]);
      }
      received += receipt.received;
    }
    expect(received).toBe(packets.length);
    // Nothing else came of the damaged files: nobody can tell their survey.
    const today = new Date().toISOString().slice(0, 10).replaceAll("-", "");
    const { unattributed } = await receiptOf("ZTF", today);
    expect(unattributed.map(({ source }) => basename(source)).sort()).toEqual(["noise.avro", "torn.avro", "torn.avro"]);
    for (const source of unattributed) expect(source).toMatchObject({ received: 1, deadLetters: 1, adds: true });
  });

  test("every alert's clock goes forward", async () => {
    const { alerts } = await service.ask<{
      alerts: { edges: { node: { time: string; clock: Record<string, string | null> } }[] };
    }>(
      `{ alerts(first: 1000, where: { survey: ZTF }) { edges { node { time
        clock { observedAt emittedAt receivedAt storedAt filteredAt deliveredAt } } } } }`,
    );
    expect(alerts.edges.length).toBeGreaterThan(10);
    for (const { node } of alerts.edges) {
      const { observedAt, emittedAt, receivedAt, storedAt, filteredAt, deliveredAt } = node.clock;
      expect([observedAt, emittedAt]).toEqual([node.time, null]);
      const moments = [observedAt, receivedAt, storedAt, filteredAt, deliveredAt].map((time) => Date.parse(time!));
      expect(moments).toEqual([...moments].sort((a, b) => a - b));
    }
  });

  test("receipts are for those who may change something; latencies of nothing seen are none", async () => {
    const anonymous = { "x-forwarded-for": "203.0.113.7" };
    await expect(
      service.ask(`{ nightReceipt(survey: ZTF, night: "20231012") { received } }`, {}, anonymous),
    ).rejects.toThrow(/NOT_ALLOWED/);
    const latency = (headers: Record<string, string>) =>
      service.ask<{ latency: { stage: string; count: number }[] }>(
        `{ latency(survey: ZTF, night: "20231012") { stage count p50 p90 p99 max } }`,
        {},
        headers,
      );
    const count = async (headers: Record<string, string>) =>
      (await latency(headers)).latency.find(({ stage }) => stage === "RECEIVED_TO_DELIVERED")?.count ?? 0;
    const { alerts } = await service.ask<{ alerts: { edges: { node: { programid: number; time: string } }[] } }>(
      "{ alerts(first: 1000, where: { survey: ZTF }) { edges { node { programid time } } } }",
    );
    const ofNight = alerts.edges.filter(({ node }) => node.time.startsWith("2023-10-12"));
    expect(await count({})).toBe(ofNight.length);
    expect(await count(anonymous)).toBe(ofNight.filter(({ node }) => node.programid === 1).length);
    await expect(service.ask(`{ latency(survey: ZTF, night: "2023-10-12") { count } }`)).rejects.toThrow(
      /BAD_ARGUMENT.*YYYYMMDD/,
    );
  });
});

describe("a topic", () => {
  const alert = (n: number) => ({
    candid: 2_461_000_000_015_010_000n + BigInt(n),
    objectId: `ZTF26receipt${n % 3}`,
    jd: JD + 0.25,
    ra: 10 + n / 1000,
    dec: 20,
    programid: 1,
    magpsf: 18,
  });
  const NIGHT = "20251121";
  const TOPIC = "ztf_20251121_programid1";
  const message = async (offset: number, value: Uint8Array | null, emittedAt: number) =>
    itemsOf(
      { topic: TOPIC, partition: 1, offset: BigInt(offset), emittedAt, value, fault: null },
      schemaLookup(async () => null),
      emittedAt + 250,
    );

  test("is told by partition, with its offsets, gaps and latencies", async () => {
    const emittedAt = Date.now() - 5_000;
    const items = [];
    for (const offset of [10, 11, 12, 15, 16])
      items.push(...(await message(offset, ztfFile(alert(offset)), emittedAt)));
    items.push(...(await message(20, null, emittedAt)), ...(await message(21, ztfFile(alert(10)), emittedAt)));
    const packets = items.filter((item): item is Packet => !("reason" in item));
    const bad = items.flatMap((item) => ("reason" in item ? [item] : []));
    await service.ingestion!.pipeline.take(packets, bad);
    // The group reads some once more: whoever had them died before the bookmark moved.
    await service.ingestion!.pipeline.take(packets.slice(0, 2), bad);
    const receipt = await receiptOf("ZTF", NIGHT);
    const sums = { received: 10, stored: 5, duplicates: 4, deadLetters: 1, adds: true };
    expect(receipt).toMatchObject({ ...sums, archived: 5 });
    expect(receipt.sources).toEqual([
      {
        ...sums,
        source: TOPIC,
        partition: 1,
        offsets: { first: "10", last: "21" },
        gaps: [
          { first: "13", last: "14" },
          { first: "17", last: "19" },
        ],
      },
    ]);
    const { alert: shown } = await service.ask<{ alert: { clock: Record<string, string> } }>(
      `{ alert(survey: ZTF, candid: "${alert(10).candid}") { clock { emittedAt receivedAt storedAt } } }`,
    );
    expect(shown.clock.emittedAt).toBe(new Date(emittedAt).toISOString());
    expect(shown.clock.receivedAt).toBe(new Date(emittedAt + 250).toISOString());
    const { latency } = await service.ask<{ latency: Record<string, unknown>[] }>(
      `{ latency(survey: ZTF, night: "${NIGHT}") { stage count p50 p90 p99 max } }`,
    );
    const stages = latency.map(({ stage }) => stage);
    expect(stages).toEqual([
      "OBSERVED_TO_EMITTED",
      "EMITTED_TO_RECEIVED",
      "RECEIVED_TO_STORED",
      "STORED_TO_FILTERED",
      "FILTERED_TO_DELIVERED",
      "RECEIVED_TO_DELIVERED",
    ]);
    expect(latency[1]).toEqual({ stage: "EMITTED_TO_RECEIVED", count: 5, p50: 0.25, p90: 0.25, p99: 0.25, max: 0.25 });
    for (const { count } of latency) expect(count).toBe(5);
  });

  test("is told on the command line", async () => {
    const receipt = await callService(service.dataDir, "receipt", ["ZTF", NIGHT]);
    const text = receiptText(receipt);
    expect(text).toMatch(new RegExp(`^${TOPIC} +1 +10-21 +10 +5 +4 +1 +yes$`, "m"));
    expect(text).toContain(`Never had of ${TOPIC} partition 1: 13-14, 17-19`);
    await expect(callService(service.dataDir, "receipt", ["DECAM", NIGHT])).rejects.toMatchObject({
      code: "UNKNOWN_SURVEY",
    });
  });
});

describe("dead letters", () => {
  test("of a missing schema are taken in once it is there, and move in their receipt", async () => {
    await cp(RUBIN, join(folder, "rubin", basename(RUBIN)));
    expect(await service.ingest(join(folder, "rubin"))).toMatchObject({ read: 1, stored: 0, deadLetters: 1 });
    const where = { reason: "UNKNOWN_SCHEMA", source: join(folder, "rubin") };
    const [letter] = await letters(where);
    const original = await readFile(RUBIN);
    expect(letter).toMatchObject({ survey: null, replayedAt: null, bytesKept: original.length });
    const kept = await fetch(`${service.url}/deadletters/${letter!.id}`);
    expect(Buffer.compare(Buffer.from(await kept.arrayBuffer()), original)).toBe(0);
    const anonymous = { headers: { "x-forwarded-for": "203.0.113.7" } };
    expect((await fetch(`${service.url}/deadletters/${letter!.id}`, anonymous)).status).toBe(401);
    expect((await fetch(`${service.url}/deadletters/1`)).status).toBe(404);
    expect((await fetch(`${service.url}/deadletters/x`)).status).toBe(400);

    expect(await replay(where)).toMatchObject({ replayed: 0, failed: 1, stored: 0 });
    expect(await letters(where)).toEqual([letter]);
    const version = `v${Math.floor(original.readUInt32BE(1) / 100)}_${original.readUInt32BE(1) % 100}`;
    await cp(join(SHARED, "data/lsst", version), join(folder, "schemas", version), { recursive: true });
    expect(await replay(where)).toEqual({ replayed: 1, failed: 0, stored: 1, duplicates: 0, reasons: [] });

    const [after] = await letters(where);
    expect(after).toEqual({ ...letter, replayedAt: expect.any(String) });
    expect(await letters({ ...where, replayed: false })).toEqual([]);
    const { alerts } = await service.ask<{ alerts: { edges: { node: { time: string } }[] } }>(
      "{ alerts(where: { survey: LSST }) { edges { node { time } } } }",
    );
    const time = Date.parse(alerts.edges[0]!.node.time) - 12 * 3_600_000;
    const night = new Date(time).toISOString().slice(0, 10).replaceAll("-", "");
    const source = { source: join(folder, "rubin", basename(RUBIN)), partition: null };
    const sums = { received: 1, stored: 1, duplicates: 0, deadLetters: 0, adds: true };
    expect(await receiptOf("LSST", night)).toMatchObject({ ...sums, archived: 1, sources: [{ ...source, ...sums }] });
    const today = new Date().toISOString().slice(0, 10).replaceAll("-", "");
    const left = (await receiptOf("LSST", today)).unattributed.filter((of) => of.source === source.source);
    expect(left).toMatchObject([{ received: 0, deadLetters: 0, adds: true }]);
    // What was replayed is not replayed again.
    expect(await replay(where)).toMatchObject({ replayed: 0, failed: 0, stored: 0 });
  });

  test("of a bare record keep their schema; those that fail again stay one row", async () => {
    const good = ztfFile({ candid: 5n, objectId: "ZTF26bare", jd: JD, ra: 1, dec: 1, programid: 1, magpsf: 18 });
    const bad = ztfFile({ candid: 6n, objectId: "ZTF26bare", jd: JD, ra: 1, dec: 99, programid: 1, magpsf: 18 });
    await writeFile(join(folder, "good.avro"), good);
    await writeFile(join(folder, "bad.avro"), bad);
    await service.ingest(join(folder, "good.avro"), join(folder, "bad.avro"));
    const where = { source: join(folder, "bad.avro") };
    const [letter] = await letters(where);
    expect(letter).toMatchObject({ reason: "BAD_VALUE", survey: "ZTF" });
    const [record] = [...readContainer(bad, "bad.avro")] as Packet[];
    const kept = await fetch(`${service.url}/deadletters/${letter!.id}`);
    expect(kept.headers.get("x-schema-fingerprint")).toBe(record!.schema.fingerprint);
    expect(Buffer.compare(Buffer.from(await kept.arrayBuffer()), record!.bytes)).toBe(0);
    expect(await replay({ ids: [letter!.id] })).toMatchObject({
      replayed: 0,
      failed: 1,
      reasons: [expect.stringContaining("dec is 99")],
    });
    expect(await letters(where)).toEqual([letter]);
    // By the survey's rule the night of a lone bad file is that of its reception.
    const today = new Date().toISOString().slice(0, 10).replaceAll("-", "");
    const receipt = await receiptOf("ZTF", today);
    expect(receipt.sources.filter(({ source }) => source === where.source)).toMatchObject([
      { received: 1, stored: 0, deadLetters: 1, adds: true },
    ]);
  });
});
