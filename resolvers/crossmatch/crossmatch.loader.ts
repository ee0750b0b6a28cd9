// Matches of all alerts of a level of a request in one query for each survey.
import DataLoader from "dataloader";
import type { Alert } from "../../domain/alert.js";
import type { Catalog } from "../../domain/catalog.js";
import { MAX_PAGE } from "../../schema/paging/bounds.js";
import type { MatchStore, StoredMatch } from "../../stores/matches.store.js";
import { type HostedObject, type SourceKey, type SourceLinkStore, sourceKey } from "../../stores/sources.store.js";

export type MatchKey = Pick<Alert, "survey" | "jd" | "candid">;

/** Keys of alerts that the viewer may see: who sees an alert may see what lies there. */
export const matchLoader = (matches: Pick<MatchStore, "ofAlerts">, active: () => readonly Catalog[]) =>
  new DataLoader<MatchKey, readonly StoredMatch[], string>(
    async (keys) => {
      const catalogs = active().map(({ name }) => name);
      const surveys = [...new Set(keys.map(({ survey }) => survey))];
      const found = new Map(
        await Promise.all(
          surveys.map(async (survey) => {
            const own = keys.filter((key) => key.survey === survey);
            return [survey, await matches.ofAlerts(survey, own, catalogs)] as const;
          }),
        ),
      );
      return keys.map(({ survey, candid }) => found.get(survey)?.get(candid) ?? []);
    },
    { cacheKeyFn: ({ survey, candid }) => `${survey}:${candid}`, maxBatchSize: MAX_PAGE },
  );

/** Keys only: who may see an object, and whether this is its host, is for others to say. */
export const hostedLoader = (sources: Pick<SourceLinkStore, "hosted">) =>
  new DataLoader<SourceKey, readonly HostedObject[], string>(
    async (keys) => {
      const found = await sources.hosted(keys);
      return keys.map((key) => found.get(sourceKey(key)) ?? []);
    },
    { cacheKeyFn: sourceKey, maxBatchSize: MAX_PAGE },
  );
