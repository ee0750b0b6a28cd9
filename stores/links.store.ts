// Links between objects, and between filters and the objects that passed them. Implemented by stores/graph.
import type { Hit } from "../domain/filter.js";
import type { Survey } from "../domain/survey.js";

export interface ObjectKey {
  readonly survey: Survey;
  readonly objectId: string;
}
/** A pair of objects of two surveys that are taken as one source. */
export interface CounterpartPair {
  readonly a: ObjectKey;
  readonly b: ObjectKey;
  readonly separationArcsec: number;
}
export interface Counterpart extends ObjectKey {
  readonly separationArcsec: number;
}

/** The graph follows the archive: everything here is written idempotently and can be rebuilt from it. */
export interface LinkStore {
  /** Objects that enter the graph by themselves (GRAPH_SCOPE=all). */
  linkObjects(objects: readonly ObjectKey[]): Promise<void>;
  /** Objects, and HIT edges from filter to object keyed by candid. */
  linkHits(hits: readonly Hit[]): Promise<void>;
  linkCounterparts(pairs: readonly CounterpartPair[]): Promise<void>;
  /** Counterparts of many objects in one statement, nearest first. */
  counterparts(objects: readonly ObjectKey[]): Promise<Map<string, Counterpart[]>>;
  /** How far the graph has followed a feed of the archive ("hits", "counterparts"); 0n at first. */
  checkpoint(feed: string): Promise<bigint>;
  setCheckpoint(feed: string, seq: bigint): Promise<void>;
}

/** Key of an object in the maps above and in the graph. */
export const objectKey = (o: ObjectKey): string => `${o.survey}:${o.objectId}`;
