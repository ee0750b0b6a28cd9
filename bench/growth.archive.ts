// Archives of one night sky in several sizes: what is near a place, of an object and new in a night is the same in each, only
// the sky is wider and the time longer. Made by the engine out of numbers. Used by growth.bench.ts.
import { nestedPixels } from "../domain/healpix.js";
import { blockOf, floats, integers, repeated, signed, texts, unsigned } from "../stores/archive/blocks.js";
import type { ArchiveClient } from "../stores/archive/client.js";
import { precedence } from "../stores/archive/precedence.js";
import { random } from "./random.js";

/** JD at which every archive ends. */
const END_JD = 2_460_900.5;
export const ALERTS_PER_OBJECT = 5;
const LIMITS_PER_OBJECT = 10;
export const POINTS_PER_OBJECT = ALERTS_PER_OBJECT + LIMITS_PER_OBJECT;
/** Days between the alerts of an object, and nights of an archive of the first size. */
const [ALERT_DAYS, NIGHTS] = [1.5, 30];
/** Objects of a square degree, in a strip of the sky of so many degrees. */
const [DENSITY, STRIP] = [10_000, 5];
/** Objects of the class that no archive has more of. */
const RARE_OBJECTS = 40;
const BLOCK_ROWS = 250_000;
const BATCH = 1_000_000n << 20n;

/** The alert table is wide: a block of the usual size takes more memory than a statement may. */
const IN_SMALL_BLOCKS = `SETTINGS max_block_size = 32768, min_insert_block_size_rows = 131072, max_insert_threads = 1,
  min_insert_block_size_bytes = 134217728, max_threads = 2`;

export const idOf = (n: number): string => `ZTF24${String(n).padStart(8, "0")}`;

export interface Place {
  readonly ra: number;
  readonly dec: number;
}

function* places(objects: number): Generator<{ from: number; ra: Float64Array; dec: Float64Array }> {
  const next = random(7);
  const width = objects / DENSITY / STRIP;
  for (let from = 0; from < objects; from += BLOCK_ROWS) {
    const rows = Math.min(BLOCK_ROWS, objects - from);
    const ra = Float64Array.from({ length: rows }, () => width * next());
    const dec = Float64Array.from({ length: rows }, () => STRIP * (next() - 0.5));
    yield { from, ra, dec };
  }
}

/** Places of some of the objects. */
export function somePlaces(objects: number, count: number): Place[] {
  const { ra, dec } = places(objects).next().value!;
  return Array.from({ length: count }, (_, n) => {
    const at = Math.floor((n * ra.length) / count);
    return { ra: ra[at]!, dec: dec[at]! };
  });
}

/** Rows as the pipeline would have written them, `times` as many as in the first size. The archive must have been migrated. */
export async function fill(client: ArchiveClient, objects: number, times: number): Promise<void> {
  for (const { from, ra, dec } of places(objects)) {
    const rows = ra.length;
    const healpix = new BigUint64Array(rows);
    nestedPixels(ra, dec, healpix);
    await client.insert(
      "positions",
      blockOf(rows, {
        survey: repeated(rows, "ZTF"),
        objectId: texts(Array.from({ length: rows }, (_, n) => idOf(from + n))),
        programid: integers(new Int32Array(rows).fill(1)),
        jd: floats(new Float64Array(rows).fill(END_JD - 1)),
        candid: signed(BigInt64Array.from({ length: rows }, (_, n) => BigInt(from + n))),
        ra: floats(ra),
        dec: floats(dec),
        healpix: unsigned(healpix),
      }),
    );
  }
  const alerts = `SELECT *, toUInt64(substring(objectId, 6)) AS o, arrayJoin(range(${ALERTS_PER_OBJECT})) AS k,
      ${END_JD} - ${NIGHTS * times - ALERTS_PER_OBJECT * ALERT_DAYS} * (cityHash64(o) % 1000003) / 1000003
        - (${ALERTS_PER_OBJECT} - k) * ${ALERT_DAYS} AS at,
      toInt64(2500000000000000000 + k * 1000000000 + o) AS id
    FROM positions`;
  const rare = Math.max(1, Math.floor(objects / RARE_OBJECTS));
  const magnitude = "17 + 4 * (cityHash64(o, k) % 10007) / 10007";
  await client.command(`INSERT INTO batches (batch, survey) VALUES (${BATCH}, 'ZTF')`);
  for (const sql of [
    `INSERT INTO alerts_ztf (candid, objectId, jd, ra, dec, healpix, band, magnitude, magnitudeError, isPositive, programid,
        class, drb, magpsf, sigmapsf, batch)
      SELECT id, objectId, at, ra, dec, healpix, if(k % 2, 'g', 'r'), ${magnitude}, 0.1, true, 1,
        multiIf(o % ${rare} = 0, 'solar-system', o % 20 = 1, 'hosted', 'hostless'), 0.9, ${magnitude}, 0.1, ${BATCH}
      FROM (${alerts})`,
    `INSERT INTO alert_index (survey, candid, batch, objectId, jd, programid, contentHash)
      SELECT 'ZTF', id, ${BATCH}, objectId, at, 1, cityHash64(id) FROM (${alerts})`,
    `INSERT INTO object_alerts (survey, objectId, jd, candid, programid, ra, dec)
      SELECT 'ZTF', objectId, at, id, 1, ra, dec FROM (${alerts})`,
    `INSERT INTO tellings (survey, objectId, kind, pointId, valuesHash, jd, band, magnitude, magnitudeError, isPositive,
        programid, firstTold, lastTold)
      SELECT 'ZTF', objectId, 1, id, 1, at, if(k % 2, 'g', 'r'), ${magnitude}, 0.1, true, 1, told, told
      FROM (SELECT *, ${precedence("at", "id")} AS told FROM (${alerts}))`,
    `INSERT INTO tellings (survey, objectId, kind, pointId, valuesHash, jd, band, limitingMagnitude, programid, firstTold, lastTold)
      SELECT 'ZTF', objectId, 2, n, 1, at - 0.5 * n - 0.01, 'g', 20.5, 1, told, told
      FROM (SELECT *, ${precedence("at", "id")} AS told, arrayJoin(range(${LIMITS_PER_OBJECT})) AS n FROM (${alerts}) WHERE k = 0)`,
  ]) {
    await client.command(`${sql} ${IN_SMALL_BLOCKS}`);
  }
  for (const table of ["positions", "alerts_ztf", "alert_index", "object_alerts", "tellings"]) {
    await client.command(`OPTIMIZE TABLE ${table} FINAL`);
  }
}
