// Cypher of export and import of a whole graph. Called by stores/graph/export.ts and import.ts.
// Labels and keys come from the migrations, names of relationship types are checked before they become text.
import { type Param, statement } from "../graph.js";

/** Property that is the key of each label. */
export type Keys = Readonly<Record<string, string>>;
type Properties = Readonly<Record<string, Param>>;

type Count = { readonly count: number };
export const COUNT_NODES = statement<Record<never, never>, Count>("MATCH (n) RETURN count(n) AS count");
export const COUNT_MIGRATIONS = statement<Record<never, never>, Count>("MATCH (n:Migration) RETURN count(n) AS count");
export const COUNT_RELATIONSHIPS = statement<Record<never, never>, Count>("MATCH ()-[r]->() RETURN count(r) AS count");

/** A page of a label's nodes by key; degree counts the relationships that end there. */
export const nodesAfter = (label: string, keys: Keys) =>
  statement<{ after: string; first: number }, { key: string; properties: Properties; degree: number }>(`
  MATCH (n:${label}) WHERE n.${keys[label]} > $after
  WITH n, n.${keys[label]} AS key ORDER BY key LIMIT $first
  RETURN key, properties(n) AS properties, COUNT { (n)<--() } AS degree ORDER BY key`);

/** Relationships that end at these nodes of a label: a page of pairs of nodes, each with all that is between them. */
export const relationshipsInto = (label: string, keys: Keys) =>
  statement<
    { keys: readonly string[]; skip: number; first: number },
    { to: string; label: string; from: string; between: readonly { type: string; properties: Properties }[] }
  >(`
  UNWIND $keys AS to
  MATCH (b:${label} {${keys[label]}: to})<-[r]-(a)
  WITH to, head(labels(a)) AS label,
    CASE head(labels(a)) ${Object.entries(keys)
      .map(([other, key]) => `WHEN '${other}' THEN a.${key}`)
      .join(" ")} END AS from, collect({type: type(r), properties: properties(r)}) AS between
  ORDER BY to, label, from SKIP $skip LIMIT $first
  RETURN to, label, from, between ORDER BY to, label, from`);

/** Rows are the properties. */
export const createNodes = (label: string) =>
  statement<{ rows: readonly never[] }>(`
  UNWIND $rows AS r
  CREATE (n:${label})
  SET n = r`);

/** Rows are the properties and the keys _from and _to. made: how many of both ends were found. */
export const createRelationships = (type: string, from: string, to: string, keys: Keys) =>
  statement<{ rows: readonly never[] }, { made: number }>(`
  UNWIND $rows AS r
  MATCH (b:${to} {${keys[to]}: r._to})
  MATCH (a:${from} {${keys[from]}: r._from})
  CREATE (a)-[x:${type}]->(b)
  SET x = r {.*, _from: null, _to: null}
  RETURN count(x) AS made`);

/** The import that is under way: id = checksum of its lines, done = lines that are stored. */
export const OPEN_IMPORT = statement<Record<never, never>, { id: string; done: number }>(`
  MATCH (i:Import)
  RETURN i.id AS id, i.done AS done ORDER BY id LIMIT 1`);

export const SET_IMPORT = statement<{ id: string; done: number }>(`
  MERGE (i:Import {id: $id})
  SET i.done = $done`);

export const END_IMPORT = statement<{ id: string }>(`
  MATCH (i:Import {id: $id})
  DELETE i`);
