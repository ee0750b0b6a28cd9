// A small sky in memory for the tests of this folder: the store interfaces over arrays, and a log of their calls.
import { Writable } from "node:stream";
import { pino } from "pino";
import type { Alert } from "../domain/alert.js";
import { TocsinError } from "../domain/errors.js";
import type { Filter, Hit } from "../domain/filter.js";
import { EMPTY_LIGHT_CURVE } from "../domain/photometry.js";
import type { SkyObject } from "../domain/skyobject.js";
import type { SurveyDescription } from "../domain/survey.js";
import { maySee, type Viewer } from "../domain/viewer.js";
import { buildTocsinSchema } from "../resolvers/build.js";
import type { Services, Stores } from "../resolvers/services.js";
import { createCorrectionFeed } from "../subscriptions/corrections.js";
import { createHitHub, type HitHub } from "../subscriptions/hub.js";
import { CURSOR_KEY } from "../test/memoryhits.js";
import { type App, type AppSettings, createApp } from "./app.js";
import { healthRoutes } from "./health.routes.js";

export const SURVEYS: SurveyDescription[] = ["ZTF", "LSST"].map((id) => ({
  id,
  title: id,
  fields: [{ name: "magpsf", type: "Float32", nullable: false, unit: "mag", description: "Magnitude." }],
  bands: ["g", "r"],
  publicProgramids: [1],
  counterpartRadiusArcsec: 1.5,
  pointColumns: [],
  pointFields: { detections: [], nonDetections: [], forced: [] },
  nightOffsetHours: 0,
}));

export const OBJECTS = 1_000;
/** Object i has the alerts 2i and 2i + 1; the programid of every tenth object's alerts is 2. */
const alerts: Alert[] = Array.from({ length: 2 * OBJECTS }, (_, i) => ({
  survey: "ZTF",
  candid: 2_000_000_000_000_000_000n + BigInt(i),
  objectId: objectId(i >> 1),
  jd: 2_460_000.5 + i / 1_000,
  ra: 10 + (i >> 1) / 1_000,
  dec: 20,
  band: i % 2 === 0 ? "g" : "r",
  magnitude: 18.5,
  magnitudeError: 0.1,
  flux: i % 2 === 0 ? 145_000.5 : null,
  fluxError: 1_000,
  isPositive: true,
  class: "hosted",
  solarSystemName: null,
  programid: (i >> 1) % 10 === 0 ? 2 : 1,
}));

export function objectId(i: number): string {
  return `ZTF18${String(i).padStart(7, "0")}`;
}

const visible = (viewer: Viewer) => alerts.filter((alert) => maySee(viewer, alert.survey, alert.programid));
const newestFirst = (a: Alert, b: Alert) => b.jd - a.jd;
const pick = <K, V>(ids: readonly K[], of: (id: K) => V | undefined) =>
  new Map(ids.map((id) => [id, of(id)] as const).filter((entry): entry is [K, V] => entry[1] !== undefined));

function objectOf(viewer: Viewer, id: string): SkyObject | undefined {
  const own = visible(viewer).filter((alert) => alert.objectId === id);
  const [first, last] = [own[0], own.at(-1)];
  if (!first || !last) return undefined;
  const { survey, ra, dec } = last;
  const times = { firstJd: first.jd, lastJd: last.jd };
  return { survey, objectId: id, ra, dec, ...times, alertCount: own.length, latestCandid: last.candid };
}

