// One piece of a backtest: its nights counted, and the first alerts of it that pass. Called by backtest.ts.
import type { ArchiveExpression, BacktestKey, BacktestNight } from "../backtest.store.js";
import type { EnrichedArchive } from "./backtest.window.js";
import { bigints, numbers } from "./blocks.js";
import { type EnrichedWindow, enrichedAlerts } from "./enriched/source.js";
import { EVALUATION_SETTINGS } from "./evaluation.js";
import { NIGHT } from "./nights.js";

export async function tallied(
  { client, sources, survey }: EnrichedArchive,
  window: EnrichedWindow,
  condition: ArchiveExpression,
  first: number,
  after: BacktestKey | null,
): Promise<{ nights: BacktestNight[]; keys: BacktestKey[] }> {
  const alerts = enrichedAlerts(sources, window, condition.columns);
  const behind =
    after === null ? "" : " AND (jd > {afterJd:Float64} OR (jd = {afterJd:Float64} AND candid > {afterCandid:Int64}))";
  const block = await client.query(
    `SELECT night, scanned, passed, arrayMap(key -> key.1, keys) AS jds, arrayMap(key -> key.2, keys) AS candids FROM (
      SELECT ${NIGHT} AS night, count() AS scanned, countIf(passes) AS passed,
        groupArraySortedIf(${Math.max(1, Math.floor(first))})((jd, candid), passes${behind}) AS keys
      FROM (SELECT jd, candid, ${condition.sql} AS passes FROM ${alerts.sql})
      GROUP BY night ORDER BY night
    ) SETTINGS max_threads = 1, ${EVALUATION_SETTINGS}`,
    {
      ...alerts.parameters,
      nightOffsetHours: survey.nightOffsetHours,
      ...(after && { afterJd: after.jd, afterCandid: after.candid }),
    },
  );
  const night = numbers(block, "night");
  const scanned = bigints(block, "scanned");
  const passed = bigints(block, "passed");
  const nights = Array.from({ length: block.rows }, (_, row) => ({
    night: night[row]!,
    scanned: Number(scanned[row]!),
    passed: Number(passed[row]!),
  }));
  // Nights ascend, and the keys within each.
  const jds = block.lists?.get("jds")?.items.values as Float64Array | undefined;
  const candids = block.lists?.get("candids")?.items.values as BigInt64Array | undefined;
  const keys = Array.from(candids ?? [], (candid, n) => ({ jd: jds![n]!, candid }));
  return { nights, keys: keys.slice(0, first) };
}
