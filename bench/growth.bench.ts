// The same questions, and the same night without catalogs and filters, to an archive and to one of ten times its size: what
// is asked for costs what it is, not what lies beside it. Run by bench/main.
import type { Packet } from "../domain/packet.js";
import { writerSchema } from "../ingest/avro/schema.js";
import { takeIn } from "../ingest/intake.js";
import { SURVEYS, surveyModule } from "../ingest/surveys/index.js";
import type { AlertConditions, AlertKey } from "../stores/alerts.store.js";
import type { ArchiveClient } from "../stores/archive/client.js";
import { connectArchive } from "../stores/archive/http.js";
import { type ArchiveStores, createArchiveStores } from "../stores/archive/stores.js";
import type { ObjectStore } from "../stores/objects.store.js";
import { startTestArchive, type TestArchive } from "../test/archive.js";
import { rowsRead } from "../test/readrows.js";
import { startTestService, type TestService } from "../test/service.js";
import { ALERTS_PER_OBJECT, fill, idOf, type Place, POINTS_PER_OBJECT, somePlaces } from "./growth.archive.js";
import { type BenchResult, ratios, spread, type Timing, timed } from "./harness.js";
import { random } from "./random.js";
import { endlessAlerts } from "./soak.packets.js";

const VIEWER = { scope: "public", programids: new Map([["ZTF", [1]]]), mayChange: false };
const RADIUS_ARCSEC = 60;
const PAGE = 100;
const CURVES = 100;
/** A question may take so many times its time in a larger archive. */
const MOST = 1.5;

interface Sizes {
  /** Of the smallest archive. */
  readonly objects: number;
  /** Alerts of a night, half of them of objects of the nights before. */
  readonly alerts: number;
  /** Requests of a round. */
  readonly requests: number;
  readonly rounds: number;
}

/** One archive and all that reads and writes it. */
interface World {
  readonly times: number;
  readonly objects: number;
  readonly client: ArchiveClient;
  readonly service: TestService;
  /** The service's own stores, with the index of the sky; and the same archive's without. */
  readonly stores: ArchiveStores;
  readonly plain: ArchiveStores;
  readonly places: readonly Place[];
  close(): Promise<void>;
}

/** Options: --times (sizes of the archives, 1,10), --objects (of the smallest), --alerts (of a night), --requests, --rounds. */
export async function run(smoke: boolean, options: Readonly<Record<string, string>> = {}): Promise<BenchResult> {
  const { times: told = "1,10", ...given } = options;
  const usual: Sizes = smoke
    ? { objects: 2_000, alerts: 40, requests: 3, rounds: 1 }
    : { objects: 100_000, alerts: 2_000, requests: 100, rounds: 5 };
  const numbers = Object.entries(given).map(([name, value]) => [name, Number(value)]);
  const sizes: Sizes = { ...usual, ...Object.fromEntries(numbers) };
  const archive = await startTestArchive();
  const worlds: World[] = [];
  try {
    for (const times of told.split(",").map(Number)) worlds.push(await open(archive, times, sizes));
    const nights = nightsOf(sizes);
    for (const { service } of worlds) await taken(service, nights.before);
    const measured = [];
    for (const [name, ask] of Object.entries(QUESTIONS)) {
      measured.push({ name, sides: await measure(worlds, sizes, archive, ask) });
    }
    measured.push({ name: "night", sides: await night(worlds, nights.rounds, archive) });
    return result(worlds, sizes, measured);
  } finally {
    for (const { close } of worlds) await close();
    await archive.stop();
  }
}

