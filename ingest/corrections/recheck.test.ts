// Filters run again over corrected alerts, on a real archive: what is withdrawn and added, and what is not theirs to say; what
// is still on its way, and what was begun before a restart.
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Filter } from "../../domain/filter.js";
import type { Viewer } from "../../domain/viewer.js";
import { createActiveFilters } from "../../filters/active.js";
import { fieldsOfSurveys } from "../../filters/fields.js";
import { type ArchiveStores, createArchiveStores } from "../../stores/archive/stores.js";
import { ANY_CORRECTION, type CorrectedAlert } from "../../stores/corrections.store.js";
import { startTestArchive, type TestArchive } from "../../test/archive.js";
import { type TestAlert, testBatch, testHashes, testLocations, testSurvey } from "../../test/batches.js";
import { until } from "../../test/until.js";
import { createRecheck } from "./recheck.js";
import { createTeller } from "./teller.js";

const SURVEY = testSurvey("ZTF");
const OWNER: Viewer = { scope: "owner", programids: new Map([["ZTF", "all"]]), mayChange: true };
const RECEIPT = { survey: "ZTF", read: 0, stored: 1, duplicates: 0, deadLetters: 0, hits: 0, steps: {} };
const START = 2_460_000.5;

/** Alerts of even number lie where the filter looks. */
const alert = (n: number): TestAlert => ({
  ...{ candid: BigInt(n), objectId: `o${n}`, jd: START + n, ra: n % 2 === 0 ? 50 : 150, dec: 0, programid: 1 },
});
const of = ({ objectId, jd, candid }: TestAlert): CorrectedAlert => ({ objectId, jd, candid });
const EARLY = [1, 2, 3, 4].map(alert);
const LATER = [5, 6, 7, 8, 9, 10].map(alert);

let engine: TestArchive;
let stores: ArchiveStores;
let filters: Filter[];
const logged: string[] = [];

async function write(alerts: readonly TestAlert[]): Promise<bigint> {
  const id = stores.batches.begin();
  await stores.alerts.write(id, testBatch(SURVEY, alerts), testHashes(alerts), testLocations(alerts));
  return id;
}
const filter = (id: string, where: string, number: number, createdAt: number): Filter => ({
  ...{ id, name: id, survey: "ZTF", active: true, stream: null },
  versions: [{ number, where, annotations: [], createdAt, changelog: null }],
});

beforeAll(async () => {
  engine = await startTestArchive();
  stores = await createArchiveStores(engine.client, [SURVEY]);
  const first = await write(EARLY);
  await stores.batches.commit(first, RECEIPT);
  const since = Number(first >> 20n) + 1;
  await until("a later batch", () => Date.now() > since);
  filters = [
    filter("places", "ra < 100", 2, since),
    filter("others", "dec > 50", 1, since),
    filter("gone", "count(match.gone) > 0", 1, since),
  ];
  const second = await write(LATER);
  const hit = (filterId: string, filterVersion: number, n: number) => ({
    ...{ filterId, filterVersion, survey: "ZTF", annotations: null, passedAt: 5, programid: 1, ...of(alert(n)) },
  });
  await stores.hits.found(first, [hit("places", 1, 1)]);
  // One that does not pass any more, one that does, one of another filter, and one of a catalog that is gone.
  await stores.hits.found(second, [
    ...[hit("places", 2, 5), hit("places", 2, 6), hit("others", 1, 7), hit("gone", 1, 7), hit("gone", 1, 9)],
  ]);
  await stores.batches.commit(second, RECEIPT);
  await stores.sequence.begin(0);
  await stores.sequence.number([first, second], new Map());
}, 60_000);
afterAll(() => engine?.stop());

