// Whose eyes, on every route: what an anonymous caller is answered by a service with partnership data is, to the letter,
// what it is answered by one that never had any; and no answer holds anything of the partnership's.
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import {
  buildSchema,
  type GraphQLSchema,
  isObjectType,
  parse,
  TypeInfo,
  validate,
  visit,
  visitWithTypeInfo,
} from "graphql";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import WebSocket from "ws";
import { type Caller, caller } from "./callers.js";
import { startCursor } from "./follower.js";
import { CHANGED, CHANGES, changeEnriched, prepareEnriched, questions } from "./rights.enriched.js";
import {
  HIDDEN,
  LAST_CANDID,
  lastFile,
  PUBLIC,
  publicFile,
  RUBIN,
  rubinFile,
  SECRETS,
  wholeFile,
} from "./rights.world.js";
import { startTestService, type TestService } from "./service.js";
import { until } from "./until.js";

const TOKEN = "token-of-the-rights-test";
/** Everything is asked within a minute or two, by few addresses. */
const QUOTAS = {
  REQUESTS_PER_MINUTE: "100000",
  COST_PER_MINUTE: "100000000",
  TOKEN_REQUESTS_PER_MINUTE: "100000",
  TOKEN_COST_PER_MINUTE: "100000000",
};
const FORWARDED = { "x-forwarded-for": "203.0.113.7" };
const schema = buildSchema(readFileSync(resolve(import.meta.dirname, "../docs/schema.graphql"), "utf8"));

const ALERT = `fragment A on Alert { survey candid objectId time jd ra dec band magnitude magnitudeError flux fluxError
  isPositive class solarSystemName programid packet cutouts { science template difference } object { objectId alertCount } }`;
const PAGE = "pageInfo { hasNextPage endCursor }";
const OBJECT = `fragment O on SkyObject { survey objectId ra dec firstSeen lastSeen alertCount latestAlert { ...A }
  alerts(first: 10) { edges { cursor node { ...A } } ${PAGE} }
  lightCurve {
    detections { candid time jd band magnitude magnitudeError flux fluxError isPositive }
    nonDetections { time jd band limitingMagnitude }
    forced { time jd band flux fluxError zeroPoint } }
  counterparts { separationArcsec object { survey objectId ra dec alertCount lastSeen } } }`;
const HIT = `cursor filterId filterVersion passedAt annotations withdrawnAt withdrawnBecause alert { ...A object { ...O } }`;
const FILTER = `fragment F on Filter { id name survey active stream { format topic } version { ...V } versions { ...V } }
  fragment V on FilterVersion { number where annotations { name expression } createdAt changelog }`;
const LIVE = `subscription ($f: [ID!]!, $after: String) { filterHits(filterIds: $f, after: $after) { ${HIT} } } ${ALERT} ${OBJECT}`;

const alerts = (where: string) =>
  `{ alerts(first: 50, where: ${where}) { edges { cursor node { ...A object { ...O } } } ${PAGE} } } ${ALERT} ${OBJECT}`;
const at = ({ ra, dec }: { ra: number; dec: number }, radiusArcsec: number) =>
  `ra: ${ra}, dec: ${dec}, radiusArcsec: ${radiusArcsec}`;
const cone = (place: { ra: number; dec: number }, radius: number, more = "") =>
  `{ coneSearch(${at(place, radius)} ${more}) { edges { cursor separationArcsec node { ...O } } ${PAGE} } } ${ALERT} ${OBJECT}`;

type Ask = (query: string, variables?: object) => Promise<unknown>;
interface Row {
  readonly name: string;
  run(ask: Ask, filterIds: readonly string[]): Promise<unknown>;
  /** Of the partnership's, what the owner is told: else the row would prove nothing. */
  readonly ownerSees?: string;
  /** The owner changes both services, so that they stay alike. */
  readonly changes?: true;
  /** What an anonymous caller is told, where it is an error. */
  readonly refused?: string;
}
const row = (name: string, query: string, ownerSees?: string): Row => ({
  name,
  run: (ask) => ask(query),
  ...(ownerSees !== undefined && { ownerSees }),
});
const alertOf = (candid: bigint) =>
  `{ alert(survey: ZTF, candid: "${candid}") { ...A fields(names: ["rb", "ndethist", "magpsf"]) object { ...O } } } ${ALERT} ${OBJECT}`;
const objectOf = (survey: string, id: string | bigint) =>
  `{ object(survey: ${survey}, objectId: "${id}") { ...O } } ${ALERT} ${OBJECT}`;
