// Sources of light-curve archives near positions, and points of sources: a join by cells of the sky, one statement for
// all positions. Called by archival.ts.
import type { ArchivalPoint, ArchivalSource } from "../../domain/archival.js";
import type { Block } from "../../domain/columns.js";
import { TocsinError } from "../../domain/errors.js";
import { type ArchivalSourceKey, MOST_POINTS, type PointsWanted } from "../archival.store.js";
import { bigints, blockOf, counts, floats, numbers, strings, texts, unsigned } from "./blocks.js";
import { NEAR, PAIR_SEPARATION, POSITIONS, type Positions, wantedCells } from "./catalogs.near.js";
import { CATALOG_ORDER } from "./catalogs.table.js";
import type { ArchiveClient } from "./client.js";
import { quoted } from "./http.form.js";

const TIMEOUT_MS = 120_000;
/** Sent again, a row may stand there twice until parts are merged. */
const FINAL = "FINAL";
/** Merging stays within a load's partition: without this FINAL reads all of them. */
export const SETTINGS = "SETTINGS enable_analyzer = 0, do_not_merge_across_partitions_select_final = 1";

export interface SourcesWanted {
  readonly loads: readonly number[];
  readonly positions: Positions;
  /** Of each position. */
  readonly limit: number;
  /** Only with a single position. */
  readonly after: ArchivalSourceKey | null;
}

export async function sourcesNear(client: ArchiveClient, wanted: SourcesWanted): Promise<ArchivalSource[][]> {
  const { loads, positions, limit, after } = wanted;
  const found: ArchivalSource[][] = Array.from(positions.ra, () => []);
  if (loads.length === 0) return found;
  for (let from = 0; from < positions.ra.length; from += POSITIONS) {
    const { block, order } = wantedCells(positions, from, Math.min(from + POSITIONS, positions.ra.length));
    if (block.rows === 0) continue;
    const answer = await client.query(
      sourcesText(order, after !== null),
      {
        loads,
        limit,
        ...(after !== null && {
          afterSeparation: after.separationArcsec,
          afterLoad: after.load,
          afterId: after.id,
          afterBand: after.band,
        }),
      },
      { external: [{ name: "wanted", block }], timeoutMs: TIMEOUT_MS },
    );
    const places = numbers(answer, NEAR.n);
    for (const [row, source] of shownSources(answer).entries()) found[places[row]!]!.push(source);
  }
  return found;
}

function sourcesText(order: number, isLater: boolean): string {
  const place = `intDiv(cell, ${4 ** (CATALOG_ORDER - order)})`;
  const kept = "load, cell, source, band, id, ra, dec, fields";
  const [n, cell, dec, radius, separation] = [NEAR.n, NEAR.place, NEAR.dec, NEAR.radius, NEAR.separation].map(quoted);
  const later = `AND (${separation}, load, id, band) >
    ({afterSeparation:Float64}, {afterLoad:UInt64}, {afterId:String}, {afterBand:String})`;
  // A step of declination first: the rest is worth its cosines for few.
  return `SELECT ${n}, ${PAIR_SEPARATION} AS ${separation}, load, cell, source, toString(band) AS band, id, ra, dec, fields
    FROM (SELECT ${place} AS ${cell}, ${kept} FROM archival_sources ${FINAL}
      WHERE load IN {loads:Array(UInt64)} AND ${place} IN (SELECT ${cell} FROM wanted)) AS sources
    INNER JOIN wanted USING (${cell})
    WHERE abs(dec - ${dec}) * 3600 <= ${radius} + 1e-3 AND ${separation} <= ${radius} ${isLater ? later : ""}
    ORDER BY ${n}, ${separation}, load, id, band LIMIT {limit:UInt32} BY ${n}
    ${SETTINGS}`;
}

