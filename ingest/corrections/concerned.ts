// Which active filters read a name, so that only they are run again. Used by teller.ts and recheck.ts.
import type { Survey } from "../../domain/survey.js";
import type { ActiveFilters } from "../../filters/active.js";
import type { CompiledExpression } from "../../filters/compile.js";

/** The version in force of an active filter. */
export interface ConcernedFilter {
  readonly id: string;
  /** Passes where all of them hold; null: a name that it reads is gone, so nothing passes. */
  readonly parts: readonly CompiledExpression[] | null;
}

/** Those that read one of the names or what belongs to it: `match.stars` for match.stars.id. */
export async function concerned(
  active: Pick<ActiveFilters, "of">,
  survey: Survey,
  reads: readonly string[],
): Promise<ConcernedFilter[]> {
  const { filters, broken } = await active.of(survey);
  const isRead = (column: string): boolean => reads.some((name) => column === name || column.startsWith(`${name}.`));
  const compiled = filters.map(({ id, where }) => ({
    id,
    parts: [where.quick, where.slow].filter((part) => part !== null),
  }));
  return [
    ...compiled.filter(({ parts }) => parts.some(({ columns }) => columns.some(isRead))),
    // The message begins with what is missing.
    ...broken.flatMap(({ filterId, message }) => {
      return (message.split(";")[0]!.match(/\w+(?:\.\w+)+/g) ?? []).some(isRead) ? [{ id: filterId, parts: null }] : [];
    }),
  ];
}
