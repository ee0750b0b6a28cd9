// One query per survey for all keys of a level of a request. Used by the loaders of every area.
import DataLoader from "dataloader";
import type { Survey } from "../domain/survey.js";
import { MAX_PAGE } from "../schema/paging/bounds.js";

export interface SurveyKey<Id> {
  readonly survey: Survey;
  readonly id: Id;
  /** As it stood at that time, a JD of UTC; absent or null: as it stands. */
  readonly asOf?: number | null | undefined;
}

/** Rows by survey, id and time, null where there is none; `load` sees each id once and at most 1,000 at a time. */
export function surveyLoader<Id extends string | bigint, Row>(
  load: (survey: Survey, ids: readonly Id[], asOf: number | null) => Promise<ReadonlyMap<Id, Row>>,
): DataLoader<SurveyKey<Id>, Row | null, string> {
  return new DataLoader(
    async (keys) => {
      const asked = new Map<string, [SurveyKey<Id>, ...SurveyKey<Id>[]]>();
      for (const key of keys) {
        const same = asked.get(groupOf(key));
        if (same) same.push(key);
        else asked.set(groupOf(key), [key]);
      }
      const rows = new Map<string, ReadonlyMap<Id, Row>>();
      await Promise.all(
        [...asked].map(async ([group, same]) => {
          const [{ survey, asOf }] = same;
          rows.set(
            group,
            await load(
              survey,
              same.map(({ id }) => id),
              asOf ?? null,
            ),
          );
        }),
      );
      return keys.map((key) => rows.get(groupOf(key))?.get(key.id) ?? null);
    },
    { cacheKeyFn: (key) => `${groupOf(key)}:${key.id}`, maxBatchSize: MAX_PAGE },
  );
}

const groupOf = ({ survey, asOf }: SurveyKey<unknown>): string => `${survey}:${asOf ?? ""}`;