/** UTC date of the hidden alerts and of most public ones. */
const NIGHT = "20251121";
const SUMS = "received stored duplicates deadLetters adds";
/** Around every alert. */
const WINDOW = `{ start: "JD ${HIDDEN.jd - 3_000}", end: "JD ${HIDDEN.jd + 3_000}" }`;
const explain = (candid: bigint) =>
  `{ explain(survey: ZTF, candid: "${candid}", where: "magpsf < 14 and has(detections, magpsf < 13.9)") {
    passes clauses { text line column passes values } } }`;
const latestDec = String(HIDDEN.latestPlace.dec).slice(0, 9);

const ROWS: readonly Row[] = [
  row("a public alert: its packet's history, its object", alertOf(PUBLIC.candid), "4321.5"),
  row("a public alert of an object that has others too", alertOf(PUBLIC.mixedCandid), "13.0625"),
  row("a partnership alert", alertOf(HIDDEN.candid), "13.0625"),
  row("a Caltech alert", alertOf(HIDDEN.candid + 1n), HIDDEN.objectId),
  row("the partnership's latest alert of a public object", alertOf(HIDDEN.latestCandid), "13.0625"),
  row("alerts of a survey", alerts("{ survey: ZTF }"), HIDDEN.objectId),
  row("alerts of a hidden object", alerts(`{ objectId: "${HIDDEN.objectId}" }`), "77700"),
  row("alerts of a mixed object", alerts(`{ objectId: "${PUBLIC.mixedId}" }`), "77700"),
  row("alerts at a hidden place", alerts(`{ cone: { ${at(HIDDEN.place, 60)} } }`), HIDDEN.objectId),
  row("alerts at the hidden latest place", alerts(`{ cone: { ${at(HIDDEN.latestPlace, 1)} } }`), "77700"),
  row(
    "alerts at a hidden place, as people write it",
    alerts(`{ coneAt: { position: "${HIDDEN.place.ra} ${HIDDEN.place.dec}", radiusArcsec: 60 } }`),
    HIDDEN.objectId,
  ),
  row("alerts of a hidden time", alerts(`{ time: { start: "JD ${HIDDEN.jd - 0.001}", minutes: 5 } }`), HIDDEN.objectId),
  row("alerts of a class", alerts(`{ class: "solar-system" }`), HIDDEN.objectId),
  row("alerts by a designation", alerts(`{ solarSystemName: "${HIDDEN.solarSystemName}" }`), HIDDEN.objectId),
  {
    name: "alerts page by page",
    run: (ask) =>
      walk(
        ask,
        (after) =>
          `{ alerts(first: 1, after: ${after}, where: { survey: ZTF }) { edges { cursor node { candid } } ${PAGE} } }`,
      ),
    ownerSees: "77700",
  },
  row("a public object", objectOf("ZTF", PUBLIC.objectId), "13.5625"),
  row("a hidden object", objectOf("ZTF", HIDDEN.objectId), HIDDEN.objectId),
  row("a mixed object: place, times, count, latest alert, counterparts", objectOf("ZTF", PUBLIC.mixedId), latestDec),
  row("a mixed object's counterpart", objectOf("LSST", RUBIN.nearHidden), PUBLIC.mixedId),
  row("a public object's counterpart", objectOf("LSST", RUBIN.nearPublic)),
  row("a hidden object's counterpart", objectOf("LSST", RUBIN.nearHiddenObject), HIDDEN.objectId),
  row(
    "objects by their ids",
    `{ objects(survey: ZTF, objectIds: ["${PUBLIC.mixedId}", "${HIDDEN.objectId}", "${PUBLIC.objectId}"]) { ...O } } ${ALERT} ${OBJECT}`,
    HIDDEN.objectId,
  ),
  {
    name: "an object's alerts page by page",
    run: (ask) =>
      walk(
        ask,
        (after) =>
          `{ object(survey: ZTF, objectId: "${PUBLIC.mixedId}") { alerts(first: 1, after: ${after}) { edges { cursor node { candid } } ${PAGE} } } }`,
      ),
    ownerSees: "77700",
  },
  row("a cone at a hidden place", cone(HIDDEN.place, 36_000), HIDDEN.objectId),
  row("a cone at a place that is the latest for the owner", cone(HIDDEN.latestPlace, 1, ", survey: ZTF"), latestDec),
  row("a cone at a place that is the latest for anybody", cone(PUBLIC.mixedPlace, 1)),
  row(
    "a cone at a hidden place, as people write it",
    `{ coneSearchAt(position: "${HIDDEN.place.ra} ${HIDDEN.place.dec}", radiusArcsec: 60) { edges { node { ...O } } } } ${ALERT} ${OBJECT}`,
    HIDDEN.objectId,
  ),
  {
    name: "a cone page by page",
    run: (ask) =>
      walk(
        ask,
        (after) =>
          `{ coneSearch(${at(PUBLIC.mixedPlace, 3_600)}, first: 1, after: ${after}) { edges { cursor separationArcsec node { objectId ra dec } } ${PAGE} } }`,
      ),
    ownerSees: latestDec,
  },
  {
    name: "hits of a filter that passes all",
    run: (ask, [all]) => ask(hitsOf, { f: [all] }),
    ownerSees: "77700",
  },
  {
    name: "hits of a filter that passes hidden alerts only",
    run: (ask, [, bright]) => ask(hitsOf, { f: [bright] }),
    ownerSees: "77700",
  },
  {
    name: "hits page by page",
    run: (ask, filterIds) =>
      walk(
        (query) => ask(query, { f: filterIds }),
        (after) =>
          `query ($f: [ID!]!) { hits(filterIds: $f, first: 1, after: ${after}) { edges { cursor node { alert { candid } } } ${PAGE} } }`,
      ),
    ownerSees: "77700",
  },
  {
    name: "a filter and the list of them",
    run: async (ask, [all]) => [
      await ask(`query ($id: ID!) { filter(id: $id) { ...F } } ${FILTER}`, { id: all }),
      await ask(`{ filters { edges { cursor node { ...F } } ${PAGE} } } ${FILTER}`),
    ],
  },
  row("names for filters", "{ filterFields(survey: ZTF) { name type unit description } }"),
  row(
    "a filter's check",
    `{ checkFilter(survey: ZTF, where: "magpsf < candid") { ok errors { message line column } warnings { message line column } fieldsRead } }`,
  ),
  row(
    "a filter's measures",
    `{ checkFilter(survey: ZTF, where: "magpsf < 14 and ndethist >= 0") { alertsPerNight cost { milliseconds medians limit }
      funnel(nights: 10) { nights { night alerts } scanned oneOf passed perNight
        clauses { text line column remaining removes removesAlone note } } } }`,
    '"passed":"',
  ),
  row("example filters", "{ filterExamples(survey: ZTF) { name title description where } }"),
  row(
    "a backtest",
    `{ backtest(survey: ZTF, where: "magpsf < 30", window: ${WINDOW}, annotations: [{ name: "mag", expression: "magpsf" }]) {
      scanned passed nights { night scanned passed } edges { cursor annotations node { candid objectId } } ${PAGE} } }`,
    "77700",
  ),
  row(
    "a backtest over histories",
    `{ backtest(survey: ZTF, where: "count(detections) > 0 and has(detections, magpsf < 14)", window: ${WINDOW}) {
      scanned passed edges { node { candid } } } }`,
    "77700",
  ),
  row(
    "what a new text changes",
    `{ filterDifference(input: { survey: ZTF, from: "magpsf < 14", to: "magpsf >= 14" }, window: ${WINDOW}) { from to
      gained { scanned passed edges { node { candid } } } lost { scanned passed edges { node { candid } } } } }`,
    "77700",
  ),
  row("alerts that match", alerts(`{ survey: ZTF, matches: "magpsf < 14" }`), "77700"),
  row("why a public alert passes", explain(PUBLIC.mixedCandid), '"passes"'),
  { ...row("why a hidden alert passes", explain(HIDDEN.candid), '"passes"'), refused: "NOT_FOUND" },
  {
    name: "a filter's hits by night",
    run: (ask, [all]) =>
      ask("query ($id: ID!) { filter(id: $id) { hitsPerNight { night version hits } } }", { id: all }),
  },
  row(
    "the models",
    "{ models { name version state suspended slow licence description trainedOn quality surveys outputs classes sha256 } }",
  ),
  row(
    "scores of alerts",
    `{ alerts(first: 50, where: { survey: ZTF }) { edges { node { candid scores(shadow: true) {
      model version outputs class inputHash reason shadow } } } } }`,
    "77700",
  ),
  row(
    "microlensing fits",
    `{ alerts(first: 20, where: { survey: ZTF }) { edges { node { candid object { microlensing {
      candidate failedCuts t0 t0Error tE tEError u0 u0Error magnification points chi2 degreesOfFreedom chi2Constant
      chi2Asymmetric bands { band sourceFlux baseline chi2 points } } } } } } }`,
  ),
  row(
    "a body of the solar system",
    `{ solarSystemObject(survey: ZTF, name: "${HIDDEN.solarSystemName}") { survey name lastSeen
      alerts(first: 10) { edges { node { candid objectId } } ${PAGE} } } }`,
    HIDDEN.objectId,
  ),
  {
    ...row(
      "a model's state",
      `mutation { setModelState(name: "stampsSim", version: "1", state: RETIRED) { name state } }`,
      "RETIRED",
    ),
    changes: true,
    refused: "NOT_ALLOWED",
  },
  ...questions(schema).map(({ refused, ...question }) => ({
    ...row(question.name, question.query, question.ownerSees),
    ...(refused !== undefined && { refused }),
  })),
  ...CHANGES.map((change): Row => ({ ...change, changes: true, refused: "NOT_ALLOWED" })),
  row("the surveys", "{ surveys { id title bands publicProgramids } }"),
  row("the schema", "{ __schema { types { name fields { name } } } }"),
  {
    ...row(
      "dead letters",
      `{ deadLetters { edges { cursor node { id reason message source position survey receivedAt replayedAt bytesKept } } ${PAGE} } }`,
      "CANDID_CONFLICT",
    ),
    refused: "NOT_ALLOWED",
  },
  {
    ...row(
      "the receipt of a night",
      `{ nightReceipt(survey: ZTF, night: "${NIGHT}") { survey night hits archived sourceCount ${SUMS}
        sources { source partition offsets { first last } gaps { first last } ${SUMS} } unattributed { received } } }`,
      "whole.avro",
    ),
    refused: "NOT_ALLOWED",
  },
  {
    ...row(
      "a replay of dead letters",
      `mutation { replayDeadLetters(where: { reason: "CANDID_CONFLICT" }) { replayed failed stored duplicates reasons } }`,
      "77700",
    ),
    changes: true,
    refused: "NOT_ALLOWED",
  },
  row(
    "how long a hidden alert took, and public ones",
    `{ alert(survey: ZTF, candid: "${HIDDEN.candid}") { clock { ...C } }
      alerts(where: { survey: ZTF }) { edges { node { clock { ...C } } } } }
      fragment C on AlertClock { observedAt emittedAt receivedAt storedAt filteredAt deliveredAt }`,
  ),
  row(
    "how many alerts of a night were delivered",
    `{ latency(survey: ZTF, night: "${NIGHT}") { stage count p50 p90 p99 max } }`,
  ),
  {
    ...row(
      "a new filter",
      `mutation { createFilter(input: { name: "mine", survey: LSST, where: "psfFlux > 0", active: false }) { ...F } } ${FILTER}`,
      "psfFlux",
    ),
    changes: true,
    refused: "NOT_ALLOWED",
  },
  {
    name: "a changed filter",
    run: (ask, [all]) =>
      ask(`mutation ($id: ID!) { updateFilter(id: $id, input: { changelog: "no change" }) { ...F } } ${FILTER}`, {
        id: all,
      }),
    ownerSees: "all of it",
    changes: true,
    refused: "NOT_ALLOWED",
  },
];
const hitsOf = `query ($f: [ID!]!) { hits(filterIds: $f, first: 50) { edges { cursor node { ${HIT} } } ${PAGE} } } ${ALERT} ${OBJECT}`;

