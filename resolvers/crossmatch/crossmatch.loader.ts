// Matches of all alerts of a level of a request in one query for each survey and time.
import DataLoader from "dataloader";
import type { Alert } from "../../domain/alert.js";
import type { Catalog } from "../../domain/catalog.js";
import { MAX_PAGE } from "../../schema/paging/bounds.js";
import type { MatchStore, StoredMatch } from "../../stores/matches.store.js";
import { type HostedObject, type SourceKey, type SourceLinkStore, sourceKey } from "../../stores/sources.store.js";

export interface MatchKey extends Pick<Alert, "survey" | "jd" | "candid"> {
  /** As they stood at that time, a JD of UTC; absent or null: as they stand. */
  readonly asOf?: number | null | undefined;
}

/** Keys of alerts that the viewer may see: who sees an alert may see what lies there. */
export const matchLoader = (matches: Pick<MatchStore, "ofAlerts">, active: () => readonly Catalog[]) =>
  new DataLoader<MatchKey, readonly StoredMatch[], string>(
    async (keys) => {
      const catalogs = active().map(({ name }) => name);
      const found = new Map(
        await Promise.all(
          [...new Map(keys.map((key) => [groupOf(key), key]))].map(async ([group, { survey, asOf }]) => {
            const own = keys.filter((key) => groupOf(key) === group);
            return [group, await matches.ofAlerts(survey, own, catalogs, asOf ?? null)] as const;
          }),
        ),
      );
      return keys.map((key) => found.get(groupOf(key))?.get(key.candid) ?? []);
    },
    { cacheKeyFn: (key) => `${groupOf(key)}:${key.candid}`, maxBatchSize: MAX_PAGE },
  );

const groupOf = ({ survey, asOf }: MatchKey): string => `${survey}:${asOf ?? ""}`;

/** Keys only: who may see an object, and whether this is its host, is for others to say. */
export const hostedLoader = (sources: Pick<SourceLinkStore, "hosted">) =>
  new DataLoader<SourceKey, readonly HostedObject[], string>(
    async (keys) => {
      const found = await sources.hosted(keys);
      return keys.map((key) => found.get(sourceKey(key)) ?? []);
    },
    { cacheKeyFn: sourceKey, maxBatchSize: MAX_PAGE },
  );
