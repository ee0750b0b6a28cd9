// Filters and their versions in the graph (stores/filters.store.ts). Made by stores.ts.
import { randomUUID } from "node:crypto";
import pRetry from "p-retry";
import { TocsinError } from "../../domain/errors.js";
import type { Annotation, Filter, FilterStream, StreamFormat } from "../../domain/filter.js";
import type { FilterChange, FilterStore, NewFilter } from "../filters.store.js";
import { following } from "../following.js";
import type { Graph, GraphTx } from "./graph.js";
import {
  ACTIVE_FILTERS,
  ADD_VERSION,
  CREATE_FILTER,
  FILTER_STREAMS,
  FILTERS_AFTER,
  FILTERS_BY_ID,
  FIRST_FILTERS,
  type FilterRow,
  NEXT_REVISION,
  REVISION,
  SET_FILTER,
  SET_STREAM,
} from "./statements/filters.js";

const FEED = { feed: "filters" };
/** Between two looks at the revision. */
const FOLLOW_MS = 1_000;

interface Changed<T> {
  readonly result: T;
  /** null where nothing was changed. */
  readonly revision: number | null;
}

export function createFilterStore(graph: Graph): FilterStore {
  const listeners = new Set<() => void>();
  /** The revision of which the listeners were told last. */
  let told = -1;

  function tell(revision: number): void {
    told = revision;
    for (const listener of listeners) listener();
  }

  async function changed<T>(work: () => Promise<Changed<T>>): Promise<T> {
    const { result, revision } = await work();
    // What others changed before is told along with it: listeners read everything again.
    if (revision !== null) tell(revision);
    return result;
  }

  async function look(): Promise<void> {
    const before = told;
    const [row] = await graph.read(REVISION, FEED);
    const revision = row?.number ?? 0;
    // A change of our own during that read: what was read may be older. A graph that was imported may count from less.
    if (told === before && revision !== told) tell(revision);
  }

  return {
    create: (filter) => changed(() => graph.write((tx) => create(tx, filter))),
    update: (id, change) =>
      changed(() =>
        // Another writer may take the version's number first; its unique key says so, and the next try sees that version.
        pRetry(() => graph.write((tx) => update(tx, id, change)), {
          retries: 5,
          minTimeout: 10,
          randomize: true,
          shouldRetry: ({ error }) => error instanceof TocsinError && error.code === "DUPLICATE_KEY",
        }),
      ),
    async get(id) {
      const [row] = await graph.read(FILTERS_BY_ID, { ids: [id] });
      return row ? toFilter(row) : null;
    },
    async byIds(ids) {
      const rows = await graph.read(FILTERS_BY_ID, { ids: [...new Set(ids)] });
      return new Map(rows.map((row) => [row.id, toFilter(row)]));
    },
    async list(first, after) {
      const rows = after
        ? await graph.read(FILTERS_AFTER, { first, name: after.name, id: after.id })
        : await graph.read(FIRST_FILTERS, { first });
      return rows.map(toFilter);
    },
    active: async () => (await graph.read(ACTIVE_FILTERS, {})).map(toFilter),
    async streams() {
      const rows = await graph.read(FILTER_STREAMS, {});
      return new Map(rows.map(({ id, format, after }) => [id, toStream(format, after)!]));
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    follow() {
      told = -1;
      return following(look, FOLLOW_MS);
    },
  };
}

async function create(tx: GraphTx, filter: NewFilter): Promise<Changed<Filter>> {
  const { name, survey, active, where, annotations, stream = null } = filter;
  const id = randomUUID();
  await tx.run(CREATE_FILTER, { id, name, survey, active, createdAt: Date.now() });
  await addVersion(tx, id, 1, where, toText(annotations), null);
  if (stream !== null) await setStream(tx, id, stream);
  return { result: (await read(tx, id))!, revision: await nextRevision(tx) };
}

async function update(tx: GraphTx, id: string, change: FilterChange): Promise<Changed<Filter | null>> {
  await tx.run(SET_FILTER, { id, name: change.name ?? null, active: change.active ?? null });
  const filter = await read(tx, id);
  const last = filter?.versions.at(-1);
  if (!filter || !last) return { result: null, revision: null };
  const { stream } = change;
  if (stream !== undefined && stream?.format !== filter.stream?.format) await setStream(tx, id, stream);
  const where = change.where ?? last.where;
  const annotations = toText(change.annotations ?? last.annotations);
  if (where !== last.where || annotations !== toText(last.annotations)) {
    await addVersion(tx, id, last.number + 1, where, annotations, change.changelog ?? null);
  }
  return { result: await read(tx, id), revision: await nextRevision(tx) };
}

async function setStream(tx: GraphTx, id: string, stream: FilterStream | null): Promise<void> {
  await tx.run(SET_STREAM, { id, format: stream?.format ?? null, after: stream?.after.toString() ?? null });
}

async function nextRevision(tx: GraphTx): Promise<number> {
  const [row] = await tx.run(NEXT_REVISION, FEED);
  return row!.number;
}

async function read(tx: GraphTx, id: string): Promise<Filter | null> {
  const [row] = await tx.run(FILTERS_BY_ID, { ids: [id] });
  return row ? toFilter(row) : null;
}

async function addVersion(
  tx: GraphTx,
  id: string,
  number: number,
  condition: string,
  annotations: string,
  changelog: string | null,
): Promise<void> {
  const key = `${id}:${number}`;
  await tx.run(ADD_VERSION, { id, key, number, condition, annotations, changelog, createdAt: Date.now() });
}

/** Only the known properties, in a fixed order, so that equal annotations are equal texts. */
const toText = (annotations: readonly Annotation[]): string =>
  JSON.stringify(annotations.map(({ name, expression }) => ({ name, expression })));

const toStream = (format: string | null, after: string | null): FilterStream | null =>
  format === null || after === null ? null : { format: format as StreamFormat, after: BigInt(after) };

function toFilter({ id, name, survey, active, streamFormat, streamAfter, versions }: FilterRow): Filter {
  return {
    id,
    name,
    survey,
    active,
    stream: toStream(streamFormat, streamAfter),
    versions: versions
      .map(({ condition, annotations, number, createdAt, changelog }) => ({
        number,
        where: condition,
        annotations: JSON.parse(annotations) as Annotation[],
        createdAt,
        changelog,
      }))
      .sort((a, b) => a.number - b.number),
  };
}
