// The newest alerts that a text matches: backwards from a place in steps, until a page is full. Called by backtest.ts.

import type { Survey } from "../../domain/survey.js";
import type { AlertConditions, AlertKey } from "../alerts.store.js";
import type { ArchiveCondition, BacktestKey } from "../backtest.store.js";
import { chosenAlerts } from "./alerts.page.js";
import { allOf, type EnrichedArchive, enrichedWindow, jdBack, partsOf } from "./backtest.window.js";
import { bigints, numbers } from "./blocks.js";
import { type EnrichedWindow, enrichedAlerts } from "./enriched/source.js";
import { EVALUATION_SETTINGS } from "./evaluation.js";

/** Rows of the first step, of the longest one, and of all of a request. */
const FIRST_STEP = 2_000;
const LONGEST_STEP = 32_000;
const MOST_ROWS = 1_000_000;

/** Up to `first` keys, newest first. `searchedTo`: all newer alerts were looked at, and older ones are left. */
export async function searchBackwards(
  archive: EnrichedArchive,
  where: AlertConditions & { readonly survey: Survey },
  condition: ArchiveCondition,
  first: number,
  after: AlertKey | null,
): Promise<{ keys: BacktestKey[]; searchedTo: AlertKey | null }> {
  const { client, table, visible } = archive;
  const { time, ...others } = where;
  const choice = chosenAlerts(table, others, after);
  const startJd = time?.startJd ?? Number.NEGATIVE_INFINITY;
  let endJd = time?.endJd ?? Number.POSITIVE_INFINITY;
  const keys: BacktestKey[] = [];
  let [step, searched] = [FIRST_STEP, 0];
  while (keys.length < first) {
    if (searched >= MOST_ROWS) {
      // Behind every alert of this time, whichever its candid.
      return { keys, searchedTo: { jd: endJd, candid: -(2n ** 63n), survey: where.survey } };
    }
    const rest = enrichedWindow(table, visible, { startJd, endJd }, choice.clauses, choice.parameters);
    const low = await jdBack(client, rest, step);
    const window =
      low === null ? rest : enrichedWindow(table, visible, { startJd: low, endJd }, choice.clauses, choice.parameters);
    keys.push(...(await newest(archive, window, condition, first - keys.length)));
    if (low === null) break;
    endJd = low;
    searched += step;
    step = Math.min(2 * step, LONGEST_STEP);
  }
  return { keys, searchedTo: null };
}

async function newest(
  { client, sources, table }: EnrichedArchive,
  window: EnrichedWindow,
  condition: ArchiveCondition,
  first: number,
): Promise<BacktestKey[]> {
  const { own, rest } = partsOf(table, condition);
  const { sql, columns } = allOf(rest);
  const alerts = await enrichedAlerts(sources, { ...window, passing: own }, columns);
  const block = await client.query(
    `SELECT jd, candid FROM ${alerts.sql} WHERE ${sql}
    ORDER BY jd DESC, candid DESC LIMIT {first:UInt32} SETTINGS max_threads = 1, ${EVALUATION_SETTINGS}`,
    { ...alerts.parameters, first },
    alerts,
  );
  const jd = numbers(block, "jd");
  return Array.from(bigints(block, "candid"), (candid, row) => ({ jd: jd[row]!, candid }));
}
