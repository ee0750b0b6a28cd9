// Archival light curves of all objects of a level of a request in one query, and their points in another.
import DataLoader from "dataloader";
import type { ArchivalPoint, ArchivalSource, LightCurveArchive } from "../../domain/archival.js";
import { MAX_PAGE } from "../../schema/paging/bounds.js";
import type { ArchivalStore, PointsWanted } from "../../stores/archival.store.js";

export interface ArchivalPlace {
  readonly ra: number;
  readonly dec: number;
  readonly radiusArcsec: number;
  readonly loads: readonly number[];
  /** Of the nearest. */
  readonly limit: number;
}

export interface PointsKey extends PointsWanted {
  readonly first: number;
}

/** The archives that answer, asked for once in a request. */
export function archivesOnce(store: Pick<ArchivalStore, "active">): () => Promise<readonly LightCurveArchive[]> {
  let asked: Promise<readonly LightCurveArchive[]> | null = null;
  return () => {
    asked ??= store.active();
    return asked;
  };
}

export const archivalSourceLoader = (store: Pick<ArchivalStore, "near">) =>
  new DataLoader<ArchivalPlace, readonly ArchivalSource[], string>(
    (places) =>
      alike(places, groupOfPlaces, (group) => {
        const { loads, radiusArcsec, limit } = group[0]!;
        const [ra, dec] = [Float64Array.from(group, (one) => one.ra), Float64Array.from(group, (one) => one.dec)];
        return store.near(loads, ra, dec, radiusArcsec, limit);
      }),
    { cacheKeyFn: (place) => `${place.ra} ${place.dec} ${groupOfPlaces(place)}`, maxBatchSize: MAX_PAGE },
  );

/** Light curves of one batch: the sources of 1,000 objects. */
const MOST_CURVES = 10_000;

export const archivalPointLoader = (store: Pick<ArchivalStore, "points">) =>
  new DataLoader<PointsKey, readonly ArchivalPoint[], string>(
    (keys) =>
      alike(
        keys,
        ({ first }) => `${first}`,
        (group) => store.points(group, group[0]!.first),
      ),
    {
      cacheKeyFn: ({ source: { load, cell, source, band }, badFlags, upTo, after, first }) =>
        `${load} ${cell} ${source} ${band} ${badFlags} ${upTo} ${after?.time} ${after?.number} ${first}`,
      maxBatchSize: MOST_CURVES,
    },
  );

const groupOfPlaces = ({ radiusArcsec, loads, limit }: ArchivalPlace): string => `${radiusArcsec} ${loads} ${limit}`;

/** One call of the store for all keys of a group; the answers in the order of the keys. */
async function alike<Key, Answer>(
  keys: readonly Key[],
  groupOf: (key: Key) => string,
  ask: (keys: readonly Key[]) => Promise<readonly Answer[]>,
): Promise<Answer[]> {
  const groups = new Map<string, number[]>();
  for (const [n, key] of keys.entries()) {
    const group = groupOf(key);
    const same = groups.get(group);
    if (same === undefined) groups.set(group, [n]);
    else same.push(n);
  }
  const answers = new Array<Answer>(keys.length);
  for (const places of groups.values()) {
    const found = await ask(places.map((n) => keys[n]!));
    for (const [at, n] of places.entries()) answers[n] = found[at]!;
  }
  return answers;
}