/** All pages of a list, one after the other, as they were answered. */
async function walk(ask: Ask, page: (after: string) => string): Promise<unknown[]> {
  const pages: unknown[] = [];
  for (let after = "null"; pages.length < 20; ) {
    const answer = await ask(page(after));
    pages.push(answer);
    const end = /"hasNextPage":true,"endCursor":"([^"]+)"/.exec(JSON.stringify(answer))?.[1];
    if (end === undefined) return pages;
    after = JSON.stringify(end);
  }
  throw new Error("the list has no end");
}

/** One block of AES. */
const HIT_CURSOR = /^[\w-]{21}[AQgw]$/;

/** Of what comes and goes a correction is told only where it was there long enough: that is chance. */
const OF_WHAT_WENT = /^{[^[]*"source":"(match\.gone|(watch|area)\.brief)"/;

/** What differs between two services that were told the same: ids, keys of cursors and times of arrival. */
function comparable(answer: unknown, filterIds: readonly string[]): string {
  let text = JSON.stringify(answer, (_, value: unknown) =>
    Array.isArray(value) ? value.filter((one) => !OF_WHAT_WENT.test(JSON.stringify(one))) : value,
  );
  for (const [i, id] of filterIds.entries()) text = text.replaceAll(id, `filter ${i}`);
  return text
    .replaceAll(/"id":"[\w-]{16,}"/g, '"id":"of a new filter"')
    .replaceAll(
      /"(since|filledAt|passedAt|createdAt|changedAt|startedAt|toldAt|(?:received|stored|filtered|delivered)At)":"[^"]+"/g,
      '"$1":"then"',
    )
    .replaceAll(/"(milliseconds|medians)":[\d.e+-]+/g, '"$1":0')
    .replaceAll(/"(p50|p90|p99|max)":-?[\d.e+-]+/g, '"$1":0')
    .replaceAll(/"(cursor|endCursor)":"([^"]+)"/g, (whole, name, cursor) => {
      if (HIT_CURSOR.test(cursor)) return `"${name}":"of a hit"`;
      const kind = /"(filter|markevent|markedalert)"/.exec(Buffer.from(cursor, "base64url").toString())?.[1];
      return kind === undefined ? whole : `"${name}":"of a ${kind}"`;
    });
}

