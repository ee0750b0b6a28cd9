// Positions against ten million sources at 2": a catalog in memory and one asked of the archive, against PostgreSQL with
// Q3C's join. All over the sky, and in one field. Run by bench/main.
import { setImmediate as turn } from "node:timers/promises";
import type { Catalog } from "../domain/catalog.js";
import { askCatalog } from "../ingest/crossmatch/asked.js";
import type { MatchedCatalogs } from "../ingest/crossmatch/catalogs.js";
import { type HeldCatalog, holdCatalog } from "../ingest/crossmatch/held.js";
import { createCrossmatch } from "../ingest/enrich/crossmatch.js";
import { SURVEYS } from "../ingest/surveys/index.js";
import { blockOf, floats, texts } from "../stores/archive/blocks.js";
import { createArchiveStores } from "../stores/archive/stores.js";
import type { CatalogStore } from "../stores/catalogs.store.js";
import { startTestArchive } from "../test/archive.js";
import { testCatalog } from "../test/catalogs.js";
import { type BenchResult, cpuSecondsOf, ratios, spread } from "./harness.js";
import { type Postgres, startPostgres } from "./postgres.js";
import { random } from "./random.js";

const RADIUS = 2;
const BLOCK_ROWS = 250_000;
/** Degrees on a side. */
const FIELD = { ra: 180, dec: 20, side: 20 };
const BATCH = 1_000;

interface Positions {
  readonly name: string;
  readonly ra: Float64Array;
  readonly dec: Float64Array;
}
interface Side {
  readonly name: string;
  /** Matches found. */
  readonly join: (positions: Positions) => Promise<number>;
  readonly pids: readonly number[];
}

export async function run(smoke: boolean): Promise<BenchResult> {
  const sizes = smoke
    ? { sources: 20_000, allSky: 1_000, field: 500, rounds: 2 }
    : { sources: 10_000_000, allSky: 10_000, field: 5_000, rounds: 9 };
  const postgres = await startPostgres("q3c");
  const q3c = typeof postgres === "string" ? null : postgres;
  const archive = await startTestArchive();
  try {
    const { catalogs } = await createArchiveStores(archive.client, []);
    const catalog = await fill(catalogs, q3c, sizes.sources);
    const positions = [allSky(catalog.rows, sizes.allSky), inField(catalog.rows, sizes.field)];
    for (const one of positions) await q3c?.query(...table(one));
    const loading = await loaded(catalogs, catalog);
    const { held } = loading;
    const sides: Side[] = [
      { name: "tocsin in memory", join: async ({ ra, dec }) => held.match(ra, dec).rows.rows, pids: [] },
      {
        name: "tocsin archive",
        join: async ({ ra, dec }) => (await askCatalog(catalogs, catalog, ra, dec)).rows.rows,
        pids: [archive.pid()!],
      },
      ...(q3c === null ? [] : [{ name: `${q3c.version} q3c_join`, join: joined(q3c), pids: q3c.pids }]),
    ];
    const measured: Measured[] = [];
    for (const one of positions) measured.push(...(await measure(sides, one, sizes.rounds)));
    const step = await measureStep(held, catalog, positions[0]!, sizes.rounds);
    return result(measured, step, loading, sizes, typeof postgres === "string" ? postgres : null);
  } finally {
    await archive.stop();
    await q3c?.stop();
  }
}

