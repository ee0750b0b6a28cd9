// What enrichment adds, in both worlds of the rights test: a catalog and marks at hidden and at public places, and the
// questions about them. Used by rights.test.ts.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { type GraphQLOutputType, type GraphQLSchema, getNamedType, isObjectType } from "graphql";
import { writeTiny } from "../ingest/classifiers/models.fixture.js";
import { HIDDEN, PUBLIC } from "./rights.world.js";
import type { TestService } from "./service.js";

/** Near the hidden place, told less exactly: what a catalog says of it is no secret. */
const NEAR_HIDDEN = { ra: Number(HIDDEN.place.ra.toFixed(4)), dec: Number(HIDDEN.place.dec.toFixed(4)) };
const NEAR_PUBLIC = PUBLIC.mixedPlace;
const WAITING_MS = 15_000;

/** A model that fails, a catalog `stars`, a shared area and a shared watch list, before any alert comes. */
export async function prepareEnriched(service: TestService): Promise<void> {
  await writeTiny(join(service.dataDir, "models"), "failing", "sum", { outputs: [{ tensor: "z", names: ["y"] }] });
  await service.ask(`mutation { setModelState(name: "failing", version: "1", state: ACTIVE) { state } }`);
  const folder = join(service.dataDir, "catalogs");
  await mkdir(folder, { recursive: true });
  const sources = [NEAR_HIDDEN, NEAR_PUBLIC].map(({ ra, dec }, n) => `s${n},${ra},${dec},${10 + n}`);
  await writeFile(join(folder, "stars.csv"), `id,ra,dec,mag\n${sources.join("\n")}\n`);
  await service.ask(`mutation { addCatalog(input: { name: "stars", files: ["stars.csv"], radiusArcsec: 5,
    ra: "ra", dec: "dec", id: "id", columns: ["mag"] }) { name } }`);
  for (const until = Date.now() + WAITING_MS; ; await pause(20)) {
    const { catalogs } = await service.ask<{ catalogs: { state: string }[] }>("{ catalogs { state } }");
    if (catalogs.some(({ state }) => state === "ACTIVE")) break;
    if (Date.now() > until) {
      const { catalogLoads } = await service.ask<{ catalogLoads: object }>("{ catalogLoads { name finished error } }");
      throw new Error(`the catalog is not active: ${JSON.stringify([catalogs, catalogLoads])}`);
    }
  }
  const curves = [NEAR_HIDDEN, NEAR_PUBLIC].map(({ ra, dec }, n) => `c${n},${ra},${dec},60000.5,${18 + n}`);
  await writeFile(join(folder, "curves.csv"), `id,ra,dec,mjd,mag\n${curves.join("\n")}\n`);
  await service.ask(ADD_CURVES);
  await ended(service.ask);
  await service.ask(PUT_LIST);
  await service.ask(PUT_AREA);
}

/** A definition as JSON, in a text of GraphQL. */
const CURVES = JSON.stringify(
  JSON.stringify({
    ...{ id: ["id"], ra: ["ra"], dec: ["dec"], oneBand: "g", magnitude: ["mag"] },
    time: { column: ["mjd"], kind: "mjd" },
  }),
);
const ADD_CURVES = `mutation { addLightCurves(input: { name: "curves", files: ["curves.csv"], definition: ${CURVES} }) { name } }`;
/** Who may not see loads is told so at once. */
async function ended(ask: Ask): Promise<void> {
  while (JSON.stringify(await ask("{ lightCurveLoads { finished } }")).includes("false")) await pause(20);
}

/** The watch list holds the same places by other names: of what lies there something else is told than before. */
export async function changeEnriched(service: TestService): Promise<void> {
  await service.ask(PUT_LIST.replace('"one"', '"uno"').replace('"two"', '"due"'));
  const query = `{ corrections(where: { what: [MARKS], objectIds: ["${PUBLIC.mixedId}"] }) { edges { cursor } } }`;
  for (const until = Date.now() + WAITING_MS; ; await pause(20)) {
    const { corrections } = await service.ask<{ corrections: { edges: unknown[] } }>(query);
    if (corrections.edges.length > 0) return;
    if (Date.now() > until) throw new Error("nothing was told of the changed watch list");
  }
}

/** Everything that is told anew, from the beginning on. */
export const CHANGED = `subscription ($after: String) { objectChanged(after: $after) {
  cursor survey objectId candid what step version source filterId filterVersion toldAt } }`;

const at = ({ ra, dec }: { ra: number; dec: number }) => `ra: ${ra}, dec: ${dec}`;
const PUT_LIST = `mutation { putWatchList(input: { name: "places", isShared: true, positions: [
  { name: "one", ${at(NEAR_HIDDEN)} }, { name: "two", ${at(NEAR_PUBLIC)} }] }) { name } }`;