function open() {
  const active = createActiveFilters(
    { active: async () => filters, onChange: () => () => {} },
    fieldsOfSurveys([SURVEY]),
  );
  const parts = { ...stores, checks: stores.hitChecks, filters: { active: async () => filters }, active };
  const common = { begin: () => stores.batches.begin(), onTold: () => {} };
  const recheck = createRecheck({
    ...{ ...parts, ...common, mayRun: () => true, isBusy: () => false },
    log: (line) => void logged.push(line),
  });
  const tell = createTeller({ ...parts, ...common });
  return {
    tell: (alerts: readonly TestAlert[], ...reads: string[]) =>
      tell([
        {
          ...{ survey: "ZTF", alerts: alerts.map(of), what: "MATCHES", step: "a test", version: "1" },
          ...{ source: "match.some", scope: null, reads },
        },
      ]),
    async run() {
      recheck.nudge();
      await recheck.idle();
    },
    close: () => recheck.close(),
  };
}

/** What has been told of hits since. */
async function told(after: bigint): Promise<string[]> {
  while (await stores.corrections.number());
  const page = await stores.corrections.page(OWNER, ANY_CORRECTION, 100, after, null);
  const hits = page.filter(({ filter: one }) => one !== null);
  return hits.map((one) => `${one.what} ${one.filter!.id} ${one.filter!.version} ${one.candid}`).sort();
}

it("withdraws and adds what the version in force was there to find, once", async () => {
  const { tell, run, close } = open();
  const all = [...EARLY, ...LATER];
  await tell(all, "ra");
  await run();
  const expected = ["HIT_ADDED places 2 10", "HIT_ADDED places 2 8", "HIT_WITHDRAWN places 2 5"];
  expect(await told(0n)).toEqual(expected);
  const last = await stores.corrections.lastSeq();
  // Nothing differs from what has been told by now.
  await tell(all, "ra");
  await run();
  expect(await told(last)).toEqual([]);
  const key = { filterId: "places", filterVersion: 2, survey: "ZTF" };
  const changes = await stores.hitChecks.changes([5n, 6n, 8n].map((candid) => ({ ...key, candid })));
  expect(changes.map(({ candid, isWithdrawn, because }) => [candid, isWithdrawn, because])).toEqual([
    [5n, true, "match.some holds something else there"],
    [8n, false, "match.some holds something else there"],
  ]);
  await close();
});

it("withdraws what a filter found by a name that is gone, where that was corrected", async () => {
  const { tell, run, close } = open();
  const last = await stores.corrections.lastSeq();
  await tell([alert(7)], "match.gone");
  await run();
  expect(await told(last)).toEqual(["HIT_WITHDRAWN gone 1 7"]);
  await close();
});

it("goes on after a restart with what was told before it", async () => {
  const before = open();
  const last = await stores.corrections.lastSeq();
  // Told, and nobody looked.
  await before.tell([alert(9)], "match.gone");
  await before.close();
  const { run, close } = open();
  await run();
  expect(await told(last)).toEqual(["HIT_WITHDRAWN gone 1 9"]);
  await close();
});

it("waits for alerts that are still on their way", async () => {
  const { tell, run, close } = open();
  const last = await stores.corrections.lastSeq();
  const batch = await write([alert(12)]);
  await tell([alert(12)], "ra");
  await run();
  expect(await told(last)).toEqual([]);
  expect(await stores.hitChecks.pending(10)).toHaveLength(1);
  // Its filter has found nothing, though it passes.
  await stores.batches.commit(batch, RECEIPT);
  await run();
  expect(await told(last)).toEqual(["HIT_ADDED places 2 12"]);
  expect(await stores.hitChecks.pending(10)).toEqual([]);
  await close();
  expect(logged).toEqual([]);
});

it("does not look at alerts of which no filter reads what has changed, but tells of them", async () => {
  const { tell, close } = open();
  const last = await stores.corrections.lastSeq();
  await tell([alert(2)], "feature");
  expect(await stores.hitChecks.pending(10)).toEqual([]);
  while (await stores.corrections.number());
  const [one] = await stores.corrections.page(OWNER, ANY_CORRECTION, 10, last, null);
  expect(one).toMatchObject({ what: "MATCHES", candid: 2n, filter: null });
  await close();
});
