// What re-matching replaces: kept where it is another one, for those who ask what stood at a time. Called by matches.ts.
import type { Block, Column, ListColumn } from "../../domain/columns.js";
import { takeRows } from "../../domain/rows.js";
import type { Survey } from "../../domain/survey.js";
import { bigints, blockOf, chosen, column, repeated, strings, unsigned } from "./blocks.js";
import type { ArchiveClient } from "./client.js";

/** Lists of a row of `matches`, which say what people and filters see. */
export const MATCH_LISTS = [
  ...["id", "separationArcsec", "ra", "dec"],
  ...["numberNames", "numbers", "textNames", "texts"],
] as const;

const LISTS = MATCH_LISTS.join(", ");

/**
 * SELECT of these columns and `toldFirst`, the batch that told the same first, of rows of `matches` that a condition over survey,
 * catalog, jd and candid chooses; more than one of an alert and catalog until parts are merged.
 */
export const sinceWhen = (columns: string, where: string): string =>
  `SELECT ${columns}, if(batch >= sinceFirst AND batch <= sinceLast, sinceFirst, batch) AS toldFirst FROM (
    SELECT ${columns} FROM matches WHERE ${where}
  ) AS latest
  ANY LEFT JOIN (
    SELECT catalog, candid, firstBatch AS sinceFirst, batch AS sinceLast FROM matches_since AS since WHERE ${where}
    ORDER BY catalog, jd, candid, batch DESC LIMIT 1 BY catalog, jd, candid
  ) AS known USING (catalog, candid)`;

/**
 * Rows of one catalog are about to take the place of others: those that tell otherwise are kept, of the others since when.
 * Candids of the rows that tell otherwise than those before.
 */
export async function keepBefore(
  client: ArchiveClient,
  survey: Survey,
  batchId: bigint,
  rows: Block,
): Promise<ReadonlySet<bigint>> {
  const chosenRows =
    "survey = {survey:String} AND catalog = {catalog:String} AND (jd, candid) IN (SELECT jd, candid FROM asked)";
  const old = await client.query(
    `${sinceWhen(`catalog, jd, candid, objectId, revision, version, ${LISTS}, batch`, chosenRows)}
    ORDER BY jd, candid, batch DESC LIMIT 1 BY jd, candid`,
    { survey, catalog: strings(rows, "catalog")[0]! },
    { external: [{ name: "asked", block: blockOf(rows.rows, chosen(rows, ["jd", "candid"])) }] },
  );
  const oldRows = new Map(Array.from(bigints(old, "candid"), (candid, row) => [candid, row]));
  const changed = new Set<bigint>();
  const replaced: number[] = [];
  const alike: number[] = [];
  for (const [row, candid] of bigints(rows, "candid").entries()) {
    const before = oldRows.get(candid);
    if (before !== undefined && tellsTheSame(old, before, rows, row)) {
      alike.push(before);
      continue;
    }
    changed.add(candid);
    if (before !== undefined) replaced.push(before);
  }
  if (replaced.length > 0) {
    const kept = takeRows(old, Uint32Array.from(replaced));
    await client.insert("matches_before", { ...kept, columns: columnsOf(kept, survey) });
  }
  if (alike.length > 0) {
    const told = blockOf(old.rows, chosen(old, ["catalog", "jd", "candid", "objectId", "toldFirst"]));
    const since = takeRows(told, Uint32Array.from(alike));
    const batch = unsigned(new BigUint64Array(since.rows).fill(batchId));
    await client.insert("matches_since", { ...since, columns: columnsOf(since, survey).set("batch", batch) });
  }
  return changed;
}

function columnsOf(block: Block, survey: Survey): Map<string, Column> {
  const columns = new Map(block.columns)
    .set("survey", repeated(block.rows, survey))
    .set("firstBatch", column(block, "toldFirst"));
  columns.delete("toldFirst");
  return columns;
}

const tellsTheSame = (a: Block, rowA: number, b: Block, rowB: number): boolean =>
  MATCH_LISTS.every((name) => sameItems(a.lists!.get(name)!, rowA, b.lists!.get(name)!, rowB));

function sameItems(a: ListColumn, rowA: number, b: ListColumn, rowB: number): boolean {
  const startOf = ({ ends }: ListColumn, row: number) => (row === 0 ? 0 : ends[row - 1]!);
  const [fromA, fromB] = [startOf(a, rowA), startOf(b, rowB)];
  const length = a.ends[rowA]! - fromA;
  if (length !== b.ends[rowB]! - fromB) return false;
  for (let n = 0; n < length; n++) {
    const isMissing = a.items.nulls?.[fromA + n] === 1;
    if (isMissing !== (b.items.nulls?.[fromB + n] === 1)) return false;
    // NaN, a missing number, is the same as NaN.
    if (!isMissing && !Object.is(a.items.values[fromA + n], b.items.values[fromB + n])) return false;
  }
  return true;
}