/** The same sources for all: even over the sky, with an id, two numbers and no text. */
async function fill(catalogs: CatalogStore, postgres: Postgres | null, sources: number): Promise<Catalog> {
  const column = (name: string) => ({ name, type: "Float32" as const, unit: "mag", description: name });
  const { revision, state, files, rows, duplicates, progress, changedAt, ...description } = {
    ...testCatalog("points", { radiusArcsec: RADIUS, idType: "Int64", columns: [column("g"), column("r")] }),
  };
  const begun = await catalogs.begin(description, []);
  await postgres?.query("CREATE UNLOGGED TABLE loaded (id int8, ra float8, dec float8, g float4, r float4)");
  const next = random(1);
  let read = 0;
  for (let from = 0; from < sources; from += BLOCK_ROWS) {
    const count = Math.min(BLOCK_ROWS, sources - from);
    const ra = Float64Array.from({ length: count }, () => 360 * next());
    const dec = Float64Array.from({ length: count }, () => (Math.asin(2 * next() - 1) * 180) / Math.PI);
    const magnitude = Float32Array.from({ length: count }, () => 14 + 8 * next());
    const id = BigInt64Array.from({ length: count }, (_, n) => 2n ** 61n + BigInt(from + n));
    const block = blockOf(count, {
      id: { type: "Int64", values: id, nulls: null },
      ...{ ra: floats(ra), dec: floats(dec) },
      g: { type: "Float32", values: magnitude, nulls: null },
      r: { type: "Float32", values: magnitude, nulls: null },
    });
    read += count;
    await catalogs.append(begun, block, { ...begun.progress, rowsRead: read });
    const lines = Array.from(ra, (_, n) => `${id[n]}\t${ra[n]}\t${dec[n]}\t${magnitude[n]}\t${magnitude[n]}\n`);
    await postgres?.copy("loaded", lines.join(""));
  }
  for (const statement of [
    "CREATE TABLE sources AS SELECT * FROM loaded ORDER BY q3c_ang2ipix(ra, dec)",
    "CREATE INDEX by_place ON sources (q3c_ang2ipix(ra, dec)) WITH (fillfactor = 100)",
    "VACUUM ANALYZE sources",
  ]) {
    await postgres?.query(statement);
  }
  return catalogs.activate(begun, { ...begun.progress, rowsRead: read });
}

/** Most near a source, as alerts are; the others anywhere. */
function allSky(sources: number, count: number): Positions {
  const again = random(1);
  const first = Math.min(BLOCK_ROWS, sources);
  const ra = Float64Array.from({ length: first }, () => 360 * again());
  const dec = Float64Array.from({ length: first }, () => (Math.asin(2 * again() - 1) * 180) / Math.PI);
  const step = Math.floor(first / count);
  return {
    name: "all sky",
    ra: Float64Array.from({ length: count }, (_, n) => ra[n * step]!),
    dec: Float64Array.from({ length: count }, (_, n) => Math.max(-90, dec[n * step]! - ((n % 10) * 0.31) / 3600)),
  };
}

/** Near sources of the field, and anywhere in it. */
function inField(sources: number, count: number): Positions {
  const { ra, dec, side } = FIELD;
  const next = random(3);
  const near = allSky(sources, Math.min(BLOCK_ROWS, sources));
  const inside = Array.from(near.ra, (_, n) => n).filter(
    (n) => Math.abs(near.ra[n]! - ra) < side / 2 && Math.abs(near.dec[n]! - dec) < side / 2,
  );
  const of = (centre: number, values: Float64Array) =>
    Float64Array.from({ length: count }, (_, n) =>
      n < inside.length ? values[inside[n]!]! : centre + side * (next() - 0.5),
    );
  return { name: `one field of ${side}°`, ra: of(ra, near.ra), dec: of(dec, near.dec) };
}

const tableName = ({ name }: Positions): string => `positions_${name.replace(/\W/g, "_")}`;

function table(positions: Positions): [string] {
  const { ra, dec } = positions;
  const rows = Array.from(ra, (_, n) => `(${n}, ${ra[n]}, ${dec[n]})`).join(", ");
  return [`CREATE TABLE ${tableName(positions)} AS SELECT * FROM (VALUES ${rows}) AS p (n, ra, dec)`];
}

const joined =
  (postgres: Postgres) =>
  async (positions: Positions): Promise<number> => {
    const rows = await postgres.query(
      `SELECT p.n, s.id, s.ra, s.dec, s.g, s.r FROM ${tableName(positions)} AS p, sources AS s
      WHERE q3c_join(p.ra::float8, p.dec::float8, s.ra, s.dec, ${RADIUS / 3600})`,
    );
    return rows.length;
  };

interface Loading {
  readonly held: HeldCatalog;
  readonly seconds: number;
  /** The longest time for which nothing else ran. */
  readonly longestMs: number;
}

async function loaded(catalogs: CatalogStore, catalog: Catalog): Promise<Loading> {
  let [longest, last, done] = [0, performance.now(), false];
  const watch = (async () => {
    while (!done) {
      await turn();
      const now = performance.now();
      longest = Math.max(longest, now - last);
      last = now;
    }
  })();
  const startedAt = performance.now();
  const held = await holdCatalog(catalogs, catalog, Number.POSITIVE_INFINITY);
  const seconds = (performance.now() - startedAt) / 1000;
  done = true;
  await watch;
  if (held === null) throw new Error("The catalog is not in memory.");
  return { held, seconds, longestMs: longest };
}

interface Measured {
  readonly side: string;
  readonly positions: string;
  readonly times: readonly number[];
  readonly cpuMs: number;
  readonly found: number;
}

