// Light curves of one object and of a thousand: our store and our API against PostgreSQL's b-tree, rows decoded to
// JavaScript objects on every side. Run by bench/main.
import type { LightCurve } from "../domain/photometry.js";
import { SURVEYS } from "../ingest/surveys/index.js";
import { blockOf, floats, integers, repeated, signed, texts, unsigned } from "../stores/archive/blocks.js";
import { plain } from "../stores/archive/photometry.table.js";
import { precedence } from "../stores/archive/precedence.js";
import { createArchiveStores } from "../stores/archive/stores.js";
import type { PhotometryStore } from "../stores/photometry.store.js";
import type { TestArchive } from "../test/archive.js";
import { type BenchedService, startBenchedService } from "./engine.js";
import { type BenchResult, ratios, spread, type Timing, timed } from "./harness.js";
import { type Postgres, startPostgres } from "./postgres.js";
import { random } from "./random.js";

/** 30 detections and 20 limits an object. */
const POINTS = 50;
const DETECTIONS = 30;
const BLOCK_OBJECTS = 5_000;
const VIEWER = { scope: "public", programids: new Map([["ZTF", [1]]]), mayChange: false };
const QUERY = `query ($ids: [ID!]!) { objects(survey: ZTF, objectIds: $ids) { objectId lightCurve {
  detections { candid jd band magnitude magnitudeError flux fluxError isPositive }
  nonDetections { jd band limitingMagnitude } } } }`;
const SQL = `SELECT object_id, kind, point_id, jd, band, magnitude, magnitude_error, flux, flux_error, limiting_magnitude,
  is_positive FROM photometry WHERE object_id = ANY($1::text[]) ORDER BY object_id, jd`;

/** Number of points found. */
type Ask = (objectIds: readonly string[]) => Promise<number>;
interface Side {
  readonly name: string;
  readonly ask: Ask;
  readonly pids: readonly number[];
}

export async function run(smoke: boolean): Promise<BenchResult> {
  const sizes = smoke ? { objects: 1_100, singles: 3, rounds: 1 } : { objects: 100_000, singles: 100, rounds: 5 };
  const postgres = await startPostgres(null);
  const btree = typeof postgres === "string" ? null : postgres;
  let benched: BenchedService | undefined;
  try {
    benched = await startBenchedService((archive) => fill(archive, btree, sizes.objects));
    const { pids, service } = benched;
    const sides: Side[] = [
      { name: "tocsin store", ask: store(service.services.stores.photometry), pids },
      { name: "tocsin GraphQL", ask: api(benched), pids },
      ...(btree === null ? [] : [{ name: btree.version, ask: select(btree), pids: btree.pids }]),
    ];
    const next = random(3);
    const some = (count: number) => Array.from({ length: count }, () => idOf(Math.floor(next() * sizes.objects)));
    const measured = [];
    for (const size of [1, 100, 1_000]) {
      const repeats = Math.max(1, Math.round(sizes.singles / Math.sqrt(size)));
      measured.push({
        size,
        repeats,
        timings: await measure(sides, sizes.rounds, repeats, () => distinct(some, size)),
      });
    }
    const left = typeof postgres === "string" ? { "left out": postgres } : {};
    return result(sides, measured, { ...sizes, rows: sizes.objects * POINTS, ...left });
  } finally {
    await benched?.close();
    await btree?.stop();
  }
}

const idOf = (n: number): string => `ZTF18${n.toString(36).padStart(7, "0")}`;
function distinct(some: (count: number) => string[], size: number): string[] {
  const ids = new Set(some(size));
  while (ids.size < size) for (const id of some(size - ids.size)) ids.add(id);
  return [...ids];
}

const pointsOf = ({ detections, nonDetections }: Pick<LightCurve, "detections" | "nonDetections">): number =>
  detections.length + nonDetections.length;
const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