function createStores(hits: Hit[]): Stores & { readonly hits: { since: unknown } } {
  const filters = new Map<string, Filter>();
  return {
    alerts: {
      byCandid: async (viewer, _, candids) => {
        const seen = new Map(visible(viewer).map((alert) => [alert.candid, alert]));
        return pick(candids, (id) => seen.get(id));
      },
      page: async (viewer, where, first, after) =>
        visible(viewer)
          .filter((alert) => where.objectId === undefined || alert.objectId === where.objectId)
          .filter((alert) => after === null || alert.jd < after.jd)
          .sort(newestFirst)
          .slice(0, first),
      pagePerObject: async (viewer, _, ids, first, after) =>
        pick(ids, (id) =>
          visible(viewer)
            .filter((alert) => alert.objectId === id && (after === null || alert.jd < after.jd))
            .sort(newestFirst)
            .slice(0, first),
        ),
      ownFields: async (_, __, candids, names) => pick(candids, () => Object.fromEntries(names.map((n) => [n, 18.5]))),
    },
    objects: {
      byIds: async (viewer, survey, ids) => (survey === "ZTF" ? pick(ids, (id) => objectOf(viewer, id)) : new Map()),
      cone: async (viewer, _, __, first, after) =>
        Array.from({ length: OBJECTS }, (_, i) => ({ object: objectOf(viewer, objectId(i)), separationArcsec: i }))
          .filter((match): match is { object: SkyObject; separationArcsec: number } => match.object !== undefined)
          .filter((match) => after === null || match.separationArcsec > after.separationArcsec)
          .slice(0, first),
    },
    photometry: {
      lightCurves: async (viewer, _, ids) =>
        pick(ids, (id) => {
          const detections = visible(viewer).filter((alert) => alert.objectId === id);
          return detections.length === 0 ? undefined : { ...EMPTY_LIGHT_CURVE, detections };
        }),
    },
    packets: {
      fieldsByCandid: async (_, survey, candids) =>
        pick(candids, (candid) => ({ survey, candid, drb: Number.NaN, isdiffpos: "t" })),
    },
    links: { counterparts: async () => new Map() },
    filters: {
      create: async (filter) => {
        const version = { number: 1, createdAt: Date.UTC(2026, 0, 1), changelog: null };
        const { where, annotations, ...rest } = filter;
        const id = `f${filters.size + 1}`;
        const made = { stream: null, ...rest, id, versions: [{ ...version, where, annotations }] };
        filters.set(made.id, made);
        return made;
      },
      update: async () => null,
      get: async (id) => filters.get(id) ?? null,
      byIds: async (ids) => pick(ids, (id) => filters.get(id)),
      list: async (first) => [...filters.values()].slice(0, first),
    },
    hits: {
      page: async (viewer, ids, first, after, upTo) =>
        hits
          .filter((hit) => ids.includes(hit.filterId) && maySee(viewer, hit.survey, hit.programid))
          .filter((hit) => hit.seq > after && (upTo === null || hit.seq <= upTo))
          .slice(0, first),
      since: async (after: bigint, first: number) => hits.filter((hit) => hit.seq > after).slice(0, first),
      lastSeq: async () => hits.at(-1)?.seq ?? 0n,
      perNight: async () => [],
      cursorKey: async () => CURSOR_KEY,
    } as Stores["hits"] & { since: unknown },
    deadLetters: { page: async () => [] },
    receipts: {
      night: async (survey, { name }) => {
        const none = { received: 0, stored: 0, duplicates: 0, deadLetters: 0, hits: 0, archived: 0, sourceCount: 0 };
        return { survey, night: name, ...none, sources: [], unattributed: [] };
      },
    },
    scores: { scores: async () => new Map() },
    backtest: {
      run: async () => ({ nights: [], keys: [] }),
      matching: async () => ({ alerts: [], searchedTo: null }),
      values: async () => new Map(),
      funnel: async () => ({
        ...{ nights: [], scanned: 0, oneOf: 1, passed: 0 },
        ...{ failing: [], failingFirst: [], failingOnly: [] },
      }),
      cost: async () => null,
    },
    corrections: { page: async () => [] },
    hitChecks: { changes: async () => [] },
    stale: { scores: async () => [], matches: async () => [], missing: async () => [] },
    features: { byCandid: async () => new Map(), stale: async () => [] },
    clock: { clocks: async () => new Map(), latency: async () => [] },
    matches: { ofAlerts: async () => new Map() },
    missing: { ofAlerts: async () => new Map(), counts: async () => [] },
    rematches: { rematches: async () => [] },
    sources: { hosted: async () => new Map() },
    archival: {
      active: async () => [],
      list: async () => [],
      near: async (_loads, ra) => Array.from(ra, () => []),
      cone: async () => [],
      points: async (wanted) => wanted.map(() => []),
    },
    catalogs: {
      active: () => [],
      list: async () => [],
      sourcesNear: async () => {
        throw new Error("There are no catalogs.");
      },
      cone: async () => {
        throw new Error("There are no catalogs.");
      },
    },
  };
}

