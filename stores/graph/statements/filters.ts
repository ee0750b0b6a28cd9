// Cypher of filters and their versions. Called by stores/graph/filters.ts.
// (:Filter {id, name, survey, active, createdAt, streamFormat, streamAfter})-[:HAS_VERSION]->(:FilterVersion {key, number, condition, annotations,
// createdAt, changelog}); key = "id:number", annotations = JSON text, times = epoch milliseconds. `condition` is the
// version's `where`: that word is reserved on Grafeo, as a property and as a parameter. streamFormat and streamAfter
// (decimal digits) are absent where no topic gets the hits. (:Revision {feed: "filters", number}) counts the changes.
import { statement } from "../graph.js";

export interface VersionRow {
  readonly number: number;
  readonly condition: string;
  readonly annotations: string;
  readonly createdAt: number;
  readonly changelog: string | null;
}
export interface FilterRow {
  readonly id: string;
  readonly name: string;
  readonly survey: string;
  readonly active: boolean;
  readonly streamFormat: string | null;
  readonly streamAfter: string | null;
  /** In any order. */
  readonly versions: readonly VersionRow[];
}

const RETURN_FILTERS = `
  CALL (f) {
    MATCH (f)-[:HAS_VERSION]->(v:FilterVersion)
    RETURN collect(v {.number, .condition, .annotations, .createdAt, .changelog}) AS versions
  }
  RETURN f.id AS id, f.name AS name, f.survey AS survey, f.active AS active, f.streamFormat AS streamFormat,
    f.streamAfter AS streamAfter, versions ORDER BY name, id`;

type NewVersion = Omit<VersionRow, "number"> & { readonly id: string; readonly key: string };

/** A filter without versions. DUPLICATE_KEY where the id exists. */
export const CREATE_FILTER = statement<{
  id: string;
  name: string;
  survey: string;
  active: boolean;
  createdAt: number;
}>(`
  CREATE (f:Filter {id: $id, name: $name, survey: $survey, active: $active, createdAt: $createdAt})`);

/** One version of an existing filter. DUPLICATE_KEY where another writer took the number. */
export const ADD_VERSION = statement<NewVersion & { readonly number: number }>(`
  MATCH (f:Filter {id: $id})
  CREATE (f)-[:HAS_VERSION]->(v:FilterVersion {key: $key, number: $number, condition: $condition,
    annotations: $annotations, createdAt: $createdAt, changelog: $changelog})`);

/** null leaves a property as it is. As the first statement of a change it also locks the filter on Neo4j. */
export const SET_FILTER = statement<{ id: string; name: string | null; active: boolean | null }>(`
  MATCH (f:Filter {id: $id})
  SET f.name = coalesce($name, f.name), f.active = coalesce($active, f.active)`);

/** Both null: no stream. */
export const SET_STREAM = statement<{ id: string; format: string | null; after: string | null }>(`
  MATCH (f:Filter {id: $id})
  SET f.streamFormat = $format, f.streamAfter = $after`);

export const FILTER_STREAMS = statement<Record<never, never>, { id: string; format: string; after: string }>(`
  MATCH (f:Filter) WHERE f.streamFormat IS NOT NULL
  RETURN f.id AS id, f.streamFormat AS format, f.streamAfter AS after ORDER BY id`);

/** The last statement of every change of filters: it makes Neo4j's changes wait for one another. */
export const NEXT_REVISION = statement<{ feed: string }, { number: number }>(`
  MERGE (r:Revision {feed: $feed})
  SET r.number = coalesce(r.number, 0) + 1
  RETURN r.number AS number`);

/** No row before the first change. */
export const REVISION = statement<{ feed: string }, { number: number }>(`
  MATCH (r:Revision {feed: $feed}) RETURN r.number AS number`);

/** The filters of these ids that exist. */
export const FILTERS_BY_ID = statement<{ ids: readonly string[] }, FilterRow>(`
  UNWIND $ids AS id
  MATCH (f:Filter {id: id}) ${RETURN_FILTERS}`);

/** All active filters. */
export const ACTIVE_FILTERS = statement<Record<never, never>, FilterRow>(`
  MATCH (f:Filter) WHERE f.active ${RETURN_FILTERS}`);

/** First page, by name and id. */
export const FIRST_FILTERS = statement<{ first: number }, FilterRow>(`
  MATCH (f:Filter)
  WITH f ORDER BY f.name, f.id LIMIT $first ${RETURN_FILTERS}`);

/** The page after the filter of this name and id. */
export const FILTERS_AFTER = statement<{ first: number; name: string; id: string }, FilterRow>(`
  MATCH (f:Filter) WHERE f.name > $name OR (f.name = $name AND f.id > $id)
  WITH f ORDER BY f.name, f.id LIMIT $first ${RETURN_FILTERS}`);
