// Archives of light curves: the registry, their sources and points, and what lies near positions. Implemented by
// stores/archive; written by ingest/archival, read by resolvers/archival.
import type {
  ArchivalDescription,
  ArchivalPoint,
  ArchivalProgress,
  ArchivalSource,
  LightCurveArchive,
} from "../domain/archival.js";
import type { CatalogFile } from "../domain/catalog.js";
import type { Block } from "../domain/columns.js";
import type { Cone } from "../domain/skyobject.js";

/** Rows to store. */
export interface ArchivalRows {
  /** source (UInt64), band, id, ra, dec, fields (JSON). Each source with points is among them. */
  readonly sources: Block;
  /** row (of its source in `sources`, UInt32), time, number (UInt64), magnitude, magnitudeError, colorCoefficient, flags. */
  readonly points: Block;
}

/** Points of one insert. */
export const MOST_POINTS = 1_000_000;

/** Where a page of a cone begins: after this source. */
export interface ArchivalSourceKey {
  readonly separationArcsec: number;
  readonly load: number;
  readonly id: string;
  readonly band: string;
}

export interface PointsWanted {
  readonly source: Pick<ArchivalSource, "load" | "cell" | "source" | "band">;
  /** Points with any of these bits in their flags are left out. */
  readonly badFlags: number;
  /** Points of later times, as the archive has them, are left out; null: none. */
  readonly upTo: number | null;
  /** After this point. */
  readonly after: Pick<ArchivalPoint, "time" | "number"> | null;
}

export interface ArchivalStore {
  /** What answers, by name, as it stands now. */
  active(): Promise<LightCurveArchive[]>;
  /** Every revision that is loading or active, by name and revision. */
  list(): Promise<LightCurveArchive[]>;

  /**
   * Sources of these loads within the radius (arcsec, at most 36,000) of each position (degrees ICRS), at most `limit` of
   * each, nearest first, then by load, id and band. One statement for each 20,000 positions.
   */
  near(
    loads: readonly number[],
    ra: Float64Array,
    dec: Float64Array,
    radiusArcsec: number,
    limit: number,
  ): Promise<ArchivalSource[][]>;
  /** The same of one cone, after a source. */
  cone(loads: readonly number[], cone: Cone, first: number, after: ArchivalSourceKey | null): Promise<ArchivalSource[]>;
  /**
   * At most `first` points of each, oldest first; one statement for all.
   * @throws TocsinError QUERY_TOO_LARGE where they are more than 1,000,000.
   */
  points(wanted: readonly PointsWanted[], first: number): Promise<ArchivalPoint[][]>;

  /**
   * The load of this description from these files: a new revision, or the one that a process began and did not end, whose
   * progress says where it goes on.
   */
  begin(description: ArchivalDescription, files: readonly CatalogFile[]): Promise<LightCurveArchive>;
  /** Rows, and how far the load is with them. Sent again they change nothing. At most MOST_POINTS points and sources. */
  append(archive: LightCurveArchive, rows: ArchivalRows, progress: ArchivalProgress): Promise<void>;
  /** All rows are there: the revision takes the place of the one before, at once and for all processes. */
  activate(archive: LightCurveArchive, progress: ArchivalProgress): Promise<LightCurveArchive>;
  /** A load whose files are no good: nothing of it stays. */
  abandon(archive: LightCurveArchive): Promise<void>;
  /** Take an archive away: every revision of this name. False where there is none. Its rows go a little later. */
  remove(name: string): Promise<boolean>;
  /** Rows of revisions that nobody reads any more. Called at start and after each change. */
  sweep(): Promise<void>;
}
