// Watch lists, areas and sky maps on a real archive: uploaded, in force at once, marking live alerts and those of the past;
// filters that read them live and in backtests; replaced, retracted, removed; lists that cannot be used.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AlertBatch } from "../../domain/alert.js";
import type { Mark, WatchedPositions } from "../../domain/mark.js";
import { circleMoc } from "../../domain/moc.shapes.js";
import type { ReadSkymap } from "../../domain/skymap.fits.js";
import { levelsOf } from "../../domain/skymap.js";
import type { Viewer } from "../../domain/viewer.js";
import { checkCondition } from "../../filters/check.js";
import { compileCondition } from "../../filters/compile.js";
import { evaluate } from "../../filters/evaluate.js";
import { fieldsOfSurveys } from "../../filters/fields.js";
import { createInFlightQuery } from "../../stores/archive/inflight.js";
import { type ArchiveStores, createArchiveStores } from "../../stores/archive/stores.js";
import { startTestArchive, type TestArchive } from "../../test/archive.js";
import { type TestAlert, testBatch, testHashes, testLocations, testSurvey } from "../../test/batches.js";
import { createMarkChanges } from "../corrections/marks.js";
import type { Change } from "../corrections/teller.js";
import { createMarks } from "../enrich/marks.js";
import { Desk } from "./desk.js";
import { type MarksOverStores, marksOver } from "./marks.fixture.js";
import { markOperands } from "./operands.js";
import { pastKey } from "./past.js";
import { uploadedPositions } from "./upload.js";

const SURVEY = testSurvey("ZTF");
const OWNER: Viewer = { scope: "owner", programids: new Map([["ZTF", "all"]]), mayChange: true };
const OTHER: Viewer = { scope: "somebody", programids: new Map([["ZTF", "all"]]), mayChange: true };
const START = 2460000.5;

const alert = (n: number, ra: number, dec: number, jd = START + n / 100): TestAlert => ({
  ...{ candid: 1000n + BigInt(n), objectId: `o${n % 9}`, jd, ra, dec },
});
/** On a meridian, 0.01 degrees apart, across the equator; number 50 on the pole. */
const PAST = Array.from({ length: 100 }, (_, n) => (n === 50 ? alert(n, 0, 90) : alert(n, 150, (n - 50) / 100)));
const LIVE = Array.from({ length: 100 }, (_, n) => ({
  ...PAST[n]!,
  candid: 5000n + BigInt(n),
  jd: START + 10 + n / 100,
}));

let archive: TestArchive;
let stores: ArchiveStores;
let marks: MarksOverStores;
let held: MarksOverStores["held"];
let desk: MarksOverStores["desk"];
let past: MarksOverStores["past"];

async function write(
  alerts: readonly TestAlert[],
  enrich?: (batch: AlertBatch) => Promise<AlertBatch>,
): Promise<AlertBatch> {
  const id = stores.batches.begin();
  const bare = testBatch(SURVEY, alerts);
  const batch = enrich === undefined ? bare : await enrich(bare);
  await stores.alerts.write(id, batch, testHashes(alerts), testLocations(alerts));
  const receipt = { survey: "ZTF", read: 0, stored: 0, duplicates: 0, deadLetters: 0, hits: 0, steps: {} };
  await stores.batches.commit(id, receipt);
  return batch;
}

const list = (...rows: [string, number, number, number][]): WatchedPositions => ({
  names: rows.map(([name]) => name),
  ra: Float64Array.from(rows, (row) => row[1]),
  dec: Float64Array.from(rows, (row) => row[2]),
  radiusArcsec: Float32Array.from(rows, (row) => row[3]),
});
async function* blocks(...all: WatchedPositions[]): AsyncGenerator<WatchedPositions> {
  yield* all;
}
const lines = (text: string, survey: string | null = null) =>
  uploadedPositions(
    (async function* () {
      yield Buffer.from(text);
    })(),
    { radiusArcsec: 3, survey },
    OWNER,
    stores.objects,
  );