interface World {
  service: TestService;
  filterIds: string[];
}
let folder: string;
let whole: World;
let bare: World;
/** Before the first hit. */
let start: string;
/** Live results of two owners and two strangers with one document: executions that are shared. */
let live: { results: string[]; stop(): Promise<void> }[];
let listeners: Caller[];

async function file(name: string, bytes: Buffer): Promise<string> {
  await writeFile(join(folder, name), bytes);
  return join(folder, name);
}

async function startWorld(name: string): Promise<World> {
  const service = await startTestService({ DATA_DIR: join(folder, name), TOCSIN_TOKEN: TOKEN, ...QUOTAS });
  const filterIds: string[] = [];
  for (const [filterName, where] of [
    ["all of it", "magpsf < 30"],
    ["bright", "magpsf < 14"],
  ]) {
    const { createFilter } = await service.ask<{ createFilter: { id: string } }>(
      `mutation ($input: CreateFilterInput!) { createFilter(input: $input) { id } }`,
      { input: { name: filterName, survey: "ZTF", where, annotations: [{ name: "mag", expression: "magpsf" }] } },
    );
    filterIds.push(createFilter.id);
  }
  await prepareEnriched(service);
  return { service, filterIds };
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tocsin-rights-"));
  whole = await startWorld("whole");
  bare = await startWorld("bare");
  const { url } = whole.service;
  listeners = [caller(url), caller(url, FORWARDED), caller(url), caller(url, FORWARDED)];
  start = await startCursor(url, whole.filterIds);
  live = listeners.map((each) => each.subscribe(LIVE, { f: whole.filterIds, after: start }));
  const rubin = await file("rubin.avro", rubinFile());
  const last = await file("last.avro", lastFile());
  const [all, open] = [await file("whole.avro", wholeFile()), await file("public.avro", publicFile())];
  expect(await whole.service.ingest(rubin)).toMatchObject({ stored: 3, deadLetters: 0 });
  expect(await whole.service.ingest(all)).toMatchObject({ stored: 7, deadLetters: 0 });
  expect(await whole.service.ingest(last)).toMatchObject({ stored: 1 });
  for (const path of [rubin, open, last]) await bare.service.ingest(path);
  await Promise.all([whole, bare].map(({ service }) => changeEnriched(service)));
  // Dead letters of a partnership packet: the same candid with other content.
  const other = Buffer.from(wholeFile());
  other.write("Tocsin tesT", other.indexOf("Tocsin test"));
  await whole.service.ingest(await file("other.avro", other));
});
afterAll(async () => {
  await Promise.all(live?.map((each) => each.stop()) ?? []);
  await whole?.service.close();
  await bare?.service.close();
  await rm(folder, { recursive: true, force: true });
});

