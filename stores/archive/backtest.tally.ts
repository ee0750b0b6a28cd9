// One piece of a backtest: its nights counted, and the first alerts of it that pass. Called by backtest.ts.
import type { Block } from "../../domain/columns.js";
import type { ArchiveCondition, BacktestKey, BacktestNight } from "../backtest.store.js";
import { allOf, type EnrichedArchive, partsOf } from "./backtest.window.js";
import { bigints, numbers } from "./blocks.js";
import { type EnrichedWindow, enrichedAlerts } from "./enriched/source.js";
import { EVALUATION_SETTINGS } from "./evaluation.js";
import { NIGHT } from "./nights.js";

export interface AskedPage {
  readonly first: number;
  readonly after: BacktestKey | null;
  /** Whether nights are asked for: all alerts are counted then, not only those that pass. */
  readonly counted: boolean;
}

export async function tallied(
  archive: EnrichedArchive,
  window: EnrichedWindow,
  condition: ArchiveCondition,
  { first, after, counted }: AskedPage,
): Promise<{ nights: BacktestNight[]; keys: BacktestKey[] }> {
  const { client, sources, survey, table } = archive;
  const { own, rest } = partsOf(table, condition);
  const { sql, columns } = allOf(rest);
  const alerts = enrichedAlerts(sources, { ...window, passing: own }, columns);
  const behind = "(jd > {afterJd:Float64} OR (jd = {afterJd:Float64} AND candid > {afterCandid:Int64}))";
  const settings = `SETTINGS max_threads = 1, ${EVALUATION_SETTINGS}`;
  const nightly = { nightOffsetHours: survey.nightOffsetHours };
  const passed = await client.query(
    `SELECT night, alerts, arrayMap(key -> key.1, keys) AS jds, arrayMap(key -> key.2, keys) AS candids FROM (
      SELECT ${NIGHT} AS night, count() AS alerts,
        groupArraySortedIf(${Math.max(1, Math.floor(first))})((jd, candid), ${after === null ? "1" : behind}) AS keys
      FROM (SELECT jd, candid FROM ${alerts.sql} WHERE ${sql})
      GROUP BY night ORDER BY night
    ) ${settings}`,
    { ...alerts.parameters, ...nightly, ...(after && { afterJd: after.jd, afterCandid: after.candid }) },
  );
  // Nights ascend, and the keys within each.
  const jds = passed.lists?.get("jds")?.items.values as Float64Array | undefined;
  const candids = passed.lists?.get("candids")?.items.values as BigInt64Array | undefined;
  const keys = Array.from(candids ?? [], (candid, n) => ({ jd: jds![n]!, candid })).slice(0, first);
  if (!counted) return { nights: [], keys };

  const all = enrichedAlerts(sources, window, []);
  const scanned = await client.query(
    `SELECT ${NIGHT} AS night, count() AS alerts FROM ${all.sql} GROUP BY night ORDER BY night ${settings}`,
    { ...all.parameters, ...nightly },
  );
  const passedBy = new Map(nightCounts(passed));
  const nights = nightCounts(scanned).map(([night, count]) => ({
    night,
    scanned: count,
    passed: passedBy.get(night) ?? 0,
  }));
  return { nights, keys };
}

function nightCounts(block: Block): [number, number][] {
  const night = numbers(block, "night");
  return Array.from(bigints(block, "alerts"), (count, row) => [night[row]!, Number(count)]);
}