async function flatMap(start: [bigint, bigint, number][]): Promise<ReadSkymap> {
  const map = await levelsOf({
    start: BigUint64Array.from(start, ([from]) => from),
    end: BigUint64Array.from(start, ([, to]) => to),
    density: Float64Array.from(start, ([, , density]) => density),
  });
  return { ...map, header: { event: "S1", jd: START + 5, distanceMpc: null, distanceErrorMpc: null } };
}
/** Ten times as likely in the base face that holds the meridian than in each of the eleven others. */
const skymap = () => {
  const face = 2n ** 58n;
  const area = (4 * Math.PI) / 12;
  return flatMap(
    Array.from({ length: 12 }, (_, n) => [BigInt(n) * face, BigInt(n + 1) * face, (n === 6 ? 10 : 1) / 21 / area]),
  );
};

const fieldsOf = () => fieldsOfSurveys([SURVEY], [markOperands(stores.marks.registry)])("ZTF");
const compiled = (text: string) => {
  const { typed, problems } = checkCondition(text, fieldsOf());
  if (!typed) throw new Error(problems[0]!.message);
  return compileCondition(typed);
};
async function passLive(batch: AlertBatch, text: string): Promise<bigint[]> {
  const condition = compiled(text);
  const { columns } = await evaluate(createInFlightQuery(archive.client), batch.alerts, [condition], null);
  const candids = batch.alerts.columns.get("candid")!.values as BigInt64Array;
  return [...candids].filter((_, row) => columns.get(condition.sql)!.values[row] === 1);
}
async function passArchived(text: string, startJd: number, endJd: number): Promise<bigint[]> {
  const window = { survey: "ZTF", startJd, endJd };
  const page = await stores.backtest.run(OWNER, window, [compiled(text)], { first: 1000, after: null, counted: false });
  return page.keys.map(({ candid }) => candid);
}
const near = (candids: readonly bigint[], from: bigint) =>
  candids.map((candid) => Number(candid - from)).sort((a, b) => a - b);

beforeAll(async () => {
  archive = await startTestArchive();
  stores = await createArchiveStores(archive.client, [SURVEY]);
  await write(PAST);
  marks = marksOver(stores);
  ({ desk, held, past } = marks);
}, 60_000);
afterAll(async () => {
  await marks?.close();
  await archive?.stop();
});