const PUT_AREA = `mutation { putArea(input: { name: "field", isShared: true,
  circle: { ${at(NEAR_HIDDEN)}, radiusDeg: 1 } }) { name } }`;

interface Question {
  readonly name: string;
  readonly query: string;
  /** Of the partnership's, what the owner is told. */
  readonly ownerSees?: string;
  /** What an anonymous caller is told, where it is an error. */
  readonly refused?: string;
}

/** Every field of a type that takes no argument, down to values; of alerts, objects and filters their ids. */
function all(schema: GraphQLSchema, type: string): string {
  const ids: Readonly<Record<string, string>> = { Alert: "candid objectId", SkyObject: "objectId", Filter: "name" };
  const of = (output: GraphQLOutputType, path: readonly string[]): string => {
    const named = getNamedType(output);
    if (!isObjectType(named)) return "";
    const own = ids[named.name];
    if (own !== undefined && path.length > 0) return `{ ${own} }`;
    const fields = Object.values(named.getFields())
      .filter(({ args, type: inner }) => args.length === 0 && !path.includes(getNamedType(inner).name))
      .map(({ name, type: inner }) => `${name} ${of(inner, [...path, named.name])}`);
    return `{ ${fields.join(" ")} }`;
  };
  const found = schema.getType(type);
  if (!isObjectType(found)) throw new Error(`${type} is no type of objects.`);
  return of(found, []);
}

export function questions(schema: GraphQLSchema): Question[] {
  const of = (type: string) => all(schema, type);
  const CROSS = `crossMatches(first: 10) ${of("CrossMatch")}`;
  const cone = `{ ${at(NEAR_HIDDEN)}, radiusArcsec: 60 }`;
  return [
    { name: "the catalogs", query: `{ catalogs ${of("Catalog")} catalog(name: "stars") ${of("Catalog")} }` },
    { name: "catalogs that can be had", query: `{ knownCatalogs ${of("KnownCatalog")} }` },
    { name: "loads of catalogs", query: `{ catalogLoads ${of("CatalogLoad")} }`, refused: "NOT_ALLOWED" },
    {
      name: "sources at many places",
      query: `{ catalogSources(catalogs: ["stars"], radiusArcsec: 5, positions: [{ name: "a", ${at(NEAR_PUBLIC)} }]) ${of("PositionSources")} }`,
    },
    {
      name: "a cone in a catalog",
      query: `{ catalogCone(catalog: "stars", first: 5, cone: ${cone}) ${of("CatalogSourceConnection")} }`,
    },
    { name: "archives of light curves", query: `{ lightCurveArchives ${of("LightCurveArchive")} }` },
    { name: "loads of light curves", query: `{ lightCurveLoads ${of("LightCurveLoad")} }`, refused: "NOT_ALLOWED" },
    {
      name: "light curves of archives in a circle",
      query: `{ archivalLightCurves(${at(NEAR_HIDDEN)}, radiusArcsec: 60) ${of("ArchivalLightCurveConnection")} }`,
    },
    {
      name: "everything at a place",
      query: `{ everythingHere(${at(NEAR_HIDDEN)}, radiusArcsec: 60) { ra dec radiusArcsec objects ${of("ConeConnection")}
        archivalLightCurves ${of("ArchivalLightCurveConnection")} catalogs ${of("CatalogSources")} } }`,
      ownerSees: HIDDEN.objectId,
    },
    {
      name: "light curves of archives at objects",
      query: `{ alerts(first: 50, where: { survey: ZTF }) { edges { node { object { objectId
        archivalLightCurves(radiusArcsec: 5) { archive sourceId points ${of("ArchivalPointConnection")} } } } } } }`,
      ownerSees: HIDDEN.objectId,
    },
    {
      name: "what lies at alerts and objects",
      query: `{ alerts(first: 50, where: { survey: ZTF }) { edges { node { candid ${CROSS}
        object { objectId ${CROSS} host ${of("Host")} } } } } }`,
      ownerSees: HIDDEN.objectId,
    },
    { name: "the objects of a source", query: `{ hostedObjects(catalog: "stars", sourceId: "s0") { objectId } }` },
    {
      name: "features of alerts and objects",
      query: `{ alerts(first: 50, where: { survey: ZTF }) { edges { node { candid objectId features ${of("Features")}
        object { objectId features { version count peakMag } period(minDays: 0.1, maxDays: 10) ${of("Period")} } } } } }`,
      ownerSees: HIDDEN.objectId,
    },
    {
      name: "what alerts lack, and why",
      query: `{ alerts(first: 50, where: { survey: ZTF }) { edges { node { candid missing(filled: true) ${of("MissingValues")} } } } }`,
      ownerSees: "77700",
    },
    {
      name: "what a clause found missing",
      query: `{ explain(survey: ZTF, candid: "${PUBLIC.candid}", where: "score.failing.y > 0") {
        clauses { missing ${of("MissingOperand")} } } }`,
    },
    {
      name: "what is missing in the archive",
      query: `{ missingValues ${of("MissingCount")} }`,
      refused: "NOT_ALLOWED",
    },
    {
      name: "candidates of moving objects",
      query: `{ trackletCandidates(survey: ZTF, window: { start: "JD ${HIDDEN.jd - 0.5}", minutes: 1440 }, minDetections: 2)
        ${of("TrackletCandidates")} }`,
    },
    {
      name: "objects whose features are old",
      query: `{ staleFeatures(survey: ZTF, before: 99) ${of("StaleFeaturesConnection")} }`,
      ownerSees: HIDDEN.objectId,
    },
    {
      name: "objects whose features or matches are old, of one kind or the other",
      query: `{ features: staleObjects(survey: ZTF, step: FEATURES, beforeVersion: 99) ${of("StaleObjectConnection")}
        matches: staleObjects(survey: ZTF, step: MATCHES, name: "stars") ${of("StaleObjectConnection")} }`,
      ownerSees: HIDDEN.objectId,
    },
    {
      name: "corrections",
      query: `{ corrections(survey: ZTF) ${of("CorrectionConnection")} }`,
      ownerSees: HIDDEN.objectId,
    },
    {
      name: "corrections of a hidden object, of what a watch list holds, of a filter's hits",
      query: `{ object: corrections(where: { objectIds: ["${HIDDEN.objectId}"] }) ${of("CorrectionConnection")}
        list: corrections(where: { watchList: "places" }) ${of("CorrectionConnection")}
        hits: corrections(where: { what: [HIT_ADDED, HIT_WITHDRAWN] }) ${of("CorrectionConnection")} }`,
      ownerSees: HIDDEN.objectId,
    },
    {
      name: "the marks",
      query: `{ marks(kind: WATCH_LIST) ${of("Mark")} mark(kind: AREA, name: "field") ${of("Mark")} }`,
    },
    { name: "what became of marks", query: `{ markEvents ${of("MarkEventConnection")} }` },
    {
      name: "alerts of a watch list",
      query: `{ markedAlerts(kind: WATCH_LIST, name: "places", survey: ZTF) ${of("MarkedAlertConnection")} }`,
      ownerSees: HIDDEN.objectId,
    },
    {
      name: "alerts of an area",
      query: `{ markedAlerts(kind: AREA, name: "field", survey: ZTF) { edges { level node { candid } } } }`,
      ownerSees: "77700",
    },
  ];
}