function shownSources(block: Block): ArchivalSource[] {
  const [loads, cells, sources] = ["load", "cell", "source"].map((name) => bigints(block, name));
  const [bands, ids, fields] = ["band", "id", "fields"].map((name) => strings(block, name));
  const [ra, dec, separation] = ["ra", "dec", NEAR.separation].map((name) => numbers(block, name));
  return Array.from({ length: block.rows }, (_, row) => ({
    load: Number(loads![row]),
    cell: cells![row]!,
    source: sources![row]!,
    band: bands![row]!,
    id: ids![row]!,
    ra: ra![row]!,
    dec: dec![row]!,
    fields: JSON.parse(fields![row]!) as Record<string, unknown>,
    separationArcsec: separation![row]!,
  }));
}

const POINTS_TEXT = `SELECT n, time, number, magnitude, magnitudeError, colorCoefficient, flags
  FROM (SELECT load, cell, source, toString(band) AS band, time, number, magnitude, magnitudeError, colorCoefficient, flags
    FROM archival_points ${FINAL}
    WHERE load IN {loads:Array(UInt64)} AND (cell, source) IN (SELECT cell, source FROM wanted)) AS points
  INNER JOIN wanted USING (load, cell, source, band)
  WHERE bitAnd(flags, badFlags) = 0 AND time <= upTo AND (time > afterTime OR (time = afterTime AND number > afterNumber))
  ORDER BY n, time, number LIMIT {first:UInt32} BY n LIMIT ${MOST_POINTS + 1}
  ${SETTINGS}`;

export async function pointsOf(
  client: ArchiveClient,
  wanted: readonly PointsWanted[],
  first: number,
): Promise<ArchivalPoint[][]> {
  const found: ArchivalPoint[][] = wanted.map(() => []);
  if (wanted.length === 0) return found;
  const block = blockOf(wanted.length, {
    n: counts(Uint32Array.from(wanted, (_, n) => n)),
    load: unsigned(BigUint64Array.from(wanted, ({ source }) => BigInt(source.load))),
    cell: unsigned(BigUint64Array.from(wanted, ({ source }) => source.cell)),
    source: unsigned(BigUint64Array.from(wanted, ({ source }) => source.source)),
    band: texts(wanted.map(({ source }) => source.band)),
    badFlags: counts(Uint32Array.from(wanted, ({ badFlags }) => badFlags)),
    upTo: floats(Float64Array.from(wanted, ({ upTo }) => upTo ?? Number.POSITIVE_INFINITY)),
    afterTime: floats(Float64Array.from(wanted, ({ after }) => after?.time ?? Number.NEGATIVE_INFINITY)),
    afterNumber: unsigned(BigUint64Array.from(wanted, ({ after }) => after?.number ?? 0n)),
  });
  const loads = [...new Set(wanted.map(({ source }) => source.load))];
  const answer = await client.query(
    POINTS_TEXT,
    { loads, first },
    { external: [{ name: "wanted", block }], timeoutMs: TIMEOUT_MS },
  );
  if (answer.rows > MOST_POINTS) {
    throw new TocsinError("QUERY_TOO_LARGE", `These light curves have more than ${MOST_POINTS} points.`, {
      remedy: "Ask for fewer light curves at once, or for fewer points of each (first).",
    });
  }
  const [time, magnitude, error, color, flags] = [
    "time",
    "magnitude",
    "magnitudeError",
    "colorCoefficient",
    "flags",
  ].map((name) => numbers(answer, name));
  const [places, ids] = [numbers(answer, "n"), bigints(answer, "number")];
  const orNull = (value: number) => (Number.isNaN(value) ? null : value);
  for (let row = 0; row < answer.rows; row++) {
    found[places[row]!]!.push({
      time: time![row]!,
      number: ids[row]!,
      magnitude: magnitude![row]!,
      magnitudeError: orNull(error![row]!),
      colorCoefficient: orNull(color![row]!),
      flags: flags![row]!,
    });
  }
  return found;
}