async function open(archive: TestArchive, times: number, sizes: Sizes): Promise<World> {
  const { url, user, password } = archive;
  const database = `growth${times}`;
  const client = connectArchive({ url, user, password, database });
  try {
    const surveys = SURVEYS.map(({ description }) => description);
    const plain = await createArchiveStores(client, surveys);
    const objects = sizes.objects * times;
    await fill(client, objects, times);
    const service = await startTestService({
      CLICKHOUSE_URL: url,
      CLICKHOUSE_USER: user,
      CLICKHOUSE_PASSWORD: password,
      CLICKHOUSE_DATABASE: database,
    });
    const stores = service.services.stores as unknown as ArchiveStores;
    const places = somePlaces(objects, sizes.requests * sizes.rounds);
    const close = async (): Promise<void> => {
      await service.close();
      await client.close();
    };
    if (await stores.skyIndexed) return { times, objects, client, service, stores, plain, places, close };
    await close();
    throw new Error("The sky index is not complete: set SKY_INDEX_MB.");
  } catch (error) {
    await client.close();
    throw error;
  }
}

/** How much was found. */
type Ask = (world: World, request: number) => Promise<number>;

const cone = (objects: ObjectStore, { ra, dec }: Place) =>
  objects.cone(VIEWER, { ra, dec, radiusArcsec: RADIUS_ARCSEC }, null, 1_000, null);
const alertsIn = ({ ra, dec }: Place, radiusArcsec: number): AlertConditions => ({
  survey: "ZTF",
  cone: { ra, dec, radiusArcsec },
});
async function newest({ plain }: World, where: AlertConditions, pages = 1): Promise<number> {
  let [found, after]: [number, AlertKey | null] = [0, null];
  for (let page = 0; page < pages; page++) {
    const alerts = await plain.alerts.page(VIEWER, { survey: "ZTF", ...where }, PAGE, after);
    found += alerts.length;
    after = alerts.at(-1) ?? after;
  }
  return found;
}
async function curves({ plain, objects }: World, request: number, count: number): Promise<number> {
  const next = random(request);
  const ids = new Set<string>();
  while (ids.size < count) ids.add(idOf(Math.floor(next() * objects)));
  const found = await plain.photometry.lightCurves(VIEWER, "ZTF", [...ids]);
  const points = [...found.values()].map(({ detections, nonDetections }) => detections.length + nonDetections.length);
  const all = points.reduce((sum, n) => sum + n, 0);
  if (all !== count * POINTS_PER_OBJECT) throw new Error(`${all} points of ${count} objects.`);
  return all;
}

const QUESTIONS: Readonly<Record<string, Ask>> = {
  cone: async ({ stores, places }, n) => (await cone(stores.objects, places[n]!)).length,
  "cone without index": async ({ plain, places }, n) => (await cone(plain.objects, places[n]!)).length,
  lightcurve: (world, n) => curves(world, n, 1),
  "100 lightcurves": (world, n) => curves(world, n, CURVES),
  latest: (world) => newest(world, {}),
  "latest by class": (world) => newest(world, { class: "hosted" }),
  "latest by class, 20 pages": (world) => newest(world, { class: "hosted" }, 20),
  "latest by rare class": (world) => newest(world, { class: "solar-system" }),
  "latest of an object": (world, n) => newest(world, { objectId: idOf(n) }),
  "latest in a cone": (world, n) => newest(world, alertsIn(world.places[n]!, RADIUS_ARCSEC)),
  "latest in a cone of 0.5°": (world, n) => newest(world, alertsIn(world.places[n]!, 1_800)),
};

interface Side {
  readonly timings: Timing[];
  /** Rows that the archive read for one request; those of a night are not counted, since merges read as well. */
  rows?: number;
  /** Of all rounds. */
  found: number;
  asked: number;
}

/** The archives take turns, round by round, each with as many requests. */
async function measure(
  worlds: readonly World[],
  { requests, rounds }: Sizes,
  archive: TestArchive,
  ask: Ask,
): Promise<Side[]> {
  const sides = worlds.map((): Side => ({ timings: [], found: 0, asked: 0 }));
  // What is prepared at first use is prepared.
  for (const [side, world] of worlds.entries()) {
    for (let n = 0; n < Math.min(5, requests); n++) await ask(world, n);
    sides[side]!.rows = await rowsRead(world.client, () => ask(world, 0));
  }
  for (let round = 0; round < rounds; round++) {
    for (const [n, world] of worlds.entries()) {
      const side = sides[n]!;
      const timing = await timed(async () => {
        for (let request = 0; request < requests; request++) side.found += await ask(world, round * requests + request);
      }, [archive.pid()!]);
      side.timings.push(timing);
      side.asked += requests;
    }
  }
  return sides;
}