function store(photometry: PhotometryStore): Ask {
  return async (ids) => sum([...(await photometry.lightCurves(VIEWER, "ZTF", ids)).values()].map(pointsOf));
}
function api({ ask }: BenchedService): Ask {
  return async (ids) => {
    const { objects } = await ask<{ objects: { lightCurve: LightCurve }[] }>(QUERY, { ids });
    return sum(objects.map(({ lightCurve }) => pointsOf(lightCurve)));
  };
}
/** The same light curves as the store's, out of the rows' text. */
function select(postgres: Postgres): Ask {
  return async (ids) => {
    const curves = new Map<string, { detections: object[]; nonDetections: object[] }>();
    for (const row of await postgres.query(SQL, [`{${ids.join()}}`])) {
      let curve = curves.get(row.object_id!);
      if (curve === undefined) {
        curve = { detections: [], nonDetections: [] };
        curves.set(row.object_id!, curve);
      }
      const at = { jd: Number(row.jd), band: row.band! };
      if (row.kind === "1") {
        curve.detections.push({
          candid: BigInt(row.point_id!),
          ...at,
          magnitude: Number(row.magnitude),
          magnitudeError: Number(row.magnitude_error),
          flux: Number(row.flux),
          fluxError: Number(row.flux_error),
          isPositive: row.is_positive === "t",
        });
      } else curve.nonDetections.push({ ...at, limitingMagnitude: Number(row.limiting_magnitude) });
    }
    return sum([...curves.values()].map((curve) => curve.detections.length + curve.nonDetections.length));
  };
}

async function fill({ client }: TestArchive, postgres: Postgres | null, objects: number): Promise<void> {
  await createArchiveStores(
    client,
    SURVEYS.map(({ description }) => description),
  );
  await postgres?.query(`CREATE UNLOGGED TABLE photometry (object_id text, kind smallint, point_id bigint, jd float8,
    band text, magnitude float8, magnitude_error float8, flux float8, flux_error float8, limiting_magnitude float8,
    is_positive bool)`);
  const next = random(1);
  for (let from = 0; from < objects; from += BLOCK_OBJECTS) {
    const ids = Array.from({ length: Math.min(BLOCK_OBJECTS, objects - from) }, (_, n) => idOf(from + n));
    const rows = ids.length * POINTS;
    const column = (make: (row: number) => number) => Float64Array.from({ length: rows }, (_, row) => make(row));
    const isDetection = (row: number) => row % POINTS < DETECTIONS;
    const or = (values: Float64Array, detections: boolean) =>
      plain({
        ...floats(values),
        nulls: Uint8Array.from({ length: rows }, (_, row) => (isDetection(row) === detections ? 0 : 1)),
      });
    const objectId = Array.from({ length: rows }, (_, row) => ids[Math.floor(row / POINTS)]!);
    const kind = Uint8Array.from({ length: rows }, (_, row) => (isDetection(row) ? 1 : 2));
    const pointId = BigInt64Array.from({ length: rows }, (_, row) => 10n ** 18n + BigInt(from * POINTS + row));
    const jd = column((row) => 2_458_000 + (row % POINTS) * 3 + next());
    const band = Array.from({ length: rows }, () => (next() < 0.5 ? "g" : "r"));
    const values = [17, 0.1, 5_000, 300, 20].map((scale) => column(() => scale * (1 + 0.2 * next())));
    const [magnitude, magnitudeError, flux, fluxError, limit] = values as [
      Float64Array,
      Float64Array,
      Float64Array,
      Float64Array,
      Float64Array,
    ];
    const ones = new Uint8Array(rows).fill(1);
    await client.insert(
      "tellings",
      blockOf(rows, {
        survey: repeated(rows, "ZTF"),
        objectId: texts(objectId),
        kind: { type: "UInt8", values: kind, nulls: null },
        pointId: signed(pointId),
        jd: floats(jd),
        band: texts(band),
        magnitude: or(magnitude, true),
        magnitudeError: or(magnitudeError, true),
        flux: or(flux, true),
        fluxError: or(fluxError, true),
        limitingMagnitude: or(limit, false),
        isPositive: { type: "Bool", values: ones, nulls: null },
        programid: integers(new Int32Array(rows).fill(1)),
        valuesHash: unsigned(new BigUint64Array(pointId.buffer)),
        firstJd: floats(jd),
        firstCandid: signed(pointId),
      }),
      {
        unstored: ["firstJd", "firstCandid"],
        computed: { firstTold: precedence("firstJd", "firstCandid"), lastTold: precedence("firstJd", "firstCandid") },
      },
    );
    const alerts = ids.length;
    await client.insert(
      "object_alerts",
      blockOf(alerts, {
        survey: repeated(alerts, "ZTF"),
        objectId: texts(ids),
        jd: floats(new Float64Array(alerts).fill(2_458_100)),
        candid: signed(BigInt64Array.from(ids, (_, n) => BigInt(from + n))),
        programid: integers(new Int32Array(alerts).fill(1)),
        ra: floats(new Float64Array(alerts)),
        dec: floats(new Float64Array(alerts)),
      }),
    );
    const line = (row: number) => {
      const [own, other] = isDetection(row)
        ? [[magnitude[row], magnitudeError[row], flux[row], fluxError[row]].join("\t"), "\\N"]
        : ["\\N\t\\N\t\\N\t\\N", limit[row]];
      return `${objectId[row]}\t${kind[row]}\t${pointId[row]}\t${jd[row]}\t${band[row]}\t${own}\t${other}\tt\n`;
    };
    await postgres?.copy("photometry", Array.from({ length: rows }, (_, row) => line(row)).join(""));
  }
  for (const table of ["tellings", "object_alerts"]) await client.command(`OPTIMIZE TABLE ${table} FINAL`);
  await postgres?.query("CREATE INDEX by_object ON photometry (object_id, jd)");
  await postgres?.query("VACUUM ANALYZE photometry");
}

