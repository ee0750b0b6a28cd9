// Objects and the catalogs' sources near them, as links that can be walked both ways. Implemented by stores/graph.
import type { ObjectKey } from "./links.store.js";
import type { StoredMatch } from "./matches.store.js";

export interface SourceKey {
  readonly catalog: string;
  readonly sourceId: string;
}

/** The galaxy that an object most likely lies in. */
export interface Host extends SourceKey {
  readonly separationArcsec: number;
  /** Projected; null where the galaxy is too near to tell. */
  readonly distanceKpc: number | null;
  readonly version: string;
}

/** What lay near one of an object's alerts. */
export interface ObjectSources {
  readonly object: ObjectKey;
  /** Of the alert. */
  readonly jd: number;
  readonly matches: readonly StoredMatch[];
  readonly host: Host | null;
}

export interface HostedObject extends ObjectKey {
  readonly separationArcsec: number;
  readonly distanceKpc: number | null;
  readonly version: string;
}

/** An object's links are those of one of its alerts, at most 100, and may be written again at any time. */
export const MAX_LINKED_SOURCES = 100;

export interface SourceLinkStore {
  /** In place of the object's links; where these are of a later alert nothing changes. Each object once. */
  linkSources(objects: readonly ObjectSources[]): Promise<void>;
  /** Those of the objects whose links are of the alert of this time. */
  linkedAt(alerts: readonly { readonly object: ObjectKey; readonly jd: number }[]): Promise<ObjectKey[]>;
  /** Objects that have this host, nearest first, at most 100 of each; keys only: who may see them is for others to say. */
  hosted(sources: readonly SourceKey[]): Promise<Map<string, HostedObject[]>>;
  /** Sources of catalogs other than these go, with their links. */
  withdraw(catalogs: readonly string[]): Promise<void>;
}

/** Key of a source in the map above and in the graph. */
export const sourceKey = ({ catalog, sourceId }: SourceKey): string => `${catalog}:${sourceId}`;
