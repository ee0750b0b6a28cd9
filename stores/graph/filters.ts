// Filters and their versions in the graph (stores/filters.store.ts). Made by stores.ts.
import { randomUUID } from "node:crypto";
import pRetry from "p-retry";
import { TocsinError } from "../../domain/errors.js";
import type { Annotation, Filter } from "../../domain/filter.js";
import type { FilterChange, FilterStore, NewFilter } from "../filters.store.js";
import type { Graph, GraphTx } from "./graph.js";
import {
  ACTIVE_FILTERS,
  ADD_VERSION,
  CREATE_FILTER,
  FILTERS_AFTER,
  FILTERS_BY_ID,
  FIRST_FILTERS,
  type FilterRow,
  SET_FILTER,
} from "./statements/filters.js";

export function createFilterStore(graph: Graph): FilterStore {
  const listeners = new Set<() => void>();

  async function changed<T>(work: () => Promise<T>): Promise<T> {
    const result = await work();
    for (const listener of listeners) listener();
    return result;
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
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

async function create(tx: GraphTx, { name, survey, active, where, annotations }: NewFilter): Promise<Filter> {
  const id = randomUUID();
  await tx.run(CREATE_FILTER, { id, name, survey, active, createdAt: Date.now() });
  await addVersion(tx, id, 1, where, toText(annotations), null);
  return (await read(tx, id))!;
}

async function update(tx: GraphTx, id: string, change: FilterChange): Promise<Filter | null> {
  await tx.run(SET_FILTER, { id, name: change.name ?? null, active: change.active ?? null });
  const filter = await read(tx, id);
  const last = filter?.versions.at(-1);
  if (!filter || !last) return null;
  const where = change.where ?? last.where;
  const annotations = toText(change.annotations ?? last.annotations);
  if (where === last.where && annotations === toText(last.annotations)) return filter;
  await addVersion(tx, id, last.number + 1, where, annotations, change.changelog ?? null);
  return read(tx, id);
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

function toFilter({ id, name, survey, active, versions }: FilterRow): Filter {
  return {
    id,
    name,
    survey,
    active,
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