/** Timings of each side, round by round: `repeats` requests a round, the same ones for every side. */
async function measure(sides: readonly Side[], rounds: number, repeats: number, pick: () => string[]) {
  const timings: Timing[][] = sides.map(() => []);
  for (const side of sides) for (let warm = 0; warm < Math.min(3, rounds); warm++) await side.ask(pick());
  for (let round = 0; round < rounds; round++) {
    const asked = Array.from({ length: repeats }, pick);
    for (const [n, side] of sides.entries()) {
      const timing = await timed(async () => {
        for (const ids of asked) {
          const found = await side.ask(ids);
          if (found !== ids.length * POINTS) throw new Error(`${side.name} found ${found} points.`);
        }
      }, side.pids);
      timings[n]!.push(timing);
    }
  }
  return timings;
}

function result(
  sides: readonly Side[],
  measured: readonly { size: number; repeats: number; timings: Timing[][] }[],
  sizes: BenchResult["sizes"],
): BenchResult {
  const rows = measured.flatMap(({ size, repeats, timings }) =>
    sides.map(({ name }, n) => {
      const wall = spread(timings[n]!.map(({ wallSeconds }) => (wallSeconds * 1000) / repeats));
      const cpu = spread(timings[n]!.map(({ cpuSeconds }) => (cpuSeconds * 1000) / repeats));
      return {
        side: name,
        objects: size,
        ms: wall.median,
        "min ms": wall.min,
        "max ms": wall.max,
        "CPU ms": cpu.median,
      };
    }),
  );
  const against: Record<string, ReturnType<typeof ratios>> = {};
  if (sides.length > 2) {
    const walls = (timings: readonly Timing[]) => timings.map(({ wallSeconds }) => wallSeconds);
    for (const { size, timings } of measured) {
      for (const n of [0, 1]) {
        against[`${size}, ${sides[n]!.name} / PostgreSQL`] = ratios(walls(timings[n]!), walls(timings[2]!));
      }
    }
  }
  const goals = [
    { name: "1, tocsin store / PostgreSQL", text: "one object: store at most 1.5 times PostgreSQL", most: 1.5 },
    { name: "1000, tocsin store / PostgreSQL", text: "1,000 objects: store at most half of PostgreSQL", most: 0.5 },
  ].flatMap(({ name, text, most }) => {
    const ratio = against[name];
    return ratio === undefined ? [] : [{ text, reached: ratio.median.toFixed(2), met: ratio.median <= most }];
  });
  return { name: "lightcurve", sizes, rows, ratios: against, goals };
}
