// What a filter costs beside an ordinary one, and the quota of active filters. Called by checkFilter and by whatever
// activates a filter.
import { TocsinError } from "../domain/errors.js";
import type { Survey } from "../domain/survey.js";
import type { Context } from "./context.js";

export interface Cost {
  readonly milliseconds: number;
  readonly medians: number;
}

/** Of the whole condition, and of each clause by itself; null where the archive has no alerts to measure by. */
export interface FilterCost {
  readonly whole: Cost;
  readonly clauses: readonly (Cost & { readonly text: string; readonly line: number; readonly column: number })[];
}

/**
 * The whole of the median filters is measured at once, in the same minute and on the same alerts, and divided: so a slow
 * machine changes no cost. The text must be valid.
 */
export async function costOfFilter(
  { stores, services, viewer }: Pick<Context, "stores" | "services" | "viewer">,
  survey: Survey,
  where: string,
  withClauses = false,
): Promise<FilterCost | null> {
  const { design } = services;
  const medians = design.median(survey);
  const ordinary = {
    sql: `(${medians.map(({ sql }) => `toUInt8(${sql})`).join(" + ")})`,
    columns: [...new Set(medians.flatMap(({ columns }) => columns))],
  };
  const clauses = withClauses ? design.clauses(survey, where) : [];
  const costs = await stores.backtest.cost(viewer, survey, [
    ordinary,
    design.condition(survey, where),
    ...clauses.map(({ condition }) => condition),
  ]);
  if (costs === null) return null;
  const one = Math.max(costs[0]! / medians.length, LEAST_MS);
  const told = (ms: number): Cost => ({ milliseconds: ms, medians: ms / one });
  return {
    whole: told(costs[1]!),
    clauses: clauses.map(({ text, line, column }, n) => ({ text, line, column, ...told(costs[n + 2]!) })),
  };
}

/** Below this the clock tells nothing. */
const LEAST_MS = 0.05;

/** Throws FILTER_TOO_COSTLY where an active filter of this text would cost more than the service allows. */
export async function requireCheap(context: Context, survey: Survey, where: string): Promise<void> {
  const limit = context.services.costLimit;
  if (limit === undefined) return;
  const cost = await costOfFilter(context, survey, where);
  if (cost === null || cost.whole.medians <= limit) return;
  const { whole, clauses } = (await costOfFilter(context, survey, where, true)) ?? { ...cost };
  // It was a moment's load of the machine.
  if (whole.medians <= limit) return;
  const dearest = [...clauses].sort((a, b) => b.medians - a.medians)[0]!;
  const place = `line ${dearest.line}, column ${dearest.column}`;
  throw new TocsinError(
    "FILTER_TOO_COSTLY",
    `The filter costs as much as ${Math.ceil(whole.medians)} ordinary ones, an active one at most ${limit}; its dearest ` +
      `clause, at ${place}, as much as ${Math.ceil(dearest.medians)}.`,
    { details: { medians: whole.medians, limit, clauses } },
  );
}
