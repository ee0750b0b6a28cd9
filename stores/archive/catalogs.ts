// CatalogStore on ClickHouse: a registry, and a table for each revision of a catalog. Made by stores.ts.
import type { Catalog, CatalogDescription, CatalogFile, LoadProgress } from "../../domain/catalog.js";
import type { Block } from "../../domain/columns.js";
import { TocsinError } from "../../domain/errors.js";
import type { Cone } from "../../domain/skyobject.js";
import type { CatalogStore, NearbyOptions, NearbySources, SourceKey, SourcePage } from "../catalogs.store.js";
import { following } from "../following.js";
import { bigints, strings } from "./blocks.js";
import { conePage, near } from "./catalogs.near.js";
import { createTable, dropTable, rowsOf, tableOf } from "./catalogs.table.js";
import type { ArchiveClient } from "./client.js";
import { isTableMissing } from "./http.errors.js";
import { quoted } from "./http.form.js";
import { everywhere, localName } from "./layout.js";
import { activeOf, allRevisions, isSameLoad, record } from "./revisions.js";

/** Readers that began before a change may go on reading so long. */
const DROP_AFTER_MS = 120_000;
const FOLLOW_MS = 1_000;
const REGISTRY = "catalogs";
const BLOCK_ROWS = 500_000;
const NOTHING: LoadProgress = { files: 0, rowsOfFile: 0, rowsRead: 0, rejected: 0, rejectedRows: [] };

export class ArchiveCatalogs implements CatalogStore {
  readonly #client: ArchiveClient;
  readonly #listeners = new Set<() => void>();
  #active: readonly Catalog[] = [];
  /** Readings of the registry that were begun, and the latest of those that #active is of. */
  #begun = 0;
  #taken = 0;

  private constructor(client: ArchiveClient) {
    this.#client = client;
  }

  /** The archive must have been migrated. */
  static async open(client: ArchiveClient): Promise<ArchiveCatalogs> {
    const store = new ArchiveCatalogs(client);
    await store.refresh();
    // What goes later need not hold up the start.
    store.sweep().catch(() => {});
    return store;
  }

  active(): readonly Catalog[] {
    return this.#active;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async refresh(): Promise<void> {
    await this.#revisions();
  }

  /** Whoever is told that a catalog is active finds it in active(), and filters may read it. */
  async #revisions(): Promise<Catalog[]> {
    const reading = ++this.#begun;
    const revisions = await allRevisions<Catalog>(this.#client, REGISTRY);
    if (reading > this.#taken) {
      this.#taken = reading;
      this.#take(activeOf(revisions));
    }
    return revisions;
  }

