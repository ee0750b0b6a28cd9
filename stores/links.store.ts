// Links between objects, and between filters and the objects that passed them. Implemented by stores/graph.
import type { Hit } from "../domain/filter.js";
import type { Survey } from "../domain/survey.js";
import type { Viewer } from "../domain/viewer.js";

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

/** A filter that an object passed, with its first and last hit among the alerts of one programid. */
export interface PassedFilter {
  readonly filterId: string;
  readonly programid: number;
  readonly first: PassedHit;
  readonly last: PassedHit;
}
export interface PassedHit {
  readonly seq: bigint;
  readonly candid: bigint;
  readonly jd: number;
}

/** The graph follows the archive: everything here is written idempotently and can be rebuilt from it. */
export interface LinkStore {
  /** Objects that enter the graph by themselves (GRAPH_SCOPE=all). */
  linkObjects(objects: readonly ObjectKey[]): Promise<void>;
  /** Objects, and one HIT edge per filter, object and programid that holds its first and last hit. In any order. */
  linkHits(hits: readonly Hit[]): Promise<void>;
  linkCounterparts(pairs: readonly CounterpartPair[]): Promise<void>;
  /**
   * Counterparts of many objects in one statement, nearest first, at most 100 each; no entry where there are none. Keys are
   * ids, not rights: whether the viewer sees a counterpart is decided where its object is read.
   */
  counterparts(objects: readonly ObjectKey[]): Promise<Map<string, Counterpart[]>>;
  /** Filters that passed each object, by filter id, of the alerts that the viewer may see. */
  passedFilters(viewer: Viewer, objects: readonly ObjectKey[]): Promise<Map<string, PassedFilter[]>>;
  /** How far the graph has followed a feed of the archive ("hits", "counterparts"); 0n at first. */
  checkpoint(feed: string): Promise<bigint>;
  setCheckpoint(feed: string, seq: bigint): Promise<void>;
}

/** Key of an object in the maps above and in the graph. */
export const objectKey = (o: ObjectKey): string => `${o.survey}:${o.objectId}`;