interface Nights {
  /** What makes their objects known. */
  readonly before: readonly Packet[];
  readonly rounds: readonly (readonly Packet[])[];
}

/** Packets in the order of time: those of the rounds are of objects that came before as well as of new ones. */
function nightsOf({ alerts, rounds }: Sizes): Nights {
  const all = 2 * alerts * rounds;
  const stream = endlessAlerts({ seed: "growth", alerts: new Map([["ZTF", all]]), cutoutBytes: 1_000 });
  const schema = writerSchema(surveyModule("ZTF").simulated.schema);
  const packets = Array.from({ length: all }, (_, n): Packet => {
    return { bytes: stream.next().body, schema, origin: { source: "growth", position: `record ${n}` } };
  });
  const first = alerts * rounds;
  return {
    before: packets.slice(0, first),
    rounds: Array.from({ length: rounds }, (_, n) => packets.slice(first + n * alerts, first + (n + 1) * alerts)),
  };
}

async function taken({ ingestion }: TestService, packets: readonly Packet[]): Promise<number> {
  const source = (async function* () {
    yield* packets;
  })();
  const { stored } = await takeIn(source, ingestion!.pipeline);
  if (stored !== packets.length) throw new Error(`${stored} of ${packets.length} alerts were stored.`);
  return stored;
}

async function night(worlds: readonly World[], rounds: Nights["rounds"], archive: TestArchive): Promise<Side[]> {
  const sides = worlds.map((): Side => ({ timings: [], found: 0, asked: 0 }));
  for (const packets of rounds) {
    for (const [n, { service }] of worlds.entries()) {
      const timing = await timed(() => taken(service, packets), [archive.pid()!]);
      sides[n]!.timings.push(timing);
      sides[n]!.found += timing.value;
      sides[n]!.asked += 1;
    }
  }
  return sides;
}

function result(
  worlds: readonly World[],
  sizes: Sizes,
  measured: readonly { name: string; sides: readonly Side[] }[],
): BenchResult {
  const rows: Record<string, number | string>[] = [];
  const grown: Record<string, ReturnType<typeof ratios>> = {};
  const goals: BenchResult["goals"][number][] = [];
  for (const { name, sides } of measured) {
    const wallOf = ({ timings }: Side) => timings.map(({ wallSeconds }) => wallSeconds);
    for (const [n, side] of sides.entries()) {
      const { times, objects } = worlds[n]!;
      const perRequest = (1000 * side.timings.length) / side.asked;
      const wall = spread(wallOf(side).map((seconds) => seconds * perRequest));
      const cpu = spread(side.timings.map(({ cpuSeconds }) => cpuSeconds * perRequest)).median;
      rows.push({
        ...{ question: name, archive: `${times}×`, objects, "found each": side.found / side.asked },
        ...{ ms: wall.median, "min ms": wall.min, "max ms": wall.max, "CPU ms": cpu, "rows read": side.rows ?? "–" },
      });
      if (n === 0) continue;
      const label = `${name}, ${times}× / ${worlds[0]!.times}×`;
      const ratio = ratios(wallOf(side), wallOf(sides[0]!));
      const cpuOf = ({ timings }: Side) => timings.map(({ cpuSeconds }) => cpuSeconds);
      grown[label] = ratio;
      grown[`${label}, CPU`] = ratios(cpuOf(side), cpuOf(sides[0]!));
      goals.push({ text: `${label}: at most ${MOST}`, reached: ratio.median.toFixed(2), met: ratio.median <= MOST });
    }
  }
  const told = {
    times: worlds.map(({ times }) => times).join(),
    "alerts in the smallest": sizes.objects * ALERTS_PER_OBJECT,
  };
  return { name: "growth", sizes: { ...sizes, ...told }, rows, ratios: grown, goals };
}
