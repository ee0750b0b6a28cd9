// One query per survey for all keys of a level of a request. Used by the loaders of every area.
import DataLoader from "dataloader";
import type { Survey } from "../domain/survey.js";
import { MAX_PAGE } from "../schema/paging/bounds.js";

export interface SurveyKey<Id> {
  readonly survey: Survey;
  readonly id: Id;
}

/** Rows by survey and id, null where there is none; `load` sees each id once and at most 1,000 at a time. */
export function surveyLoader<Id extends string | bigint, Row>(
  load: (survey: Survey, ids: readonly Id[]) => Promise<ReadonlyMap<Id, Row>>,
): DataLoader<SurveyKey<Id>, Row | null, string> {
  return new DataLoader(
    async (keys) => {
      const rows = new Map<Survey, ReadonlyMap<Id, Row>>();
      await Promise.all(
        [...new Set(keys.map((key) => key.survey))].map(async (survey) => {
          const ids = keys.filter((key) => key.survey === survey).map((key) => key.id);
          rows.set(survey, await load(survey, ids));
        }),
      );
      return keys.map((key) => rows.get(key.survey)?.get(key.id) ?? null);
    },
    { cacheKeyFn: (key) => `${key.survey}:${key.id}`, maxBatchSize: MAX_PAGE },
  );
}