async function measure(sides: readonly Side[], positions: Positions, rounds: number): Promise<Measured[]> {
  const own = sides.map(() => ({ times: [] as number[], cpu: 0, found: 0 }));
  // One untimed join of each side: what is prepared at first use is prepared.
  for (const side of sides) await side.join(positions);
  for (let round = 0; round < rounds; round++) {
    for (const [n, { join, pids }] of sides.entries()) {
      const before = process.cpuUsage();
      const others = cpuSecondsOf(pids);
      const startedAt = performance.now();
      own[n]!.found = await join(positions);
      own[n]!.times.push(performance.now() - startedAt);
      const { user, system } = process.cpuUsage(before);
      own[n]!.cpu += (user + system) / 1000 + (cpuSecondsOf(pids) - others) * 1000;
    }
  }
  return own.map(({ times, cpu, found }, n) => {
    return { side: sides[n]!.name, positions: positions.name, times, cpuMs: cpu / rounds, found };
  });
}

/** Microseconds of CPU an alert: the whole step with one catalog, its lists and rows made, in batches of 1,000. */
async function measureStep(held: HeldCatalog, catalog: Catalog, { ra, dec }: Positions, rounds: number) {
  const match: MatchedCatalogs["match"] = async (_, ...of) => held.match(...of);
  const step = createCrossmatch({ active: () => [catalog], matchStream: match });
  const survey = SURVEYS[0]!.description.id;
  const micros: number[] = [];
  for (let round = 0; round < 3 * rounds; round++) {
    const at = (round * BATCH) % ra.length;
    const rows = Math.min(BATCH, ra.length - at);
    const alerts = blockOf(rows, {
      objectId: texts(Array.from({ length: rows }, (_, n) => `ZTF${n}`)),
      candid: { type: "Int64", values: new BigInt64Array(rows), nulls: null },
      jd: floats(new Float64Array(rows)),
      ...{ ra: floats(ra.slice(at, at + rows)), dec: floats(dec.slice(at, at + rows)) },
    });
    const before = process.cpuUsage();
    await step.run({ survey, alerts, photometry: blockOf(0, {}), toldBy: new Uint32Array(0), packets: [] });
    const { user, system } = process.cpuUsage(before);
    micros.push((user + system) / rows);
  }
  return spread(micros);
}

function result(
  measured: readonly Measured[],
  step: ReturnType<typeof spread>,
  { held, seconds, longestMs }: Loading,
  sizes: Readonly<Record<string, number>>,
  missing: string | null,
): BenchResult {
  const of = (side: string, positions: string) =>
    measured.find((one) => one.side.includes(side) && one.positions === positions);
  const against: Record<string, ReturnType<typeof ratios>> = {};
  const goals: BenchResult["goals"][number][] = [];
  const places = [...new Set(measured.map(({ positions }) => positions))];
  for (const [n, place] of places.entries()) {
    const q3c = of("q3c_join", place);
    if (q3c === undefined) continue;
    const ratio = ratios(of("in memory", place)!.times, q3c.times);
    against[`${place}: in memory / q3c_join`] = ratio;
    against[`${place}: archive / q3c_join`] = ratios(of("archive", place)!.times, q3c.times);
    const most = n === 0 ? 0.5 : 1;
    goals.push({
      text: `${place}: at most ${most} of q3c_join`,
      reached: ratio.median.toFixed(3),
      met: ratio.median <= most,
    });
  }
  const counts = places.map((place) => new Set(measured.filter((one) => one.positions === place).map((o) => o.found)));
  goals.push({
    text: "every side finds the same number of matches",
    reached: counts.map((set) => [...set].join(" or ")).join(", "),
    met: counts.every((set) => set.size === 1),
  });
  goals.push({
    text: "the step takes at most 15 µs of CPU an alert and catalog",
    reached: step.median.toFixed(1),
    met: step.median <= 15,
  });
  return {
    name: "crossmatch",
    sizes: {
      ...sizes,
      "bytes a source": Number((held.bytes / sizes.sources!).toFixed(1)),
      "read into memory s": Number(seconds.toFixed(1)),
      "longest pause ms": Math.round(longestMs),
      ...(missing === null ? {} : { "left out": missing }),
    },
    rows: measured.map(({ side, positions, times, cpuMs, found }) => {
      const { median, min, max } = spread(times);
      return { side, positions, "median ms": median, "min ms": min, "max ms": max, "CPU ms": cpuMs, found };
    }),
    ratios: against,
    goals,
  };
}