  #take(active: readonly Catalog[]): void {
    const key = ({ name, revision }: Catalog) => `${name} ${revision}`;
    const isSame = active.map(key).join() === this.#active.map(key).join();
    this.#active = active;
    if (!isSame) for (const listener of [...this.#listeners]) listener();
  }

  follow(): () => void {
    return following(() => this.refresh(), FOLLOW_MS);
  }

  async list(): Promise<Catalog[]> {
    const revisions = await this.#revisions();
    const active = new Set(activeOf(revisions));
    return revisions.filter((one) => one.state === "loading" || active.has(one));
  }

  async *read(catalog: Catalog, columns: readonly string[]): AsyncGenerator<Block> {
    const kept = ["cell", "id", "ra", "dec", ...known(catalog, columns)].map(quoted).join(", ");
    const table = quoted(tableOf(catalog));
    for (let after: { cell: bigint; id: bigint | string } | null = null; ; ) {
      const later = "WHERE cell >= {cell:UInt64} AND (cell > {cell:UInt64} OR id > {id:ID})";
      const block: Block = await this.#ask(catalog, () =>
        this.#client.query(
          `SELECT ${kept} FROM ${table} ${after === null ? "" : later.replace("ID", catalog.idType)}
          ORDER BY cell, id LIMIT ${BLOCK_ROWS}`,
          after === null ? {} : { cell: after.cell, id: after.id },
          { timeoutMs: 120_000 },
        ),
      );
      if (block.rows === 0) return;
      const columnsOf = new Map(block.columns);
      const last = block.rows - 1;
      after = { cell: bigints(block, "cell")[last]!, id: columnsOf.get("id")!.values[last] as bigint | string };
      columnsOf.delete("cell");
      yield { rows: block.rows, columns: columnsOf };
      if (block.rows < BLOCK_ROWS) return;
    }
  }

  sourcesNear(
    catalog: Catalog,
    ra: Float64Array,
    dec: Float64Array,
    radiusArcsec: Float64Array | number,
    { columns, limit = null }: NearbyOptions = {},
  ): Promise<NearbySources> {
    const names = known(catalog, columns ?? catalog.columns.map(({ name }) => name));
    return this.#ask(catalog, () => near(this.#client, catalog, { ra, dec, radiusArcsec }, names, limit));
  }

  cone(catalog: Catalog, cone: Cone, first: number, after: SourceKey | null): Promise<SourcePage> {
    return this.#ask(catalog, () => conePage(this.#client, catalog, cone, first, after));
  }

  async begin(description: CatalogDescription, files: readonly CatalogFile[]): Promise<Catalog> {
    const own = (await allRevisions<Catalog>(this.#client, REGISTRY)).filter(({ name }) => name === description.name);
    const unfinished = own.filter(({ state }) => state === "loading");
    const same = unfinished.find((one) => isSameLoad(one, { ...description, files }));
    // Others of this name were given up.
    const givenUp = unfinished.filter((one) => one !== same).map((one) => ({ ...one, state: "removed" as const }));
    const revision = Math.max(0, ...own.map((one) => one.revision)) + 1;
    const begun: Catalog = same ?? {
      ...description,
      files,
      revision,
      state: "loading",
      rows: 0,
      duplicates: 0,
      progress: NOTHING,
      changedAt: 0,
    };
    await createTable(this.#client, begun);
    return (await record(this.#client, REGISTRY, [begun, ...givenUp]))[0]!;
  }

  async append(catalog: Catalog, rows: Block, progress: LoadProgress): Promise<void> {
    await this.#client.insert(tableOf(catalog), rowsOf(catalog, rows));
    await record(this.#client, REGISTRY, [{ ...catalog, progress }]);
  }

  async activate(catalog: Catalog, progress: LoadProgress): Promise<Catalog> {
    await this.#merge(catalog);
    const block = await this.#client.query(`SELECT count() AS n FROM ${quoted(tableOf(catalog))}`);
    const rows = Number(bigints(block, "n")[0]);
    const duplicates = progress.rowsRead - progress.rejected - rows;
    const [active] = await record(this.#client, REGISTRY, [
      { ...catalog, state: "active", rows, duplicates, progress },
    ]);
    await this.#retire(({ name, revision }) => name === catalog.name && revision < catalog.revision);
    return active!;
  }

  async abandon(catalog: Catalog): Promise<void> {
    await this.#retire(({ name, revision }) => name === catalog.name && revision === catalog.revision);
  }

  async remove(name: string): Promise<boolean> {
    return (await this.#retire((one) => one.name === name)) > 0;
  }

  async sweep(): Promise<void> {
    const gone = (await allRevisions<Catalog>(this.#client, REGISTRY)).filter(
      ({ state, changedAt }) => state === "removed" && changedAt < Date.now() - DROP_AFTER_MS,
    );
    if (gone.length === 0) return;
    const block = await this.#client.query("SELECT name FROM system.tables WHERE database = {database:String}", {
      database: this.#client.database,
    });
    const tables = new Set(strings(block, "name"));
    for (const one of gone) if (tables.has(tableOf(one))) await dropTable(this.#client, tableOf(one));
  }

  /** Revisions that are not wanted any more; how many there were. */
  async #retire(isGone: (catalog: Catalog) => boolean): Promise<number> {
    const gone = (await allRevisions<Catalog>(this.#client, REGISTRY)).filter(
      (one) => one.state !== "removed" && isGone(one),
    );
    if (gone.length > 0) {
      await record(
        this.#client,
        REGISTRY,
        gone.map((one) => ({ ...one, state: "removed" })),
      );
    }
    await this.refresh();
    setTimeout(() => this.sweep().catch(() => {}), DROP_AFTER_MS + 1_000).unref();
    return gone.length;
  }

  /** One part, without rows that were said twice. A table of billions takes longer than a statement may. */
  async #merge(catalog: Catalog): Promise<void> {
    const local = quoted(localName(this.#client.cluster ?? null, tableOf(catalog)));
    for (;;) {
      try {
        return await everywhere(this.#client, (onCluster) => `OPTIMIZE TABLE ${local}${onCluster} FINAL`);
      } catch (error) {
        // The merge goes on without us, and the next try waits for it.
        if (!(error instanceof TocsinError) || error.code !== "QUERY_TIMEOUT") throw error;
      }
    }
  }

  async #ask<T>(catalog: Catalog, ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      if (!isTableMissing(error)) throw error;
      throw new TocsinError("NOT_FOUND", `The catalog ${catalog.name} has been replaced or removed.`, {
        remedy: "Ask again: the new one answers.",
        cause: error,
      });
    }
  }
}

/** Only columns that the catalog has become names in a statement. */
function known(catalog: Catalog, columns: readonly string[]): readonly string[] {
  const unknown = columns.find((name) => !catalog.columns.some((column) => column.name === name));
  if (unknown === undefined) return columns;
  const names = catalog.columns.map(({ name }) => name).join(", ");
  throw new TocsinError("BAD_ARGUMENT", `The catalog ${catalog.name} has no column ${unknown}; it has ${names}.`);
}
