// Cones over ten million objects: our store and our API against PostgreSQL with Q3C, a query at a time. Run by bench/main.
import { nestedPixels } from "../domain/healpix.js";
import { SURVEYS } from "../ingest/surveys/index.js";
import { blockOf, floats, integers, repeated, signed, texts, unsigned } from "../stores/archive/blocks.js";
import { type ArchiveStores, createArchiveStores } from "../stores/archive/stores.js";
import type { ObjectStore } from "../stores/objects.store.js";
import type { TestArchive } from "../test/archive.js";
import { type BenchedService, startBenchedService } from "./engine.js";
import { type BenchResult, cpuSecondsOf, ratios, residentBytesOf, spread } from "./harness.js";
import { type Postgres, startPostgres } from "./postgres.js";
import { random } from "./random.js";

const RADII = [1, 5, 60, 3_600];
const MAX_PAGE = 1_000;
const BLOCK_ROWS = 250_000;
const VIEWER = { scope: "public", programids: new Map([["ZTF", [1]]]), mayChange: false };
const QUERY = `query ($ra: Float!, $dec: Float!, $radius: Float!) {
  coneSearch(ra: $ra, dec: $dec, radiusArcsec: $radius, first: ${MAX_PAGE}) {
    edges { separationArcsec node { survey objectId ra dec } } } }`;
const SQL = "SELECT id, ra, dec FROM objects WHERE q3c_radial_query(ra, dec, $1, $2, $3)";

interface Place {
  readonly ra: number;
  readonly dec: number;
}
/** Number of objects found. */
type Ask = (at: Place, radiusArcsec: number) => Promise<number>;
interface Side {
  readonly name: string;
  readonly ask: Ask;
  readonly pids: readonly number[];
}

export async function run(smoke: boolean): Promise<BenchResult> {
  const sizes = smoke ? { objects: 10_000, cones: 10, rounds: 1 } : { objects: 10_000_000, cones: 500, rounds: 5 };
  const postgres = await startPostgres("q3c");
  const q3c = typeof postgres === "string" ? null : postgres;
  let benched: BenchedService | undefined;
  try {
    benched = await startBenchedService((archive) => fill(archive, q3c, sizes.objects));
    // The service's own stores hold the index; others on the same archive have none.
    const indexed = benched.service.services.stores as unknown as ArchiveStores;
    if (!(await indexed.skyIndexed)) throw new Error("The sky index is not complete.");
    const plain = await createArchiveStores(benched.archive.client, surveys());
    const sides: Side[] = [
      { name: "tocsin store", ask: store(indexed.objects), pids: [] },
      { name: "tocsin GraphQL", ask: api(benched), pids: [] },
      { name: "archive without index", ask: store(plain.objects), pids: benched.pids },
      ...(q3c === null ? [] : [{ name: `${q3c.version} + Q3C`, ask: radial(q3c), pids: q3c.pids }]),
    ];
    const measured = await measure(sides, sizes);
    return result(measured, sizes, typeof postgres === "string" ? postgres : null);
  } finally {
    await benched?.close();
    await q3c?.stop();
  }
}

const surveys = () => SURVEYS.map(({ description }) => description);

function store(objects: ObjectStore): Ask {
  return async ({ ra, dec }, radiusArcsec) =>
    (await objects.cone(VIEWER, { ra, dec, radiusArcsec }, null, MAX_PAGE, null)).length;
}
function api({ ask }: BenchedService): Ask {
  return async ({ ra, dec }, radius) =>
    (await ask<{ coneSearch: { edges: unknown[] } }>(QUERY, { ra, dec, radius })).coneSearch.edges.length;
}
function radial(postgres: Postgres): Ask {
  return async ({ ra, dec }, radius) => {
    const rows = await postgres.query(SQL, [String(ra), String(dec), String(radius / 3600)]);
    return rows.map(({ id, ra, dec }) => ({ id, ra: Number(ra), dec: Number(dec) })).length;
  };
}

/** The same objects for both sides: even over the sky. */
function* places(objects: number): Generator<{ from: number; ra: Float64Array; dec: Float64Array }> {
  const next = random(1);
  for (let from = 0; from < objects; from += BLOCK_ROWS) {
    const rows = Math.min(BLOCK_ROWS, objects - from);
    const ra = Float64Array.from({ length: rows }, () => 360 * next());
    const dec = Float64Array.from({ length: rows }, () => (Math.asin(2 * next() - 1) * 180) / Math.PI);
    yield { from, ra, dec };
  }
}
const idOf = (n: number): string => `ZTF18${n.toString(36).padStart(7, "0")}`;

