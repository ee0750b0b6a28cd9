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

export interface SurveyDescription {
  readonly id: Survey;
  /** Full name for people. */
  readonly title: string;
  /** The alert's own fields, without those that are common columns (domain/alert.ts, COMMON_FIELDS). */
  readonly fields: readonly OwnField[];
  readonly bands: readonly string[];
  /** programid values that anybody may see. */
  readonly publicProgramids: readonly number[];
  /** Two surveys' objects within the smaller of their radii are counterparts; arcsec. */
  readonly counterpartRadiusArcsec: number;
  /** A night is named by the UTC date of its times less this many hours, so that no night has two names: domain/night.ts. */
  readonly nightOffsetHours: number;
}
