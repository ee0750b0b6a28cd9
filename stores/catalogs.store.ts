// Catalogs of sources on the sky: the registry, their rows, and what lies near positions. Implemented by stores/archive;
// written by ingest/catalogs, read by resolvers/ and by the cross-match.
import type { Catalog, CatalogDescription, CatalogFile, LoadProgress } from "../domain/catalog.js";
import type { Block } from "../domain/columns.js";
import type { Cone } from "../domain/skyobject.js";

/** Sources near positions, by position, then nearest first, then by id. */
export interface NearbySources {
  /** Index of the position among those that were asked for. */
  readonly position: Uint32Array;
  readonly separationArcsec: Float64Array;
  /** One row for each of the above: id, ra, dec and the columns that were asked for. */
  readonly rows: Block;
}

export interface NearbyOptions {
  /** Of the catalog's own columns; absent: all. */
  readonly columns?: readonly string[];
  /** At most so many of each position, the nearest. */
  readonly limit?: number | null;
}

/** A page of a cone: rows like NearbySources, in the order of (separation, id). */
export interface SourcePage {
  readonly separationArcsec: Float64Array;
  readonly rows: Block;
  /** Whether more follow. */
  readonly hasMore: boolean;
}

/** Where a page of a cone begins: after this source. */
export interface SourceKey {
  readonly separationArcsec: number;
  readonly id: string;
}

export interface CatalogStore {
  /** The active catalogs by name, as last heard of: no query. */
  active(): readonly Catalog[];
  /** The listener is called after active() has changed, whoever changed it; the function ends it. */
  onChange(listener: () => void): () => void;
  /** Hear each second of what other processes change; the function ends it. */
  follow(): () => void;
  /** Ask the registry now. */
  refresh(): Promise<void>;
  /** Every revision that is loading or active, by name and revision. */
  list(): Promise<Catalog[]>;

  /**
   * A whole catalog in blocks of up to 500,000 rows: id, ra, dec and these columns, in the order of the sky (nested HEALPix).
   * @throws TocsinError NOT_FOUND where the revision has been removed meanwhile.
   */
  read(catalog: Catalog, columns: readonly string[]): AsyncIterable<Block>;
  /**
   * All sources within a radius (arcsec, one for all or one for each; at most 36,000) of each position (degrees ICRS). Any
   * number of positions, asked for in pieces; a position that is no number has nothing near it.
   */
  sourcesNear(
    catalog: Catalog,
    ra: Float64Array,
    dec: Float64Array,
    radiusArcsec: Float64Array | number,
    options?: NearbyOptions,
  ): Promise<NearbySources>;
  /** One cone, page by page. */
  cone(catalog: Catalog, cone: Cone, first: number, after: SourceKey | null): Promise<SourcePage>;

  /**
   * The load of this description from these files: a new revision, or the one that a process began and did not end, whose
   * progress says where it goes on.
   */
  begin(description: CatalogDescription, files: readonly CatalogFile[]): Promise<Catalog>;
  /**
   * Rows (id, ra, dec and the columns) and how far the load is with them. Sent again they change nothing. At most 1,000,000.
   */
  append(catalog: Catalog, rows: Block, progress: LoadProgress): Promise<void>;
  /** All rows are there: the revision takes the place of the one before, at once and for all processes. */
  activate(catalog: Catalog, progress: LoadProgress): Promise<Catalog>;
  /** A load whose files are no good: nothing of it stays. */
  abandon(catalog: Catalog): Promise<void>;
  /** Take a catalog away: every revision of this name. False where there is none. Its rows go a little later. */
  remove(name: string): Promise<boolean>;
  /** Rows of revisions that nobody reads any more. Called at start and after each change. */
  sweep(): Promise<void>;
}
