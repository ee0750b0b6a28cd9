// Alerts of a window tried by a condition: counted by night, with the first that pass. Called by backtest.run.ts.
import type { Block } from "../../domain/columns.js";
import type { ArchiveExpression, BacktestKey } from "../backtest.store.js";
import type { EnrichedArchive } from "./backtest.window.js";
import { bigints, numbers } from "./blocks.js";
import { ENRICHED_KEYS, type EnrichedWindow, enrichedAlerts } from "./enriched/source.js";
import { EVALUATION_SETTINGS } from "./evaluation.js";
import { quoted } from "./http.form.js";
import { NIGHT } from "./nights.js";

/** Alerts by their night. */
export type Counts = ReadonlyMap<number, number>;

const SETTINGS = `SETTINGS max_threads = 1, ${EVALUATION_SETTINGS}`;
const BEHIND = "(jd > {afterJd:Float64} OR (jd = {afterJd:Float64} AND candid > {afterCandid:Int64}))";
/** The name of the table that goes with a statement. */
const ASKED = "asked";

/** Those that pass, by night; and of them the first after a place, oldest first. */
export async function passingOf(
  { client, sources, survey }: EnrichedArchive,
  window: EnrichedWindow,
  { sql, columns }: ArchiveExpression,
  first: number,
  after: BacktestKey | null,
  chosen: Block | null = null,
): Promise<{ passed: Counts; keys: BacktestKey[] }> {
  const asked = chosen && { name: ASKED, block: chosen };
  const alerts = await enrichedAlerts(sources, asked === null ? window : { ...window, asked }, columns);
  const block = await client.query(
    `SELECT night, alerts, arrayMap(key -> key.1, keys) AS jds, arrayMap(key -> key.2, keys) AS candids FROM (
      SELECT ${NIGHT} AS night, count() AS alerts,
        groupArraySortedIf(${Math.max(1, Math.floor(first))})((jd, candid), ${after === null ? "1" : BEHIND}) AS keys
      FROM (SELECT jd, candid FROM ${alerts.sql} WHERE ${sql})
      GROUP BY night ORDER BY night
    ) ${SETTINGS}`,
    {
      ...alerts.parameters,
      nightOffsetHours: survey.nightOffsetHours,
      ...(after && { afterJd: after.jd, afterCandid: after.candid }),
    },
    alerts,
  );
  // Nights ascend, and the keys within each.
  const jds = block.lists?.get("jds")?.items.values as Float64Array | undefined;
  const candids = block.lists?.get("candids")?.items.values as BigInt64Array | undefined;
  const keys = Array.from(candids ?? [], (candid, n) => ({ jd: jds![n]!, candid })).slice(0, first);
  return { passed: countsOf(block), keys };
}

/** All of them, by night. */
export async function scannedOf({ client, sources, survey }: EnrichedArchive, window: EnrichedWindow): Promise<Counts> {
  const alerts = await enrichedAlerts(sources, window, []);
  const block = await client.query(
    `SELECT ${NIGHT} AS night, count() AS alerts FROM ${alerts.sql} GROUP BY night ORDER BY night ${SETTINGS}`,
    { ...alerts.parameters, nightOffsetHours: survey.nightOffsetHours },
    alerts,
  );
  return countsOf(block);
}

/** Those that pass by their own columns, with these and what others are joined by; the alerts of an object together. */
export async function chosenOf(
  { client, sources, table }: EnrichedArchive,
  window: EnrichedWindow,
  columns: readonly string[],
): Promise<Block> {
  const own = [...new Set([...ENRICHED_KEYS, ...columns.filter((column) => table.columns.has(column))])];
  const alerts = await enrichedAlerts(sources, window, own);
  return client.query(
    `SELECT ${own.map(quoted).join(", ")} FROM ${alerts.sql} ORDER BY objectId ${SETTINGS}`,
    alerts.parameters,
    alerts,
  );
}

function countsOf(block: Block): Counts {
  const night = numbers(block, "night");
  return new Map(Array.from(bigints(block, "alerts"), (count, row) => [night[row]!, Number(count)]));
}
