// The active filters of a survey, compiled, as they are at this moment. Made by cli/ for run.ts.
import type { Filter } from "../domain/filter.js";
import type { Survey } from "../domain/survey.js";
import type { FilterStore } from "../stores/filters.store.js";
import { type BrokenFilter, type CompiledFilter, compileFilter } from "./compiled.js";
import type { FieldsOf } from "./fields.js";

export interface ActiveSet {
  /** In the order of the store. */
  readonly filters: readonly CompiledFilter[];
  readonly broken: readonly BrokenFilter[];
}

export interface ActiveFilters {
  /** With every change that the store has told of before the call. */
  of(survey: Survey): Promise<ActiveSet>;
  close(): void;
}

type Outcome = CompiledFilter | BrokenFilter;

/**
 * Reads the store at the first call and after each change; compiles each version of a filter once, and anew when what there
 * is to read has changed: a catalog that is gone breaks the filters that read it, one that came mends them.
 */
export function createActiveFilters(
  store: Pick<FilterStore, "active" | "onChange">,
  fieldsOf: FieldsOf,
): ActiveFilters {
  let sets: Promise<ReadonlyMap<Survey, ActiveSet>> | null = null;
  let compiled = new Map<string, Outcome>();
  const ends = [
    store.onChange(() => {
      sets = null;
    }),
    fieldsOf.onChange(() => {
      compiled = new Map();
      sets = null;
    }),
  ];

  async function load(): Promise<ReadonlyMap<Survey, ActiveSet>> {
    const filters = await store.active();
    const before = compiled;
    const kept = new Map<string, Outcome>();
    const bySurvey = new Map<Survey, { filters: CompiledFilter[]; broken: BrokenFilter[] }>();
    for (const filter of filters) {
      const key = `${filter.id} ${filter.versions.at(-1)?.number}`;
      const outcome = before.get(key) ?? compileOrTell(filter, fieldsOf);
      kept.set(key, outcome);
      const set = bySurvey.get(filter.survey) ?? { filters: [], broken: [] };
      bySurvey.set(filter.survey, set);
      if ("where" in outcome) set.filters.push(outcome);
      else set.broken.push(outcome);
    }
    compiled = kept;
    return bySurvey;
  }

  return {
    async of(survey) {
      const loading = sets ?? load();
      sets = loading;
      try {
        return (await loading).get(survey) ?? { filters: [], broken: [] };
      } catch (error) {
        // The next call tries again.
        if (sets === loading) sets = null;
        throw error;
      }
    },
    close: () => {
      for (const end of ends) end();
    },
  };
}

function compileOrTell(filter: Filter, fieldsOf: FieldsOf): Outcome {
  try {
    return compileFilter(filter, fieldsOf(filter.survey));
  } catch (error) {
    return { filterId: filter.id, message: error instanceof Error ? error.message : String(error) };
  }
}
