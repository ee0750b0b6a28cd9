// Links from objects to the catalogs' sources near them (stores/sources.store.ts). Made by stores.ts.
import { objectKey } from "../links.store.js";
import {
  type HostedObject,
  MAX_LINKED_SOURCES,
  type ObjectSources,
  type SourceLinkStore,
  sourceKey,
} from "../sources.store.js";
import type { Graph } from "./graph.js";
import { MERGE_OBJECTS } from "./statements/links.js";
import {
  DELETE_HOSTS,
  DELETE_MATCHES,
  DELETE_SOURCES,
  HOSTED_OBJECTS,
  MATCHED_AT,
  MERGE_HOSTS,
  MERGE_MATCHES,
  MERGE_SOURCES,
  OTHER_SOURCES,
  SET_MATCHED,
} from "./statements/sources.js";

/** Rows of one transaction, about. */
const CHUNK = 1_000;

export function createSourceLinkStore(graph: Graph): SourceLinkStore {
  return {
    async linkSources(objects) {
      for (const chunk of chunks(objects)) await write(graph, chunk);
    },

    async linkedAt(alerts) {
      const keys = new Map(alerts.map(({ object }) => [objectKey(object), object]));
      const rows = alerts.map(({ object, jd }) => ({ object: objectKey(object), jd }));
      const found = [];
      for (let at = 0; at < rows.length; at += CHUNK) {
        found.push(...(await graph.read(MATCHED_AT, { rows: rows.slice(at, at + CHUNK) })));
      }
      return found.map(({ key }) => keys.get(key)!);
    },

    async hosted(sources) {
      const found = new Map<string, HostedObject[]>();
      const keys = [...new Set(sources.map(sourceKey))];
      for (let at = 0; at < keys.length; at += CHUNK) {
        for (const { source, ...object } of await graph.read(HOSTED_OBJECTS, { keys: keys.slice(at, at + CHUNK) })) {
          const list = found.get(source);
          if (list) list.push(object);
          else found.set(source, [object]);
        }
      }
      return found;
    },

    async withdraw(catalogs) {
      for (;;) {
        const keys = (await graph.read(OTHER_SOURCES, { catalogs })).map(({ key }) => key);
        if (keys.length === 0) return;
        await graph.write((tx) => tx.run(DELETE_SOURCES, { keys }));
      }
    },
  };
}

async function write(graph: Graph, objects: readonly ObjectSources[]): Promise<void> {
  const nodes = objects.map(({ object: { survey, objectId } }) => ({
    key: objectKey({ survey, objectId }),
    survey,
    objectId,
  }));
  const at = objects.map(({ object, jd }) => ({ object: objectKey(object), jd }));
  const near = objects.flatMap(({ matches }, n) =>
    matches.slice(0, MAX_LINKED_SOURCES).map((match) => ({ match, ...at[n]! })),
  );
  const sources = near.map(({ match: { catalog, sourceId, ra, dec } }) => ({
    ...{ key: sourceKey({ catalog, sourceId }), catalog, sourceId, ra, dec },
  }));
  const matches = near.map(({ match, object, jd }) => {
    const { separationArcsec, version, revision } = match;
    return { object, jd, source: sourceKey(match), separationArcsec, version, revision };
  });
  const hosts = objects.flatMap(({ host }, n) => {
    if (host === null) return [];
    const { separationArcsec, distanceKpc, version } = host;
    return [{ ...at[n]!, source: sourceKey(host), separationArcsec, distanceKpc, version }];
  });
  await graph.write(async (tx) => {
    await tx.run(MERGE_OBJECTS, { rows: nodes });
    await tx.run(SET_MATCHED, { rows: at });
    await tx.run(DELETE_MATCHES, { rows: at });
    await tx.run(DELETE_HOSTS, { rows: at });
    await tx.run(MERGE_SOURCES, { rows: [...new Map(sources.map((source) => [source.key, source])).values()] });
    await tx.run(MERGE_MATCHES, { rows: matches });
    await tx.run(MERGE_HOSTS, { rows: hosts });
  });
}

/** Objects whose links together are about a transaction. */
function* chunks(objects: readonly ObjectSources[]): Generator<readonly ObjectSources[]> {
  let chunk: ObjectSources[] = [];
  let rows = 0;
  for (const one of objects) {
    chunk.push(one);
    rows += 1 + Math.min(one.matches.length, MAX_LINKED_SOURCES);
    if (rows < CHUNK) continue;
    yield chunk;
    [chunk, rows] = [[], 0];
  }
  if (chunk.length > 0) yield chunk;
}
