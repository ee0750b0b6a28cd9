// What the rest of the house needs to know of a survey, as data. The surveys themselves live in ingest/surveys/;
// cli/ hands these descriptions to the stores, the filter language and the API.
import type { ElementType } from "./columns.js";

/** A survey's id as the API spells it, for example "ZTF" or "LSST". */
export type Survey = string;

/** One of the survey's own alert fields, kept as a column of its alert table and usable in filters. */
export interface OwnField {
  /** The survey's own name, unchanged: magpsf, psfFlux. Also the column's name. */
  readonly name: string;
  readonly type: ElementType;
  readonly nullable: boolean;
  /** For example "mag", "d", "arcsec", "nJy"; null for pure numbers, flags, ids and text. */
  readonly unit: string | null;
  readonly description: string;
}

/** A column of the photometry table that not every survey fills. */
export interface PointColumn {
  /** ra, dec, or `<survey>_<name>` so that no two surveys share one that is not the same. */
  readonly name: string;
  readonly type: ElementType;
  /**
   * The same in every telling, and left out by some: what any packet told holds (drb, which only the alert itself has).
   * Otherwise it is part of what a packet tells of the point, and may be told anew.
   */
  readonly isFixed: boolean;
}

/** A value of each point of a list, as filters name it. */
export interface PointField {
  /** The survey's own name (magpsf, psfFlux) or a common one (flux, snr). */
  readonly name: string;
  readonly type: ElementType;
  readonly unit: string | null;
  readonly description: string;
  /** Column of the photometry table (domain/alert.ts, PHOTOMETRY_FIELDS, and pointColumns) or one of DERIVED (domain/photometry.ts). */
  readonly column: string;
}

/** Fields of the lists of domain/photometry.ts, POINT_LISTS. */
export interface PointFields {
  readonly detections: readonly PointField[];
  readonly nonDetections: readonly PointField[];
  readonly forced: readonly PointField[];
}

/** A condition that many filters share, which they may read as `cut.<name>`. */
export interface Cut {
  readonly name: string;
  /** In the filter language, over the survey's alerts. */
  readonly expression: string;
  readonly description: string;
}

export interface SurveyDescription {
  readonly id: Survey;
  /** Full name for people. */
  readonly title: string;
  /** The alert's own fields, without those that are common columns (domain/alert.ts, COMMON_FIELDS). */
  readonly fields: readonly OwnField[];
  /** Columns of points besides those of every survey; each may be missing. */
  readonly pointColumns: readonly PointColumn[];
  readonly pointFields: PointFields;
  readonly cuts?: readonly Cut[];
  readonly bands: readonly string[];
  /** programid values that anybody may see. */
  readonly publicProgramids: readonly number[];
  /** Two surveys' objects within the smaller of their radii are counterparts; arcsec. */
  readonly counterpartRadiusArcsec: number;
  /** A night is named by the UTC date of its times less this many hours, so that no night has two names: domain/night.ts. */
  readonly nightOffsetHours: number;
}