type Ask = (query: string) => Promise<unknown>;

const inTurn =
  (...queries: readonly string[]) =>
  async (ask: Ask): Promise<unknown> => {
    let answer: unknown;
    for (const query of queries) answer = await ask(query);
    return answer;
  };

/** Changes that only the owner may make; each ends with one that undoes the others. */
export const CHANGES: readonly { readonly name: string; readonly run: (ask: Ask) => Promise<unknown> }[] = [
  {
    name: "a catalog that comes and goes",
    async run(ask) {
      await ask(`mutation { addCatalog(input: { name: "gone", files: ["stars.csv"], radiusArcsec: 5,
        ra: "ra", dec: "dec", id: "id" }) { name } }`);
      while (JSON.stringify(await ask("{ catalogLoads { finished } }")).includes("false")) await pause(20);
      return ask(`mutation { removeCatalog(name: "gone") }`);
    },
  },
  {
    name: "light curves that come and go",
    async run(ask) {
      await ask(ADD_CURVES.replace("curves", "gone"));
      await ended(ask);
      return ask(`mutation { removeLightCurves(name: "gone") }`);
    },
  },
  {
    name: "marks that come and go",
    run: inTurn(
      PUT_LIST.replace("places", "brief"),
      PUT_AREA.replace("field", "brief"),
      `mutation { changeMark(kind: AREA, name: "brief", input: { description: "soon gone" }) { name } }`,
      `mutation { removeMark(kind: AREA, name: "brief") { name } }`,
      `mutation { removeMark(kind: WATCH_LIST, name: "brief") { name } }`,
    ),
  },
  {
    name: "a filter of a watch list",
    run: inTurn(`mutation { watch(kind: WATCH_LIST, name: "places", survey: LSST) { name } }`),
  },
  {
    /** There is none: the owner is told so, and anybody else no more than that it is not theirs. */
    name: "a sky map that is retracted",
    async run(ask) {
      const answer = await ask(`mutation { retractSkymap(name: "none") { name } }`).catch(({ message }) => message);
      return JSON.stringify(answer).includes("UNKNOWN_MARK") ? {} : answer;
    },
  },
];