describe("marks", () => {
  let live: AlertBatch;

  it("are in force when they are given, for live alerts and for filters", async () => {
    const positions = list(
      ["five", 150, 0.0505, 5],
      ["wide", 150, 0.1, 50],
      ["pole", 77, 90, 1],
      ["none", 10, 10, 300],
    );
    const made = await desk.putList(OWNER, { name: "mine", description: "a test" }, blocks(positions));
    expect(made).toMatchObject({
      kind: "WATCH_LIST",
      size: 4,
      revision: 1,
      isShared: false,
      state: "ACTIVE",
      scope: "owner",
    });
    await desk.putArea(OWNER, { name: "strip" }, circleMoc(150, -0.2, 0.055));
    const map = await desk.putSkymap(OWNER, { name: "s1", daysBefore: 1, daysAfter: 5.5 }, await skymap());
    expect(map.skymap).toMatchObject({ event: "S1", jd: START + 5, startJd: START + 4, endJd: START + 10.5 });
    // 10 of 21 parts in one face: 50 % needs all others, which are equal, so the whole sky.
    expect(map.skymap!.area90).toBeCloseTo(41252.96, 1);
    live = await write(LIVE, (batch) => createMarks(held).run(batch));
    expect(near(await passLive(live, "count(watch.mine) > 0"), 5000n)).toEqual([50, 55, 59, 60, 61]);
    expect(near(await passLive(live, "has(watch.mine, name = 'wide' and separationArcsec < 20)"), 5000n)).toEqual([60]);
    const inStrip = near(await passLive(live, "area.strip"), 5000n);
    expect(inStrip).toEqual(expect.arrayContaining([25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35]));
    expect(inStrip.length).toBeLessThan(13);
    const inFace = near(await passLive(live, "skymap.s1 < 0.6"), 5000n);
    expect(inFace).toEqual(Array.from({ length: 50 }, (_, n) => n));
    // Number 50, on the pole, is of the end of the window, which is none of it.
    expect(LIVE[50]!.jd).toBe(map.skymap!.endJd);
    expect(near(await passLive(live, "skymap.s1 >= 0"), 5000n)).toEqual(Array.from({ length: 50 }, (_, n) => n));
  });

  it("hold of the past what they hold live, and say how far they are", async () => {
    await past.idle();
    const [begin, between, end] = [START, START + 5, START + 20];
    for (const text of [
      "watch.mine",
      "count(watch.mine) > 0",
      "area.strip",
      "has(watch.mine, separationArcsec < 20)",
    ]) {
      const ofLive = near(await passLive(live, text), 5000n);
      expect(ofLive.length).toBeGreaterThan(0);
      expect(near(await passArchived(text, begin, between), 1000n)).toEqual(ofLive);
      expect(near(await passArchived(text, between, end), 5000n)).toEqual(ofLive);
    }
    for (const text of ["skymap.s1 < 0.6", "skymap.s1 >= 0", "not area.strip", "not watch.mine"]) {
      expect(near(await passArchived(text, between, end), 5000n)).toEqual(near(await passLive(live, text), 5000n));
    }
    // Before the window of the sky map.
    expect(await passArchived("skymap.s1 >= 0", begin, between)).toEqual([]);
    const mine = desk.get(OWNER, "WATCH_LIST", "mine")!;
    const [progress] = await stores.rematches.rematches([pastKey(mine)]);
    expect(progress).toMatchObject({ complete: true });
    const page = await stores.marks.marked.page(mine.content, "ZTF", 3, null);
    expect(page.map(({ candid }) => candid)).toEqual([5061n, 5060n, 5059n]);
    expect(page[1]!.positions).toMatchObject([{ name: "wide", ra: 150, dec: 0.1 }]);
    const next = await stores.marks.marked.page(mine.content, "ZTF", 100, page[2]!);
    expect(next.map(({ candid }) => candid)).toEqual([5055n, 5050n, 1061n, 1060n, 1059n, 1055n, 1050n]);
  });

  it("are replaced: the past is marked by the new content, and nothing of the old one stays", async () => {
    const before = desk.get(OWNER, "WATCH_LIST", "mine")!;
    const after = await desk.putList(OWNER, { name: "mine" }, blocks(list(["two", 150, -0.4, 10])));
    expect(after).toMatchObject({ id: before.id, revision: 2, size: 1, description: "a test" });
    await past.idle();
    expect(near(await passArchived("count(watch.mine) > 0", START, START + 5), 1000n)).toEqual([10]);
    // First it is told what that changes, each alert once that either of the two holds.
    const told: Change[] = [];
    const changes = createMarkChanges({
      ...{ marks: stores.marks, rematches: stores.rematches, surveys: ["ZTF"], mayRun: () => true, log: () => {} },
      tell: async (some) => void told.push(...some),
    });
    changes.nudge();
    await changes.idle();
    await changes.close();
    const held = [55, 50, 61, 60, 59].flatMap((n) => [1000n + BigInt(n), 5000n + BigInt(n)]);
    expect(told.flatMap(({ alerts }) => alerts.map(({ candid }) => candid)).sort()).toEqual(
      [1010n, 5010n, ...held].sort(),
    );
    expect(told[0]).toMatchObject({ what: "MARKS", source: "watch.mine", scope: "owner", reads: ["watch.mine"] });
    await expect.poll(() => stores.marks.marked.page(before.content, "ZTF", 3, null)).toEqual([]);
  });

  it("are somebody's: private ones are not seen, shared ones not changed", async () => {
    expect(desk.get(OTHER, "WATCH_LIST", "mine")).toBeNull();
    await desk.change(OWNER, "WATCH_LIST", "mine", { isShared: true });
    expect(desk.get(OTHER, "WATCH_LIST", "mine")).not.toBeNull();
    await expect(desk.remove(OTHER, "WATCH_LIST", "mine")).rejects.toMatchObject({ code: "NOT_ALLOWED" });
    const positions = blocks(list(["x", 1, 1, 1]));
    await expect(desk.putList(OTHER, { name: "mine" }, positions)).rejects.toMatchObject({ code: "NOT_ALLOWED" });
    await expect(desk.remove(OWNER, "AREA", "mine")).rejects.toMatchObject({ code: "UNKNOWN_MARK" });
  });

  it("are renamed and keep what they marked", async () => {
    const renamed = await desk.change(OWNER, "WATCH_LIST", "mine", { name: "ours" });
    expect(renamed.name).toBe("ours");
    expect(near(await passArchived("count(watch.ours) > 0", START, START + 5), 1000n)).toEqual([10]);
    expect(() => compiled("count(watch.mine) > 0")).toThrow("watch.mine");
  });

  it("mark nothing once retracted, and filters that read them go on; removed, they are no names any more", async () => {
    expect(await desk.retract(OWNER, "s1")).toMatchObject({ state: "RETRACTED" });
    const again = await createMarks(held).run(testBatch(SURVEY, LIVE));
    expect(again.alerts.columns.has("skymap.s1")).toBe(false);
    expect(await passArchived("skymap.s1 >= 0", START, START + 20)).toEqual([]);
    expect(await passArchived("skymap.s1 < 0.5 or candid = 5003", START, START + 20)).toEqual([5003n]);
    await desk.remove(OWNER, "AREA", "strip");
    expect(() => compiled("area.strip")).toThrow("area.strip");
    const events = await stores.marks.registry.events(null, 100);
    expect(events.map(({ name, state, revision }) => `${name} ${state} ${revision}`)).toEqual([
      "mine ACTIVE 1",
      "strip ACTIVE 1",
      "s1 ACTIVE 1",
      "mine ACTIVE 2",
      "mine ACTIVE 2",
      "ours ACTIVE 2",
      "s1 RETRACTED 1",
      "strip REMOVED 1",
    ]);
  });
});

