// Cypher of what lies near objects in the catalogs. Called by stores/graph/sources.ts.
// (:Object {matchedJd})-[:MATCHES {separationArcsec, version, revision}]->(:CatalogSource {key, catalog, sourceId, ra, dec}),
// (:Object)-[:HOSTED_BY {separationArcsec, distanceKpc, version}]->(:CatalogSource). CatalogSource.key = "catalog:sourceId";
// matchedJd: time of the alert whose matches these are.
import { statement } from "../graph.js";

type At = { readonly object: string; readonly jd: number };

/** Objects whose links are not of a later alert. */
export const SET_MATCHED = statement<{ rows: readonly At[] }>(`
  UNWIND $rows AS r
  MATCH (o:Object {key: r.object})
  WHERE o.matchedJd IS NULL OR o.matchedJd <= r.jd
  SET o.matchedJd = r.jd`);

export const DELETE_MATCHES = statement<{ rows: readonly At[] }>(`
  UNWIND $rows AS r
  MATCH (o:Object {key: r.object})-[m:MATCHES]->(:CatalogSource)
  WHERE o.matchedJd = r.jd
  DELETE m`);

export const DELETE_HOSTS = statement<{ rows: readonly At[] }>(`
  UNWIND $rows AS r
  MATCH (o:Object {key: r.object})-[h:HOSTED_BY]->(:CatalogSource)
  WHERE o.matchedJd = r.jd
  DELETE h`);

export const MERGE_SOURCES = statement<{
  rows: readonly { key: string; catalog: string; sourceId: string; ra: number; dec: number }[];
}>(`
  UNWIND $rows AS r
  MERGE (s:CatalogSource {key: r.key})
  SET s.catalog = r.catalog, s.sourceId = r.sourceId, s.ra = r.ra, s.dec = r.dec`);

export const MERGE_MATCHES = statement<{
  rows: readonly (At & { source: string; separationArcsec: number; version: string; revision: number })[];
}>(`
  UNWIND $rows AS r
  MATCH (o:Object {key: r.object})
  WHERE o.matchedJd = r.jd
  MATCH (s:CatalogSource {key: r.source})
  MERGE (o)-[m:MATCHES]->(s)
  SET m.separationArcsec = r.separationArcsec, m.version = r.version, m.revision = r.revision`);

export const MERGE_HOSTS = statement<{
  rows: readonly (At & { source: string; separationArcsec: number; distanceKpc: number | null; version: string })[];
}>(`
  UNWIND $rows AS r
  MATCH (o:Object {key: r.object})
  WHERE o.matchedJd = r.jd
  MATCH (s:CatalogSource {key: r.source})
  MERGE (o)-[h:HOSTED_BY]->(s)
  SET h.separationArcsec = r.separationArcsec, h.distanceKpc = r.distanceKpc, h.version = r.version`);

/** Those whose links are of the alert of this time. */
export const MATCHED_AT = statement<{ rows: readonly At[] }, { key: string }>(`
  UNWIND $rows AS r
  MATCH (o:Object {key: r.object})
  WHERE o.matchedJd = r.jd
  RETURN DISTINCT o.key AS key ORDER BY key`);

/** Objects of which these sources are the host, at most 100 of each. */
export const HOSTED_OBJECTS = statement<
  { keys: readonly string[] },
  {
    source: string;
    survey: string;
    objectId: string;
    separationArcsec: number;
    distanceKpc: number | null;
    version: string;
  }
>(`
  UNWIND $keys AS source
  MATCH (s:CatalogSource {key: source})
  CALL (s) {
    MATCH (s)<-[h:HOSTED_BY]-(o:Object)
    RETURN o.key AS other, o.survey AS survey, o.objectId AS objectId, h.separationArcsec AS separationArcsec,
      h.distanceKpc AS distanceKpc, h.version AS version
    ORDER BY separationArcsec, other LIMIT 100
  }
  RETURN source, survey, objectId, separationArcsec, distanceKpc, version ORDER BY source, separationArcsec, other`);

/** Sources of catalogs other than these. */
export const OTHER_SOURCES = statement<{ catalogs: readonly string[] }, { key: string }>(`
  MATCH (s:CatalogSource)
  WHERE NOT s.catalog IN $catalogs
  RETURN s.key AS key ORDER BY key LIMIT 1000`);

export const DELETE_SOURCES = statement<{ keys: readonly string[] }>(`
  UNWIND $keys AS key
  MATCH (s:CatalogSource {key: key})
  DETACH DELETE s`);
