// Catalogs of a few sources, for tests of what is matched with them: described by a few words, and kept in memory by a
// store that looks at every pair.
import type { Catalog, CatalogColumn } from "../domain/catalog.js";
import type { Block } from "../domain/columns.js";
import { separationArcsec } from "../domain/sky.js";
import { takeRows } from "../ingest/rows.js";
import type { CatalogStore } from "../stores/catalogs.store.js";
import { blockFor, type Row } from "./batches.js";

export function testCatalog(name: string, told: Partial<Catalog> = {}): Catalog {
  return {
    name,
    title: name,
    ...{ source: null, version: "1", date: null, licence: null, citation: null },
    radiusArcsec: 2,
    rule: { kind: "radius" },
    limit: null,
    idType: "String",
    columns: [],
    ...{ epoch: null, epochGiven: null },
    revision: 1,
    state: "active",
    files: [],
    ...{ rows: 0, duplicates: 0 },
    progress: { files: 0, rowsOfFile: 0, rowsRead: 0, rejected: 0, rejectedRows: [] },
    changedAt: 0,
    ...told,
  };
}

export const column = (name: string, type: CatalogColumn["type"], unit: string | null = null): CatalogColumn => ({
  ...{ name, type, unit },
  description: name,
});

/** Rows of id, ra, dec and the catalog's columns. */
export function catalogRows({ idType, columns }: Catalog, rows: readonly Row[]): Block {
  const fields = [
    { name: "id", type: idType, nullable: false },
    { name: "ra", type: "Float64" as const, nullable: false },
    { name: "dec", type: "Float64" as const, nullable: false },
    ...columns.map(({ name, type }) => ({ name, type, nullable: true })),
  ];
  return blockFor(fields, rows);
}

type Read = Pick<CatalogStore, "active" | "onChange" | "read" | "sourcesNear" | "list">;

export interface MemoryCatalogs extends Read {
  /** The catalog and its rows in place of what had its name. */
  put(catalog: Catalog, rows: readonly Row[]): Catalog;
  remove(name: string): void;
  /** Questions that were asked: sourcesNear. */
  asked: number;
  failure: Error | null;
}

export function memoryCatalogs(): MemoryCatalogs {
  const kept = new Map<string, { catalog: Catalog; block: Block }>();
  const listeners = new Set<() => void>();
  const tell = () => {
    for (const listener of listeners) listener();
  };
  const rowsOf = (name: string): Block => kept.get(name)!.block;
  return {
    asked: 0,
    failure: null,
    put(catalog, rows) {
      const whole = { ...catalog, rows: rows.length };
      kept.set(catalog.name, { catalog: whole, block: catalogRows(catalog, rows) });
      tell();
      return whole;
    },
    remove(name) {
      kept.delete(name);
      tell();
    },
    active: () => [...kept.values()].map(({ catalog }) => catalog),
    list: async () => [...kept.values()].map(({ catalog }) => catalog),
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async *read({ name }) {
      const block = rowsOf(name);
      for (let from = 0; from < block.rows; from += 100) {
        yield takeRows(
          block,
          Uint32Array.from({ length: Math.min(100, block.rows - from) }, (_, n) => from + n),
        );
      }
    },
    async sourcesNear({ name }, ra, dec, radius) {
      this.asked++;
      if (this.failure !== null) throw this.failure;
      const block = rowsOf(name);
      const [sourceRa, sourceDec] = ["ra", "dec"].map((of) => block.columns.get(of)!.values as Float64Array);
      const found: { at: number; row: number; separation: number }[] = [];
      for (let at = 0; at < ra.length; at++) {
        for (let row = 0; row < block.rows; row++) {
          const separation = separationArcsec(ra[at]!, dec[at]!, sourceRa![row]!, sourceDec![row]!);
          if (separation <= (typeof radius === "number" ? radius : radius[at]!)) found.push({ at, row, separation });
        }
      }
      // In the order of the positions and in no other.
      return {
        position: Uint32Array.from(found, ({ at }) => at),
        separationArcsec: Float64Array.from(found, ({ separation }) => separation),
        rows: takeRows(
          block,
          Uint32Array.from(found, ({ row }) => row),
        ),
      };
    },
  };
}
