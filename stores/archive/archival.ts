// ArchivalStore on ClickHouse: a registry, one table of sources and one of points; each load is a partition of both.
// Made by stores.ts.
import type {
  ArchivalDescription,
  ArchivalPoint,
  ArchivalProgress,
  ArchivalSource,
  LightCurveArchive,
} from "../../domain/archival.js";
import type { CatalogFile } from "../../domain/catalog.js";
import type { Block } from "../../domain/columns.js";
import { TocsinError } from "../../domain/errors.js";
import { HEALPIX_ORDER, nestedPixels } from "../../domain/healpix.js";
import type { Cone } from "../../domain/skyobject.js";
import type { ArchivalRows, ArchivalSourceKey, ArchivalStore, PointsWanted } from "../archival.store.js";
import { pointsOf, SETTINGS, sourcesNear } from "./archival.near.js";
import { bigints, chosen, column, numbers, unsigned } from "./blocks.js";
import { CATALOG_ORDER } from "./catalogs.table.js";
import type { ArchiveClient } from "./client.js";
import { quoted } from "./http.form.js";
import { everywhere, localName } from "./layout.js";
import { activeOf, allRevisions, isSameLoad, record } from "./revisions.js";

const REGISTRY = "archival_archives";
const TABLES = ["archival_sources", "archival_points"] as const;
/** Readers that began before a change may go on reading so long. */
const DROP_AFTER_MS = 120_000;
/** Above this a load is left to the engine's own merges: one part of it would take hours to write. */
const MERGED_POINTS = 200_000_000;
const NOTHING: ArchivalProgress = {
  files: 0,
  rowsOfFile: 0,
  rowsRead: 0,
  rejected: 0,
  rejectedRows: [],
  pointsRead: 0,
  pointsRejected: 0,
};
const CELL_BITS = BigInt(2 * (HEALPIX_ORDER - CATALOG_ORDER));

/** A removed revision keeps its record; `swept` says that its rows are gone. */
type Kept = LightCurveArchive & { readonly swept?: boolean };

export class ArchiveArchival implements ArchivalStore {
  readonly #client: ArchiveClient;

  /** The archive must have been migrated. */
  constructor(client: ArchiveClient) {
    this.#client = client;
  }