/** Errors of a request, not a field of that name. */
const REFUSAL = /"errors":\[\{"message":"[^"]*","extensions"/;
const secretsIn = (bytes: Buffer | string) => SECRETS.filter((secret) => bytes.includes(secret));
/** The same text with numbers and names that exist nowhere in place of the hidden ones. */
const ghosted = (text: string) => text.replaceAll("77700", "66600").replaceAll(HIDDEN.objectId, "ZTF26nobody");

type Asker = (of: Caller) => Ask;
const overHttp: Asker = (of) => async (query, variables) =>
  JSON.parse((await of.post(query, variables)).body.toString());
const overSocket: Asker = (of) => async (query, variables) => JSON.parse(await of.overSocket(query, variables));

function routes(owner: () => Caller, stranger: () => Caller, bareStranger: () => Caller) {
  test.each(ROWS)("$name", async ({ run, ownerSees, changes, refused }) => {
    for (const asker of [overHttp, overSocket]) {
      const shown = JSON.stringify(await run(asker(owner()), whole.filterIds));
      expect(shown).not.toMatch(REFUSAL);
      if (ownerSees !== undefined) expect(shown).toContain(ownerSees);

      if (changes) await run((query, variables) => bare.service.ask(query, variables), bare.filterIds);

      const asked: string[] = [];
      const ask: Ask = (query, variables) => {
        asked.push(query);
        return asker(stranger())(query, variables);
      };
      const seen = comparable(await run(ask, whole.filterIds), whole.filterIds);
      const alone = comparable(await run(asker(bareStranger()), bare.filterIds), bare.filterIds);
      expect(JSON.parse(seen)).toEqual(JSON.parse(alone));
      if (refused === undefined) expect(seen).not.toMatch(REFUSAL);
      else expect(JSON.parse(seen)).toMatchObject({ errors: [{ extensions: { code: refused } }] });
      expect(secretsIn(seen)).toEqual([]);
      // What is hidden and what does not exist are answered alike.
      const ghost = await run((query, variables) => asker(stranger())(ghosted(query), variables), whole.filterIds);
      if (asked.some((query) => ghosted(query) !== query)) {
        expect(comparable(ghost, whole.filterIds)).toBe(seen);
      }
    }
  });

  describe.each(["science", "template", "difference"])("cutouts: %s", (kind) => {
    test.each(["", ".fits", ".png", "?format=png&stretch=zscale&size=32"])("%s", async (form) => {
      const get = (of: Caller, candid: bigint | string) => of.http("GET", `/cutouts/ZTF/${candid}/${kind}${form}`);
      for (const candid of [HIDDEN.candid, HIDDEN.candid + 1n, HIDDEN.latestCandid]) {
        expect((await get(owner(), candid)).status).toBe(200);
        const hidden = await get(stranger(), candid);
        const absent = await get(stranger(), ghosted(String(candid)));
        expect(hidden.status).toBe(404);
        expect(ghosted(hidden.body.toString())).toBe(absent.body.toString());
      }
      const shown = await get(stranger(), PUBLIC.candid);
      expect(shown.status).toBe(200);
      expect(shown.body.equals((await get(owner(), PUBLIC.candid)).body)).toBe(true);
    });

    test("an ETag of a hidden cutout is no way to know it", async () => {
      const path = `/cutouts/ZTF/${HIDDEN.candid}/${kind}.fits`;
      const sent = await fetch(whole.service.url + path, { headers: { authorization: `Bearer ${TOKEN}` } });
      const etag = sent.headers.get("etag")!;
      expect((await stranger().http("GET", path, null, { "if-none-match": etag })).status).toBe(404);
    });
  });

  test("a replay of hits", async () => {
    const expected = ["all", "public"].map((which) => (which === "all" ? owner() : stranger()));
    const counts: string[][] = [];
    for (const each of expected) {
      const replay = each.subscribe(LIVE, { f: whole.filterIds, after: start });
      await until("the last hit", () => replay.results.some((text) => text.includes(LAST_CANDID)));
      counts.push(replay.results.map((text) => JSON.parse(text).data.filterHits.alert.candid));
      await replay.stop();
      if (each === expected[1]) expect(secretsIn(replay.results.join())).toEqual([]);
    }
    // 8 alerts pass the first filter, 4 of them the second.
    expect(counts[0]).toHaveLength(12);
    expect(counts[1]!.toSorted()).toEqual(
      [PUBLIC.candid, PUBLIC.candid + 10n, PUBLIC.candid + 11n, LAST_CANDID].map(String).toSorted(),
    );
  });

  test("a replay of corrections", async () => {
    const begin = `{ corrections(survey: LSST, where: { objectIds: ["none"] }) { pageInfo { endCursor } } }`;
    const told = async (of: Caller) => {
      const { data } = JSON.parse((await of.post(begin)).body.toString());
      const replay = of.subscribe(CHANGED, { after: data.corrections.pageInfo.endCursor });
      await until("a correction of a public object", () =>
        replay.results.some((text) => text.includes(PUBLIC.mixedId) && text.includes("MARKS")),
      );
      await replay.stop();
      return replay.results;
    };
    const lasting = (results: readonly string[]) => results.filter((text) => !OF_WHAT_WENT.test(text));
    expect(secretsIn((await told(owner())).join())).not.toEqual([]);
    const seen = await told(stranger());
    expect(secretsIn(seen.join())).toEqual([]);
    const alone = lasting(await told(bareStranger())).map((text) => comparable(JSON.parse(text), bare.filterIds));
    expect(lasting(seen).map((text) => comparable(JSON.parse(text), whole.filterIds))).toEqual(alone);
  });

  test.each(["/health", "/metrics", "/", "/page/page.js", "/page/graphiql.js", "/nothing", "/graphql"])(
    "GET %s",
    async (path) => {
      const { status, body } = await stranger().http("GET", path);
      const beside = await bareStranger().http("GET", path);
      expect([status, body.toString()]).toEqual([beside.status, beside.body.toString()]);
    },
  );
}

describe("on loopback, the owner and a caller behind a proxy", () => {
  let owner: Caller;
  let stranger: Caller;
  let bareStranger: Caller;
  beforeAll(() => {
    owner = caller(whole.service.url);
    stranger = caller(whole.service.url, FORWARDED);
    bareStranger = caller(bare.service.url, FORWARDED);
  });
  routes(
    () => owner,
    () => stranger,
    () => bareStranger,
  );

  test("live hits, while executions are shared", async () => {
    for (const [i, { results }] of live.entries()) {
      await until("the last hit", () => results.some((text) => text.includes(LAST_CANDID)));
      expect(results).toHaveLength(i % 2 === 0 ? 12 : 4);
      const reader = i % 2 === 0 ? owner : stranger;
      const paged = JSON.parse(await reader.overSocket(hitsOf, { f: whole.filterIds }));
      const told = results.map((text) => JSON.parse(text).data.filterHits);
      expect(told.map(({ cursor }) => cursor)).toEqual(paged.data.hits.edges.map((edge: Edge) => edge.node.cursor));
      if (i % 2 === 1) expect(secretsIn(results.join())).toEqual([]);
    }
  });

  test("the cursors of hits tell nothing of the hits between them", async () => {
    const { hits } = JSON.parse(await stranger.overSocket(hitsOf, { f: whole.filterIds })).data;
    const cursors: string[] = [start, ...hits.edges.map(({ cursor }: { cursor: string }) => cursor)];
    const seqs = cursors.map(whole.service.services.hub.cursors.seq);
    expect(seqs[0]).toBe(0n);
    expect(seqs.at(-1)! - seqs[0]!).toBeGreaterThan(BigInt(hits.edges.length)); // there is something to tell
    for (const [i, cursor] of cursors.entries()) {
      expect(cursor).toMatch(HIT_CURSOR);
      const [bytes, number] = [Buffer.from(cursor, "base64url"), Buffer.alloc(4)];
      number.writeUInt32BE(Number(seqs[i]));
      expect([bytes.includes(number), bytes.includes(number.reverse())]).toEqual([false, false]);
    }
    // Nobody else can have made them, and no other archive takes them.
    const elsewhere = await bareStranger.overSocket(
      "query ($f: [ID!]!, $a: String) { hits(filterIds: $f, after: $a) { edges { cursor } } }",
      { f: bare.filterIds, a: cursors[1] },
    );
    expect(JSON.parse(elsewhere)).toMatchObject({ errors: [{ extensions: { code: "BAD_CURSOR" } }] });
  });

  test("nothing of the partnership's was in any answer to an anonymous caller", () => {
    for (const each of [stranger, listeners[1]!, listeners[3]!]) {
      expect(each.heard.length).toBeGreaterThan(0);
      for (const body of each.heard) {
        // An error may name what was asked for; it must not say more.
        const echo = body.includes("or you may not see it");
        expect(secretsIn(body).filter((secret) => !(echo && secret === "77700"))).toEqual([]);
      }
    }
    expect(secretsIn(Buffer.concat(owner.heard))).toEqual(SECRETS);
  });

  describe("pages of other sites", () => {
    const evil: [string, Record<string, string>][] = [
      ["a name bound to this machine", { host: "attacker.example" }],
      ["another site", { origin: "https://attacker.example" }],
      ["no origin", { origin: "null" }],
      ["another port", { origin: "http://127.0.0.1:1" }],
      ["a rebound name with its own origin", { host: "attacker.example", origin: "http://attacker.example" }],
    ];
    test.each(evil)("%s reaches nothing", async (_, headers) => {
      const page = caller(whole.service.url, headers);
      const create = `mutation { createFilter(input: { name: "evil", survey: ZTF, where: "magpsf < 1" }) { id } }`;
      const answers = [
        await page.post(create),
        await page.post(alertOf(HIDDEN.candid)),
        await page.http("GET", `/cutouts/ZTF/${HIDDEN.candid}/science.fits`),
        await page.http("POST", "/graphql", JSON.stringify({ query: create }), { "content-type": "text/plain" }),
        await page.http("OPTIONS", "/graphql", null, { "access-control-request-method": "POST" }),
      ];
      expect(answers.map(({ status }) => status)).toEqual([403, 403, 403, 403, 403]);
      expect(secretsIn(Buffer.concat(page.heard))).toEqual([]);
      expect(await upgradeStatus(whole.service.url, headers)).toBe(403);
      expect(JSON.stringify(await whole.service.ask("{ filters { edges { node { name } } } }"))).not.toContain("evil");
    });

    test.each(["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""])(
      "a form that a page may send without asking (%s) does nothing",
      async (type) => {
        const query = `mutation { createFilter(input: { name: "evil", survey: ZTF, where: "magpsf < 1" }) { id } }`;
        const headers = type === "" ? {} : { "content-type": type };
        const body = type.includes("form-url")
          ? `query=${encodeURIComponent(query)}`
          : JSON.stringify({ query, variables: {} });
        const { status } = await caller(whole.service.url).http("POST", "/graphql", body, headers);
        expect(status).toBeGreaterThanOrEqual(400);
        expect(JSON.stringify(await whole.service.ask("{ filters { edges { node { name } } } }"))).not.toContain(
          "evil",
        );
      },
    );
  });

  test("every field of every type was asked for", async () => {
    const documents = [LIVE, CHANGED, ...(await Promise.all(ROWS.map(queriesOf))).flat()];
    const asked = new Set(documents.flatMap((text) => fieldsOf(schema, text)));
    const fields = Object.values(schema.getTypeMap())
      .filter((type) => isObjectType(type) && !type.name.startsWith("__"))
      .flatMap((type) =>
        isObjectType(type) ? Object.keys(type.getFields()).map((name) => `${type.name}.${name}`) : [],
      );
    expect(fields.filter((name) => !asked.has(name))).toEqual([]);
  });
});

describe("beyond loopback, the token and none", () => {
  let owner: Caller;
  let stranger: Caller;
  let bareStranger: Caller;
  beforeAll(async () => {
    await Promise.all(live.map((each) => each.stop()));
    live = [];
    await whole.service.close();
    whole.service = await startTestService({
      DATA_DIR: join(folder, "whole"),
      TOCSIN_TOKEN: TOKEN,
      HOST: "0.0.0.0",
      ...QUOTAS,
    });
    const url = whole.service.url.replace("0.0.0.0", "127.0.0.1");
    owner = caller(url, { authorization: `Bearer ${TOKEN}` });
    stranger = caller(url);
    bareStranger = caller(bare.service.url, FORWARDED);
  });
  routes(
    () => owner,
    () => stranger,
    () => bareStranger,
  );

  test.each([`Bearer ${TOKEN}x`, "Bearer", `Basic ${TOKEN}`, `Bearer ${TOKEN.slice(1)}`, "Bearer null"])(
    "%s is nobody's",
    async (authorization) => {
      const url = whole.service.url.replace("0.0.0.0", "127.0.0.1");
      const wrong = caller(url, { authorization });
      const answers = [
        await wrong.post(alertOf(HIDDEN.candid)),
        await wrong.post("{ surveys { id } }"),
        await wrong.http("GET", `/cutouts/ZTF/${HIDDEN.candid}/science.fits`),
      ];
      expect(answers.map(({ status }) => status)).toEqual([401, 401, 401]);
      await expect(wrong.overSocket("{ surveys { id } }")).rejects.toMatchObject({ code: 4403 });
      expect(secretsIn(Buffer.concat(wrong.heard))).toEqual([]);
    },
  );
});

interface Edge {
  node: { cursor: string };
}

function upgradeStatus(base: string, headers: Record<string, string>): Promise<number> {
  return new Promise((settle) => {
    const socket = new WebSocket(`${base.replace("http", "ws")}/graphql`, "graphql-transport-ws", { headers });
    socket.on("unexpected-response", (_, response) => settle(response.statusCode ?? 0));
    socket.on("error", () => {});
    socket.on("open", () => {
      socket.close();
      settle(101);
    });
  });
}

/** The queries that a row sends, seen by running it on a service that answers nothing. */
async function queriesOf({ run }: Row): Promise<string[]> {
  const queries: string[] = [];
  await run(
    async (query) => {
      queries.push(query);
      return {};
    },
    ["a", "b"],
  );
  return queries;
}

function fieldsOf(of: GraphQLSchema, text: string): string[] {
  const document = parse(text);
  expect(validate(of, document)).toEqual([]);
  const info = new TypeInfo(of);
  const fields: string[] = [];
  visit(
    document,
    visitWithTypeInfo(info, {
      Field(node) {
        fields.push(`${info.getParentType()?.name}.${node.name.value}`);
      },
    }),
  );
  return fields;
}
