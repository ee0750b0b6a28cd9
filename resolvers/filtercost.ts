// What a filter costs beside an ordinary one, and the quota of active filters. Called by checkFilter and by whatever
// activates a filter.
import { TocsinError } from "../domain/errors.js";
import type { Annotation } from "../domain/filter.js";
import type { Survey } from "../domain/survey.js";
import type { Context } from "./context.js";

export interface Cost {
  readonly milliseconds: number;
  readonly medians: number;
}

/** Of the whole condition, of each clause by itself, and of all annotations if every alert passed. */
export interface FilterCost {
  readonly whole: Cost;
  readonly annotations: Cost;
  readonly clauses: readonly (Cost & { readonly text: string; readonly line: number; readonly column: number })[];
}

/**
 * Null where the archive has no alerts to measure by. The whole of the median filters is measured at once, in the same minute and on the same alerts, and divided: so a slow
 * machine changes no cost. The text must be valid.
 */
export async function costOfFilter(
  { stores, services, viewer }: Pick<Context, "stores" | "services" | "viewer">,
  survey: Survey,
  where: string,
  annotations: readonly Annotation[] = [],
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
    ...design.annotations(survey, annotations).map(({ value }) => value),
  ]);
  if (costs === null) return null;
  const one = Math.max(costs[0]! / medians.length, LEAST_MS);
  const told = (ms: number): Cost => ({ milliseconds: ms, medians: ms / one });
  return {
    whole: told(costs[1]!),
    annotations: told(costs.slice(2 + clauses.length).reduce((sum, ms) => sum + ms, 0)),
    clauses: clauses.map(({ text, line, column }, n) => ({ text, line, column, ...told(costs[n + 2]!) })),
  };
}

/** Below this the clock tells nothing. */
const LEAST_MS = 0.05;

/** Throws FILTER_TOO_COSTLY where an active filter of this text would cost more than the service allows. */
export async function requireCheap(
  context: Context,
  survey: Survey,
  where: string,
  annotations: readonly Annotation[],
): Promise<void> {
  const limit = context.services.costLimit;
  if (limit === undefined) return;
  const cost = await costOfFilter(context, survey, where, annotations);
  if (cost === null || cost.whole.medians + cost.annotations.medians <= limit) return;
  const passing = annotations.length === 0 ? 0 : await passingShare(context, survey, where);
  const sum = ({ whole, annotations }: FilterCost) => whole.medians + passing * annotations.medians;
  if (sum(cost) <= limit) return;
  const again = (await costOfFilter(context, survey, where, annotations, true)) ?? cost;
  // It was a moment's load of the machine.
  if (sum(again) <= limit) return;
  const { whole, clauses } = again;
  const inAnnotations = passing * again.annotations.medians;
  const dearest = [...clauses].sort((a, b) => b.medians - a.medians)[0];
  const told =
    dearest === undefined || inAnnotations > whole.medians
      ? `what its annotations add, for the share of the alerts that pass, as much as ${Math.ceil(inAnnotations)}`
      : `its dearest clause, at line ${dearest.line}, column ${dearest.column}, as much as ${Math.ceil(dearest.medians)}`;
  throw new TocsinError(
    "FILTER_TOO_COSTLY",
    `The filter costs as much as ${Math.ceil(sum(again))} ordinary ones, an active one at most ${limit}; ${told}.`,
    { details: { medians: sum(again), limit, clauses } },
  );
}

/** Of the alerts of the newest night: annotations are made of what passes. */
async function passingShare({ stores, services, viewer }: Context, survey: Survey, where: string): Promise<number> {
  const { scanned, passed } = await stores.backtest.funnel(viewer, survey, 1, [
    services.design.condition(survey, where),
  ]);
  return scanned === 0 ? 1 : passed / scanned;
}
