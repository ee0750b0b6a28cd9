// A catalog of sources on the sky: what it is, where it came from, how its sources match. Read by every room that matches
// positions, filled by ingest/catalogs and stores/.
import type { ElementType } from "./columns.js";
import type { Ellipse } from "./ellipse.js";
import type { Provenance } from "./provenance.js";

/** Columns that every catalog has beside its own: the source's id, its position (degrees ICRS), and its place in the key. */
export const SOURCE_COLUMNS = ["id", "ra", "dec", "cell"] as const;

export interface CatalogColumn {
  /** As filters and queries write it: letters, digits and _. The catalog's own name where that is one. */
  readonly name: string;
  readonly type: ElementType;
  readonly unit: string | null;
  readonly description: string;
}

/** How near a source must be: within the catalog's radius, or within a length at the source's own distance. */
export type MatchRule = { readonly kind: "radius" } | DistanceRule;

/**
 * Within `kpc` at the source's distance, told by its column: a redshift (the field's 1 kpc = 1 arcsec at z = 0.05) or Mpc.
 * Near ones (z < 0.01, below 40 Mpc) are matched within `nearArcsec`. With `ellipse` a source also matches wherever it
 * extends. The catalog's radius is the widest that is searched.
 */
export interface DistanceRule {
  readonly kind: "distance";
  readonly by: "redshift" | "Mpc";
  readonly column: string;
  readonly kpc: number;
  readonly nearArcsec: number;
  readonly ellipse?: EllipseColumns;
}

/** Columns that tell how a source extends. */
export interface EllipseColumns {
  /** The major axis, and the arcsec of half of it in one of its units: 30 for a diameter in arcmin. */
  readonly axis: string;
  readonly arcsec: number;
  /** Minor over major axis. */
  readonly ratio: string;
  /** Of the major axis, degrees from north through east. */
  readonly angle: string;
}

/** Galaxies of the Local Group come towards us, at most so fast; what is below stands for an unknown redshift. */
const LEAST_REDSHIFT = -0.01;

/** Radius in arcsec within which a source of this redshift or distance (Mpc) matches; 0 where it is unknown. */
export function distanceRadiusArcsec({ by, kpc, nearArcsec }: DistanceRule, value: number): number {
  if (by === "redshift") {
    if (!(value >= LEAST_REDSHIFT)) return 0;
    return value < 0.01 ? nearArcsec : (kpc * 0.05) / value;
  }
  if (!(value > 0)) return 0;
  return value < 40 ? nearArcsec : (Math.atan(kpc / 1000 / value) * 180 * 3600) / Math.PI;
}

/** Whether the distance rule takes a source of this redshift or distance for a near one. */
export const isNear = ({ by }: DistanceRule, value: number): boolean =>
  by === "redshift" ? value >= LEAST_REDSHIFT && value < 0.01 : value > 0 && value < 40;

/**
 * Of values of the columns, NaN where missing. Null where the axes are not known; where only the angle is not, the circle
 * that lies within the ellipse however it is turned.
 */
export function ellipseOf({ arcsec }: EllipseColumns, axis: number, ratio: number, angle: number): Ellipse | null {
  if (!(axis > 0 && Number.isFinite(axis) && ratio > 0 && ratio <= 1)) return null;
  const semiMajorArcsec = axis * arcsec;
  if (Number.isFinite(angle)) return { semiMajorArcsec, axisRatio: ratio, angleDeg: angle };
  return { semiMajorArcsec: semiMajorArcsec * ratio, axisRatio: 1, angleDeg: 0 };
}

/** What a user or a definition says of a catalog. Its name stands in queries, and in filters as match.<name>. */
export interface CatalogDescription extends Provenance {
  /** Sources are matched within this, arcsec. */
  readonly radiusArcsec: number;
  readonly rule: MatchRule;
  /** At most so many of the nearest sources match; null: all within the radius. */
  readonly limit: number | null;
  readonly idType: "String" | "Int64" | "UInt64";
  readonly columns: readonly CatalogColumn[];
  /** Julian year of the positions as they stand in the archive; null where the catalog does not say. */
  readonly epoch: number | null;
  /** Julian year of the positions as they were given, where proper motion brought them to `epoch`; else null. */
  readonly epochGiven: number | null;
}

/** A file that a catalog was read from. */
export interface CatalogFile {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** A row that was not taken. */
export interface RejectedRow {
  readonly file: string;
  /** Counted from 1, without header lines. */
  readonly row: number;
  readonly reason: string;
}

/** How far a load has come: what is stored for good when a process dies. */
export interface LoadProgress {
  /** Files read whole. */
  readonly files: number;
  /** Rows of the next file that were read. */
  readonly rowsOfFile: number;
  /** Rows read of all files. */
  readonly rowsRead: number;
  readonly rejected: number;
  /** The first 20. */
  readonly rejectedRows: readonly RejectedRow[];
  /** Least and greatest right ascension as the files write it, where that is a number. */
  readonly raRange?: readonly [number, number];
}

export type CatalogState = "loading" | "active" | "removed";

/** One revision of a catalog: a new load of the same name is another one. */
export interface Catalog extends CatalogDescription {
  /** 1, 2 and so on with each load of the name, removed ones counted: name and revision name the rows for ever. */
  readonly revision: number;
  readonly state: CatalogState;
  readonly files: readonly CatalogFile[];
  /** Sources: 0 while it loads. */
  readonly rows: number;
  /** Rows that said again what stands there: the same id in the same cell of 3.2 arcsec. The last one stays. */
  readonly duplicates: number;
  readonly progress: LoadProgress;
  /** Epoch milliseconds of the last change of this record. */
  readonly changedAt: number;
}