describe("uploaded lists", () => {
  async function read(text: string, survey: string | null = null): Promise<WatchedPositions> {
    for await (const block of lines(text, survey)) return block;
    throw new Error("no block");
  }

  it("are tables, plain lines in both orders, sexagesimal or names of objects", async () => {
    const table = await read("id,RA,Dec,radius_arcsec\na,10.5,-20,7\nb,11,21,\n");
    expect(table).toEqual(list(["a", 10.5, -20, 7], ["b", 11, 21, 3]));
    expect(await read("a, 10.5, -20\nb, 11, 21\n")).toEqual(list(["a", 10.5, -20, 3], ["b", 11, 21, 3]));
    expect(await read("10.5|-20|a|4\n11|21|b|5\n")).toEqual(list(["a", 10.5, -20, 4], ["b", 11, 21, 5]));
    expect(await read("x,10:00:00,-20:30:00\n")).toEqual(list(["x", 150, -20.5, 3]));
    expect(await read("x,10h00m00s,-20d30m00s\n")).toEqual(list(["x", 150, -20.5, 3]));
    expect(await read("x,10 00 00,-20 30 00\n")).toEqual(list(["x", 150, -20.5, 3]));
    // Names that are numbers: a line that can be read in one order only decides.
    const numbered = list(["17", 10.5, -20, 3], ["418", 211, 21, 3]);
    expect(await read("10.5,-20,17\n211,21,418\n")).toEqual(numbered);
    expect(await read("17,10.5,-20\n418,211,21")).toEqual(numbered);
    await expect(read("10.5,20,17\n11,21,18\n")).rejects.toThrow("name, ra, dec as well as ra, dec, name");
    await expect(read("10.5 -20\n")).rejects.toThrow("without a comma");
    // A magnitude in r is no radius.
    const magnitudes = await read("name,RAdeg,DEdeg,g,r\nx,10.5,-20,18.2,17.9\n");
    expect(magnitudes).toEqual(list(["x", 10.5, -20, 3]));
    expect(await read("o5\no6\n", "ZTF")).toMatchObject({ names: ["o5", "o6"], ra: Float64Array.of(150, 150) });
    const xml = `<?xml version="1.0"?><VOTABLE version="1.4" xmlns="http://www.ivoa.net/xml/VOTable/v1.3"><RESOURCE><TABLE>
      <FIELD name="main_id" datatype="char" arraysize="*"/><FIELD name="RAJ2000" datatype="double" unit="deg"/>
      <FIELD name="DEJ2000" datatype="double" unit="deg"/><DATA><TABLEDATA>
      <TR><TD>M31</TD><TD>10.684</TD><TD>41.269</TD></TR></TABLEDATA></DATA></TABLE></RESOURCE></VOTABLE>`;
    expect(await read(xml)).toEqual(list(["M31", 10.684, 41.269, 3]));
    const [inUnits, inParsec] = ["arcmin", "pc"].map((unit) =>
      read(`<?xml version="1.0"?><VOTABLE version="1.4" xmlns="http://www.ivoa.net/xml/VOTable/v1.3"><RESOURCE><TABLE>
      <FIELD name="ra" datatype="double" unit="h"/><FIELD name="dec" datatype="double" unit="deg"/>
      <FIELD name="radius" datatype="double" unit="${unit}"/>
      <DATA><TABLEDATA><TR><TD>10</TD><TD>-20</TD><TD>0.5</TD></TR></TABLEDATA></DATA></TABLE></RESOURCE></VOTABLE>`),
    );
    expect(await inUnits).toEqual(list(["1", 150, -20, 30]));
    await expect(inParsec).rejects.toThrow("The column radius is in pc");
  });

  it.each([
    ["a,10,95\n", "Position 1: dec must be from -90 to 90, found 95"],
    ["a,361,5\n", "Position 1: ra must be degrees"],
    ["name,ra,dec\na,1,2\nb,,3\n", "Position 2: ra must be degrees"],
    ["a,1,2,301\n", "at most 300 arcsec, found 301"],
    ["a,1,2,0\n", "above 0"],
    [`${"x".repeat(101)},1,2\n`, "at most 100 characters"],
    ["o5\nnobody\n", "Line 2: there is no object ZTF nobody"],
    ["foo,bar\n1,2\n", "columns ra and dec"],
    ["", "no positions"],
    [
      `name,ra,dec\n${"same,10,10\n".repeat(1_000)}`,
      "1000 positions stand within about 3 arcsec of each other near ra 10.000, dec 10.000; at most 200",
    ],
  ])("are refused where they cannot be used: %.30s", async (text, message) => {
    await expect(desk.putList(OWNER, { name: "bad" }, lines(text, "ZTF"))).rejects.toThrow(message);
    expect(desk.get(OWNER, "WATCH_LIST", "bad")).toBeNull();
  });

  it("that come slowly hold up nobody else's changes", async () => {
    let arrive = () => {};
    const arrived = new Promise<void>((resolve) => {
      arrive = resolve;
    });
    const slow = desk.putList(
      OWNER,
      { name: "slow" },
      (async function* () {
        await arrived;
        yield list(["late", 10, 10, 3]);
      })(),
    );
    await desk.putList(OWNER, { name: "quick" }, blocks(list(["soon", 20, 20, 3])));
    await desk.remove(OWNER, "WATCH_LIST", "quick");
    expect(desk.get(OWNER, "WATCH_LIST", "slow")).toBeNull();
    arrive();
    expect((await slow).size).toBe(1);
    await desk.remove(OWNER, "WATCH_LIST", "slow");
  });

  it("need a name that filters can write", async () => {
    for (const name of ["", "a b", "1a", "a.b", "x".repeat(65)]) {
      await expect(desk.putList(OWNER, { name }, lines("a,1,2\n"))).rejects.toMatchObject({ code: "BAD_ARGUMENT" });
    }
  });
});

it("changes of other processes are heard of", async () => {
  const elsewhere = await createArchiveStores(archive.client, [SURVEY]);
  const heard: Promise<void> = new Promise((resolve) => {
    stores.marks.registry.onChange(() => resolve());
  });
  const stop = stores.marks.registry.follow();
  const there = new Desk({ stores: elsewhere.marks, held: null });
  const made: Mark = await there.putList(OWNER, { name: "afar" }, blocks(list(["one", 150, 0.3, 5])));
  await heard;
  stop();
  await held.settled();
  expect(desk.get(OWNER, "WATCH_LIST", "afar")).toEqual(made);
  const batch = await createMarks(held).run(testBatch(SURVEY, LIVE));
  expect(near(await passLive(batch, "count(watch.afar) > 0"), 5000n)).toEqual([80]);
});