  async active(): Promise<LightCurveArchive[]> {
    return activeOf(await this.#all());
  }

  async list(): Promise<LightCurveArchive[]> {
    const all = await this.#all();
    const active = new Set(activeOf(all));
    return all.filter((one) => one.state === "loading" || active.has(one));
  }

  near(
    loads: readonly number[],
    ra: Float64Array,
    dec: Float64Array,
    radiusArcsec: number,
    limit: number,
  ): Promise<ArchivalSource[][]> {
    return sourcesNear(this.#client, { loads, positions: { ra, dec, radiusArcsec }, limit, after: null });
  }

  async cone(
    loads: readonly number[],
    { ra, dec, radiusArcsec }: Cone,
    first: number,
    after: ArchivalSourceKey | null,
  ): Promise<ArchivalSource[]> {
    const positions = { ra: Float64Array.of(ra), dec: Float64Array.of(dec), radiusArcsec };
    return (await sourcesNear(this.#client, { loads, positions, limit: first, after }))[0]!;
  }

  points(wanted: readonly PointsWanted[], first: number): Promise<ArchivalPoint[][]> {
    return pointsOf(this.#client, wanted, first);
  }

  async begin(description: ArchivalDescription, files: readonly CatalogFile[]): Promise<LightCurveArchive> {
    const all = await this.#all();
    const own = all.filter(({ name }) => name === description.name);
    const unfinished = own.filter(({ state }) => state === "loading");
    const same = unfinished.find((one) => isSameLoad(one, { ...description, files }));
    // Others of this name were given up.
    const givenUp = unfinished.filter((one) => one !== same).map((one) => ({ ...one, state: "removed" as const }));
    const begun: Kept = same ?? {
      ...description,
      files,
      revision: Math.max(0, ...own.map((one) => one.revision)) + 1,
      // Of two processes that begin at the same time too.
      load: Math.max(Date.now() * 1000 + Math.floor(Math.random() * 1000), ...all.map(({ load }) => load + 1)),
      state: "loading",
      sources: 0,
      points: 0,
      progress: NOTHING,
      changedAt: 0,
    };
    return (await record(this.#client, REGISTRY, [begun, ...givenUp]))[0]!;
  }

  async append(archive: LightCurveArchive, rows: ArchivalRows, progress: ArchivalProgress): Promise<void> {
    const { sources, points } = placed(archive.load, rows);
    if (sources.rows > 0) await this.#client.insert("archival_sources", sources);
    if (points.rows > 0) await this.#client.insert("archival_points", points);
    await record(this.#client, REGISTRY, [{ ...archive, progress }]);
  }

  async activate(archive: LightCurveArchive, progress: ArchivalProgress): Promise<LightCurveArchive> {
    const points = progress.pointsRead - progress.pointsRejected;
    if (points <= MERGED_POINTS) for (const table of TABLES) await this.#merge(table, archive.load);
    const block = await this.#client.query(
      `SELECT count() AS n FROM archival_sources FINAL WHERE load = {load:UInt64} ${SETTINGS}`,
      { load: archive.load },
      { timeoutMs: 600_000 },
    );
    const sources = Number(bigints(block, "n")[0]);
    const [active] = await record(this.#client, REGISTRY, [
      { ...archive, state: "active" as const, sources, points, progress },
    ]);
    await this.#retire(({ name, revision }) => name === archive.name && revision < archive.revision);
    return active!;
  }

  async abandon(archive: LightCurveArchive): Promise<void> {
    await this.#retire(({ load }) => load === archive.load);
  }

  async remove(name: string): Promise<boolean> {
    return (await this.#retire((one) => one.name === name)) > 0;
  }

  async sweep(): Promise<void> {
    const gone = (await this.#all()).filter(
      ({ state, changedAt, swept }) => state === "removed" && !swept && changedAt < Date.now() - DROP_AFTER_MS,
    );
    for (const one of gone) {
      for (const table of TABLES) {
        const local = quoted(localName(this.#client.cluster ?? null, table));
        await everywhere(this.#client, (onCluster) => `ALTER TABLE ${local}${onCluster} DROP PARTITION ${one.load}`);
      }
      await record(this.#client, REGISTRY, [{ ...one, swept: true }]);
    }
  }

  #all(): Promise<Kept[]> {
    return allRevisions<Kept>(this.#client, REGISTRY);
  }

  /** Revisions that are not wanted any more; how many there were. */
  async #retire(isGone: (archive: LightCurveArchive) => boolean): Promise<number> {
    const gone = (await this.#all()).filter((one) => one.state !== "removed" && isGone(one));
    if (gone.length > 0) {
      const removed = gone.map((one) => ({ ...one, state: "removed" as const }));
      await record(this.#client, REGISTRY, removed);
      setTimeout(() => this.sweep().catch(() => {}), DROP_AFTER_MS + 1_000).unref();
    }
    return gone.length;
  }

  /** One part without rows that were sent twice. */
  async #merge(table: string, load: number): Promise<void> {
    const local = quoted(localName(this.#client.cluster ?? null, table));
    for (;;) {
      try {
        return await everywhere(
          this.#client,
          (onCluster) => `OPTIMIZE TABLE ${local}${onCluster} PARTITION ${load} FINAL`,
        );
      } catch (error) {
        // The merge goes on without us, and the next try waits for it.
        if (!(error instanceof TocsinError) || error.code !== "QUERY_TIMEOUT") throw error;
      }
    }
  }
}

/** The rows as the tables have them: each point beside its source, which lies in a cell of the sky. */
function placed(load: number, rows: ArchivalRows): { sources: Block; points: Block } {
  const { sources, points } = rows;
  const cells = new BigUint64Array(sources.rows);
  nestedPixels(numbers(sources, "ra") as Float64Array, numbers(sources, "dec") as Float64Array, cells);
  for (let row = 0; row < cells.length; row++) cells[row] = cells[row]! >> CELL_BITS;
  const loads = (count: number) => unsigned(new BigUint64Array(count).fill(BigInt(load)));
  const [ids, bands] = [bigints(sources, "source"), column(sources, "band").values as readonly string[]];
  const owner = numbers(points, "row");
  const ofOwner = (values: ArrayLike<bigint>) => {
    const made = new BigUint64Array(points.rows);
    for (let row = 0; row < made.length; row++) made[row] = values[owner[row]!]!;
    return unsigned(made);
  };
  return {
    sources: {
      rows: sources.rows,
      columns: new Map([
        ["load", loads(sources.rows)],
        ["cell", unsigned(cells)],
        ...Object.entries(chosen(sources, ["source", "band", "id", "ra", "dec", "fields"])),
      ]),
    },
    points: {
      rows: points.rows,
      columns: new Map([
        ["load", loads(points.rows)],
        ["cell", ofOwner(cells)],
        ["source", ofOwner(ids)],
        ["band", { type: "String", values: Array.from(owner, (row) => bands[row]!), nulls: null }],
        ...Object.entries(
          chosen(points, ["time", "number", "magnitude", "magnitudeError", "colorCoefficient", "flags"]),
        ),
      ]),
    },
  };
}