/** Every call of every store is noted before it is made. */
function noting(stores: Stores, calls: string[]): Stores {
  const noted = (name: string, store: object) =>
    new Proxy(store, {
      get: (target, method) => {
        const member = Reflect.get(target, method) as (...args: unknown[]) => unknown;
        return (...args: unknown[]) => {
          calls.push(`${name}.${String(method)}`);
          return member.apply(target, args);
        };
      },
    });
  return Object.fromEntries(
    Object.entries(stores).map(([name, store]) => [name, noted(name, store)]),
  ) as unknown as Stores;
}

export interface MemoryService extends App {
  readonly url: string;
  readonly port: number;
  readonly calls: string[];
  readonly logged: string[];
  readonly stores: Stores;
  readonly hub: HitHub;
  readonly hits: Hit[];
  readonly alerts: readonly Alert[];
  readonly health: { ok: boolean };
  post(query: string, variables?: object, headers?: Record<string, string>): Promise<Answer>;
}
export interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: answers are looked into field by field
  readonly data: any;
  readonly errors?: { message: string; path?: unknown[]; extensions: Record<string, unknown> }[];
}

const readyAs = (ok: boolean) => {
  const [code, reason] = ok ? [null, null] : ["ENGINE_UNAVAILABLE", "The archive does not answer."];
  return { ready: ok, engines: { archive: { ok, needed: true, code, reason, since: "2026-01-01T00:00:00.000Z" } } };
};

export async function startMemoryService(settings: Partial<AppSettings> = {}): Promise<MemoryService> {
  const [calls, logged, hits]: [string[], string[], Hit[]] = [[], [], []];
  const stores = createStores(hits);
  const hub = await createHitHub(stores as never);
  const services: Services = {
    stores: noting(stores, calls),
    surveys: new Map(SURVEYS.map((survey) => [survey.id, survey])),
    hub,
    corrections: createCorrectionFeed({
      corrections: { page: async () => [], seqsAfter: async () => [], lastSeq: async () => 0n },
      ...{ key: CURSOR_KEY, maxListeners: 10_000, gapMs: 0 },
    }),
    language: {
      fields: () => [{ name: "magpsf", type: "number", unit: "mag", description: "Magnitude." }],
      check: () => ({ ok: true, errors: [], warnings: [], fieldsRead: ["magpsf"] }),
      validate: (_, where) => {
        if (!where.includes("(((")) return;
        const errors = [{ message: "unexpected (", line: 1, column: 3 }];
        throw new TocsinError("BAD_EXPRESSION", "unexpected (", { details: { errors } });
      },
    },
    design: {
      condition: () => ({ sql: "1", columns: [], fields: [] }),
      annotations: () => [],
      parts: () => [],
      clauses: () => [],
      standing: () => [],
      median: () => [],
      examples: () => [],
    },
  };
  const health = { ok: true };
  const sink = new Writable({
    write: (chunk, _, done) => {
      logged.push(String(chunk));
      done();
    },
  });
  const app = await createApp({
    settings: { host: "127.0.0.1", port: 0, token: null, allowedHosts: [], allowedOrigins: [], ...settings },
    schema: buildTocsinSchema(SURVEYS),
    services,
    log: pino(sink),
    front: healthRoutes({ now: async () => readyAs(health.ok) }, () => true),
    routes: (express, viewerOf) => {
      express.get("/whoami", (request, response) => {
        response.json(viewerOf(request).scope);
      });
    },
  });
  const port = await app.listen();
  const url = `http://127.0.0.1:${port}`;
  return {
    ...app,
    ...{ url, port, calls, logged, stores, hub, hits, alerts, health },
    async post(query, variables, headers) {
      const response = await fetch(`${url}/graphql`, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: JSON.stringify({ query, variables }),
      });
      return { status: response.status, ...((await response.json()) as Omit<Answer, "status">) };
    },
  };
}
