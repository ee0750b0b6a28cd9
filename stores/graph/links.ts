// Objects, hits, counterparts and checkpoints in the graph (stores/links.store.ts). Made by stores.ts.
import type { Hit } from "../../domain/filter.js";
import { maySee } from "../../domain/viewer.js";
import { type Counterpart, type LinkStore, type ObjectKey, objectKey, type PassedFilter } from "../links.store.js";
import type { Graph } from "./graph.js";
import {
  CHECKPOINT,
  COUNTERPARTS_OF_OBJECTS,
  CREATE_HITS,
  HITS_OF_OBJECTS,
  type HitSpanRow,
  LOCK_HITS,
  MERGE_COUNTERPARTS,
  MERGE_OBJECTS,
  SET_CHECKPOINT,
  WIDEN_HITS,
} from "./statements/links.js";

/** Rows of one transaction; each brings up to two nodes and an edge. */
const CHUNK = 1000;

export function createLinkStore(graph: Graph): LinkStore {
  return {
    async linkObjects(objects) {
      for (const rows of chunks(toObjectRows(objects))) await graph.write((tx) => tx.run(MERGE_OBJECTS, { rows }));
    },

    async linkHits(hits) {
      for (const chunk of chunks(hits)) {
        const objects = toObjectRows(chunk);
        const spans = toSpans(chunk);
        await graph.write(async (tx) => {
          await tx.run(LOCK_HITS, { feed: "hits" });
          await tx.run(MERGE_OBJECTS, { rows: objects });
          const known = await tx.run(HITS_OF_OBJECTS, { keys: objects.map(({ key }) => key) });
          const { created, widened } = changes(spans, known);
          if (created.length > 0) await tx.run(CREATE_HITS, { rows: created });
          if (widened.length > 0) await tx.run(WIDEN_HITS, { rows: widened });
        });
      }
    },

    async linkCounterparts(pairs) {
      for (const chunk of chunks(pairs)) {
        const objects = toObjectRows(chunk.flatMap(({ a, b }) => [a, b]));
        const rows = chunk.map(({ a, b, separationArcsec }) => {
          const [from, to] = [objectKey(a), objectKey(b)].sort() as [string, string];
          return { from, to, separationArcsec };
        });
        await graph.write(async (tx) => {
          await tx.run(MERGE_OBJECTS, { rows: objects });
          await tx.run(MERGE_COUNTERPARTS, { rows });
        });
      }
    },

    async counterparts(objects) {
      const found = new Map<string, Counterpart[]>();
      for (const keys of chunks(distinctKeys(objects))) {
        for (const { key, ...counterpart } of await graph.read(COUNTERPARTS_OF_OBJECTS, { keys })) {
          append(found, key, counterpart);
        }
      }
      return found;
    },

    async passedFilters(viewer, objects) {
      const surveys = new Map(objects.map((object) => [objectKey(object), object.survey]));
      const found = new Map<string, PassedFilter[]>();
      for (const keys of chunks([...surveys.keys()])) {
        for (const row of await graph.read(HITS_OF_OBJECTS, { keys })) {
          if (maySee(viewer, surveys.get(row.key)!, row.programid)) append(found, row.key, toPassed(row));
        }
      }
      return found;
    },

    async checkpoint(feed) {
      const [row] = await graph.read(CHECKPOINT, { feed });
      return BigInt(row?.seq ?? 0);
    },

    async setCheckpoint(feed, seq) {
      await graph.write((tx) => tx.run(SET_CHECKPOINT, { feed, seq: String(seq) }));
    },
  };
}

/** 2^64 has 20 digits: padded, text compares as the numbers do. */
const padded = (seq: bigint): string => String(seq).padStart(20, "0");

type Span = HitSpanRow & { readonly object: string; readonly filterId: string; readonly programid: number };

/** Which edges are new, and which of the known ones reach further than they did. */
function changes(
  spans: readonly Span[],
  known: readonly (HitSpanRow & { key: string; filterId: string; programid: number })[],
): { created: Span[]; widened: Span[] } {
  const edges = new Map(known.map((edge) => [`${edge.filterId} ${edge.programid} ${edge.key}`, edge]));
  const created: Span[] = [];
  const widened: Span[] = [];
  for (const span of spans) {
    const edge = edges.get(`${span.filterId} ${span.programid} ${span.object}`);
    if (edge === undefined) {
      created.push(span);
      continue;
    }
    const isEarlier = span.firstSeq < edge.firstSeq;
    const isLater = span.lastSeq > edge.lastSeq;
    if (!isEarlier && !isLater) continue;
    const { firstSeq, firstCandid, firstJd } = isEarlier ? span : edge;
    const { lastSeq, lastCandid, lastJd } = isLater ? span : edge;
    widened.push({ ...span, firstSeq, firstCandid, firstJd, lastSeq, lastCandid, lastJd });
  }
  return { created, widened };
}

/** The first and the last hit of each filter, object and programid. */
function toSpans(hits: readonly Hit[]): Span[] {
  const ends = new Map<string, { first: Hit; last: Hit }>();
  for (const hit of hits) {
    const key = `${hit.filterId} ${hit.programid} ${objectKey(hit)}`;
    const { first, last } = ends.get(key) ?? { first: hit, last: hit };
    ends.set(key, { first: hit.seq < first.seq ? hit : first, last: hit.seq > last.seq ? hit : last });
  }
  return [...ends.values()].map(({ first, last }) => ({
    object: objectKey(first),
    filterId: first.filterId,
    programid: first.programid,
    firstSeq: padded(first.seq),
    firstCandid: String(first.candid),
    firstJd: first.jd,
    lastSeq: padded(last.seq),
    lastCandid: String(last.candid),
    lastJd: last.jd,
  }));
}

function toPassed(row: HitSpanRow & { filterId: string; programid: number }): PassedFilter {
  return {
    filterId: row.filterId,
    programid: row.programid,
    first: { seq: BigInt(row.firstSeq), candid: BigInt(row.firstCandid), jd: row.firstJd },
    last: { seq: BigInt(row.lastSeq), candid: BigInt(row.lastCandid), jd: row.lastJd },
  };
}

const distinctKeys = (objects: readonly ObjectKey[]): string[] => [...new Set(objects.map(objectKey))];

function toObjectRows(objects: readonly ObjectKey[]): { key: string; survey: string; objectId: string }[] {
  const rows = new Map(objects.map(({ survey, objectId }) => [objectKey({ survey, objectId }), { survey, objectId }]));
  return [...rows].map(([key, object]) => ({ key, ...object }));
}

function append<T>(lists: Map<string, T[]>, key: string, item: T): void {
  const list = lists.get(key);
  if (list) list.push(item);
  else lists.set(key, [item]);
}

function* chunks<T>(items: readonly T[]): Generator<readonly T[]> {
  for (let at = 0; at < items.length; at += CHUNK) yield items.slice(at, at + CHUNK);
}
