// Scores of all alerts of a level of a request in one query for each survey. Made by resolvers/context.
import DataLoader from "dataloader";
import type { AlertScores } from "../../domain/classifier.js";
import type { Survey } from "../../domain/survey.js";
import type { Viewer } from "../../domain/viewer.js";
import { MAX_PAGE } from "../../schema/paging/bounds.js";
import type { ScoredAlert, ScoreStore } from "../../stores/scores.store.js";

export interface ScoresKey extends ScoredAlert {
  readonly survey: Survey;
  readonly shadow: boolean;
}

export const scoreLoader = (scores: Pick<ScoreStore, "scores">, viewer: Viewer) =>
  new DataLoader<ScoresKey, readonly AlertScores[], string>(
    async (keys) => {
      const group = ({ survey, shadow }: ScoresKey) => `${survey} ${shadow}`;
      const found = new Map<string, ReadonlyMap<bigint, AlertScores[]>>();
      await Promise.all(
        [...new Map(keys.map((key) => [group(key), key])).values()].map(async ({ survey, shadow }) => {
          const alerts = keys.filter((key) => key.survey === survey && key.shadow === shadow);
          found.set(`${survey} ${shadow}`, await scores.scores(viewer, survey, alerts, shadow));
        }),
      );
      return keys.map((key) => found.get(group(key))!.get(key.candid) ?? []);
    },
    { cacheKeyFn: ({ survey, candid, shadow }) => `${survey} ${candid} ${shadow}`, maxBatchSize: MAX_PAGE },
  );
