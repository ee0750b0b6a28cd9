// Cypher of objects, hits, counterparts and checkpoints. Called by stores/graph/links.ts.
// (:Filter)-[:HIT {programid, first…, last…}]->(:Object {key, survey, objectId})-[:COUNTERPART {separationArcsec}]->(:Object),
// (:Checkpoint {feed, seq}). Object.key = "SURVEY:objectId"; seq on edges is padded to 20 digits so that text compares.
import { statement } from "../graph.js";

/** Objects by key; an object that exists stays as it is. */
export const MERGE_OBJECTS = statement<{ rows: readonly { key: string; survey: string; objectId: string }[] }>(`
  UNWIND $rows AS r
  MERGE (o:Object {key: r.key})
  ON CREATE SET o.survey = r.survey, o.objectId = r.objectId`);

export type HitSpanRow = {
  readonly firstSeq: string;
  readonly firstCandid: string;
  readonly firstJd: number;
  readonly lastSeq: string;
  readonly lastCandid: string;
  readonly lastJd: number;
};

/**
 * Whoever writes HIT edges holds the node of their checkpoint until the transaction ends: which edges there are is read
 * first, and of two writers at once both would make the same one.
 */
export const LOCK_HITS = statement<{ feed: string }>(`
  MERGE (c:Checkpoint {feed: $feed})
  ON CREATE SET c.seq = '0'
  ON MATCH SET c.seq = c.seq`);

type HitEdgeRow = HitSpanRow & { object: string; filterId: string; programid: number };

/** New edges. The object must exist; where the filter does not, nothing is written. */
export const CREATE_HITS = statement<{ rows: readonly HitEdgeRow[] }>(`
  UNWIND $rows AS r
  MATCH (o:Object {key: r.object})
  MATCH (f:Filter {id: r.filterId})
  CREATE (f)-[:HIT {programid: r.programid, firstSeq: r.firstSeq, firstCandid: r.firstCandid, firstJd: r.firstJd,
    lastSeq: r.lastSeq, lastCandid: r.lastCandid, lastJd: r.lastJd}]->(o)`);

/** Edges that are there, with other ends. The way to them starts at the object: a filter has a great many. */
export const WIDEN_HITS = statement<{ rows: readonly HitEdgeRow[] }>(`
  UNWIND $rows AS r
  MATCH (o:Object {key: r.object})<-[h:HIT]-(f:Filter)
  WHERE f.id = r.filterId AND h.programid = r.programid
  SET h.firstSeq = r.firstSeq, h.firstCandid = r.firstCandid, h.firstJd = r.firstJd,
    h.lastSeq = r.lastSeq, h.lastCandid = r.lastCandid, h.lastJd = r.lastJd`);

/** HIT edges of objects, a row per filter and programid. */
export const HITS_OF_OBJECTS = statement<
  { keys: readonly string[] },
  HitSpanRow & { key: string; filterId: string; programid: number }
>(`
  UNWIND $keys AS key
  MATCH (o:Object {key: key})<-[h:HIT]-(f:Filter)
  RETURN key, f.id AS filterId, h.programid AS programid, h.firstSeq AS firstSeq, h.firstCandid AS firstCandid,
    h.firstJd AS firstJd, h.lastSeq AS lastSeq, h.lastCandid AS lastCandid, h.lastJd AS lastJd
  ORDER BY key, filterId, programid`);

/** A pair once, from the smaller key to the larger; written again, the newer separation stays. */
export const MERGE_COUNTERPARTS = statement<{
  rows: readonly { from: string; to: string; separationArcsec: number }[];
}>(`
  UNWIND $rows AS r
  MATCH (a:Object {key: r.from})
  MATCH (b:Object {key: r.to})
  MERGE (a)-[c:COUNTERPART]->(b)
  SET c.separationArcsec = r.separationArcsec`);

/** Both ways, nearest first, at most 100 of each object. */
export const COUNTERPARTS_OF_OBJECTS = statement<
  { keys: readonly string[] },
  { key: string; survey: string; objectId: string; separationArcsec: number }
>(`
  UNWIND $keys AS key
  MATCH (o:Object {key: key})
  CALL (o) {
    MATCH (o)-[c:COUNTERPART]-(p:Object)
    RETURN p.key AS other, p.survey AS survey, p.objectId AS objectId, c.separationArcsec AS separationArcsec
    ORDER BY separationArcsec, other LIMIT 100
  }
  RETURN key, survey, objectId, separationArcsec ORDER BY key, separationArcsec, other`);

/** seq: decimal digits, or no row. */
export const CHECKPOINT = statement<{ feed: string }, { seq: string }>(`
  MATCH (c:Checkpoint {feed: $feed})
  RETURN c.seq AS seq`);

export const SET_CHECKPOINT = statement<{ feed: string; seq: string }>(`
  MERGE (c:Checkpoint {feed: $feed})
  SET c.seq = $seq`);