async function fill({ client }: TestArchive, postgres: Postgres | null, objects: number): Promise<void> {
  await createArchiveStores(client, surveys());
  await postgres?.query("CREATE UNLOGGED TABLE loaded (id text, ra float8, dec float8)");
  for (const { from, ra, dec } of places(objects)) {
    const rows = ra.length;
    const ids = Array.from({ length: rows }, (_, n) => idOf(from + n));
    const healpix = new BigUint64Array(rows);
    nestedPixels(ra, dec, healpix);
    const columns = {
      survey: repeated(rows, "ZTF"),
      objectId: texts(ids),
      programid: integers(new Int32Array(rows).fill(1)),
      jd: floats(new Float64Array(rows).fill(2_460_000.5)),
      candid: signed(BigInt64Array.from({ length: rows }, (_, n) => 2n ** 61n + BigInt(from + n))),
      ra: floats(ra),
      dec: floats(dec),
    };
    await client.insert("positions", blockOf(rows, { ...columns, healpix: unsigned(healpix) }));
    await client.insert("object_alerts", blockOf(rows, columns));
    await postgres?.copy("loaded", ids.map((id, n) => `${id}\t${ra[n]}\t${dec[n]}\n`).join(""));
  }
  for (const table of ["positions", "object_alerts"]) await client.command(`OPTIMIZE TABLE ${table} FINAL`);
  for (const statement of [
    "CREATE TABLE objects AS SELECT * FROM loaded ORDER BY q3c_ang2ipix(ra, dec)",
    "CREATE INDEX by_place ON objects (q3c_ang2ipix(ra, dec)) WITH (fillfactor = 100)",
    "VACUUM ANALYZE objects",
  ]) {
    await postgres?.query(statement);
  }
}

interface Measured {
  readonly side: string;
  readonly radius: number;
  /** Milliseconds of every query, round by round. */
  readonly rounds: number[][];
  cpuSeconds: number;
  found: number;
}

async function measure(sides: readonly Side[], sizes: { objects: number; cones: number; rounds: number }) {
  const next = random(2);
  const centres: Place[] = [];
  for (const { ra, dec } of places(sizes.objects)) {
    for (let n = 0; n < sizes.cones / Math.ceil(sizes.objects / BLOCK_ROWS); n++) {
      const at = Math.floor(next() * ra.length);
      centres.push({ ra: ra[at]!, dec: dec[at]! });
    }
  }
  const measured: Measured[] = [];
  for (const radius of RADII) {
    const own = sides.map(({ name }): Measured => ({ side: name, radius, rounds: [], cpuSeconds: 0, found: 0 }));
    // One untimed cone of each side: what is prepared at first use is prepared.
    for (const side of sides) await side.ask(centres[0]!, radius);
    for (let round = 0; round < sizes.rounds; round++) {
      const some = centres.filter((_, n) => n % sizes.rounds === round);
      const shifted = some.map(({ ra, dec }) => ({ ra, dec: Math.max(-90, dec - (next() * radius) / 7_200) }));
      for (const [n, side] of sides.entries()) {
        const times: number[] = [];
        const before = process.cpuUsage();
        const others = cpuSecondsOf(side.pids);
        for (const centre of shifted) {
          const startedAt = performance.now();
          own[n]!.found += await side.ask(centre, radius);
          times.push(performance.now() - startedAt);
        }
        const { user, system } = process.cpuUsage(before);
        own[n]!.cpuSeconds += (user + system) / 1e6 + cpuSecondsOf(side.pids) - others;
        own[n]!.rounds.push(times);
      }
    }
    measured.push(...own);
  }
  return measured;
}

function result(
  measured: readonly Measured[],
  sizes: Readonly<Record<string, number>>,
  missing: string | null,
): BenchResult {
  const medians = (side: string, radius: number) =>
    measured
      .find((one) => one.side.endsWith(side) && one.radius === radius)
      ?.rounds.map((times) => spread(times).median);
  const against: Record<string, ReturnType<typeof ratios>> = {};
  const goals: BenchResult["goals"][number][] = [];
  for (const radius of RADII) {
    const q3c = medians("Q3C", radius);
    if (q3c === undefined) continue;
    const store = ratios(medians("tocsin store", radius)!, q3c);
    const graphql = ratios(medians("tocsin GraphQL", radius)!, q3c);
    against[`${radius}", store / Q3C`] = store;
    against[`${radius}", GraphQL / Q3C`] = graphql;
    if (radius <= 60) {
      goals.push({
        text: `${radius}": store at most 1/20 of Q3C`,
        reached: `1/${(1 / store.median).toFixed(1)}`,
        met: store.median <= 1 / 20,
      });
    }
    goals.push({
      text: `${radius}": GraphQL at most Q3C`,
      reached: graphql.median.toFixed(2),
      met: graphql.median <= 1,
    });
  }
  const counts = RADII.map((radius) => new Set(measured.filter((one) => one.radius === radius).map((o) => o.found)));
  goals.push({
    text: "every side finds the same number of objects",
    reached: counts.map((set) => [...set].join(" or ")).join(", "),
    met: counts.every((set) => set.size === 1),
  });
  return {
    name: "cone",
    sizes: {
      ...sizes,
      "service RSS MB": Math.round(residentBytesOf([process.pid]) / 2 ** 20),
      ...(missing === null ? {} : { "left out": missing }),
    },
    rows: measured.map(({ side, radius, rounds, cpuSeconds, found }) => {
      const times = rounds.flat().sort((a, b) => a - b);
      return {
        side,
        'radius "': radius,
        "p50 ms": spread(times).median,
        "p95 ms": times[Math.floor(times.length * 0.95)]!,
        "min ms": times[0]!,
        "max ms": times.at(-1)!,
        "CPU ms": (cpuSeconds * 1000) / times.length,
        found,
      };
    }),
    ratios: against,
    goals,
  };
}
