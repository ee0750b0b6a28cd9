// The alert: common columns that mean the same for every survey, and the row that the API shows.
import type { Block, ElementType } from "./columns.js";
import type { MissingStep } from "./missing.js";
import type { Packet } from "./packet.js";
import type { Survey } from "./survey.js";

export interface CommonField {
  readonly name: string;
  readonly type: ElementType;
  readonly nullable: boolean;
  readonly unit: string | null;
  readonly description: string;
}

const field = (name: string, type: ElementType, unit: string | null, description: string, nullable = false) =>
  ({ name, type, nullable, unit, description }) satisfies CommonField;

/**
 * Columns that every survey's alert table has and every filter may read. A survey whose own field has one of these
 * names (ZTF's jd, LSST's snr) fills the column with that field's value.
 */
export const COMMON_FIELDS: readonly CommonField[] = [
  field("candid", "Int64", null, "The survey's 64-bit id of this alert (ZTF candid, LSST diaSourceId)."),
  field("objectId", "String", null, "The survey's id of the object (ZTF objectId, LSST diaObjectId as decimal text)."),
  field("jd", "Float64", "d", "Time of the exposure, Julian date, UTC."),
  field("ra", "Float64", "deg", "Right ascension, ICRS."),
  field("dec", "Float64", "deg", "Declination, ICRS."),
  field("galLon", "Float64", "deg", "Galactic longitude l (IAU 1958 system by way of FK5, as astropy has it)."),
  field("galLat", "Float64", "deg", "Galactic latitude b."),
  field("eclLon", "Float64", "deg", "Ecliptic longitude, mean ecliptic and equinox of J2000."),
  field("eclLat", "Float64", "deg", "Ecliptic latitude, mean ecliptic and equinox of J2000."),
  field("band", "String", null, "Filter band: g, r, i for ZTF; u, g, r, i, z, y for LSST."),
  field("magnitude", "Float64", "mag", "AB magnitude of the absolute difference flux, PSF photometry.", true),
  field("magnitudeError", "Float64", "mag", "1-sigma error of magnitude.", true),
  field("flux", "Float64", "nJy", "Difference flux, negative where fainter than the reference.", true),
  field("fluxError", "Float64", "nJy", "1-sigma error of flux.", true),
  field("snr", "Float64", null, "Signal to noise: |flux| / fluxError, or the survey's own value.", true),
  field("isPositive", "Bool", null, "True where the difference is brighter than the reference."),
  field("programid", "Int32", null, "Rights of the packet: 1 public (ZTF 2 partnership, 3 Caltech; LSST always 1)."),
];

/** Columns that every alert table has besides, never read by filters by these names. */
export const INTERNAL_FIELDS: readonly CommonField[] = [
  field("healpix", "UInt64", null, "HEALPix pixel of (ra, dec), nested, order 29."),
  field("class", "String", null, "Class by rule: solar-system, stellar, hosted, hostless or unknown."),
  field("solarSystemName", "String", null, "Solar-system designation as the survey names it.", true),
];

/** Every photometry point an alert's packet tells of, one row each. */
export const PHOTOMETRY_FIELDS: readonly CommonField[] = [
  field("objectId", "String", null, "Object that the point belongs to."),
  field("kind", "UInt8", null, "1 detection, 2 non-detection (upper limit), 3 forced point: domain/photometry.ts."),
  field("pointId", "Int64", null, "candid of a detection; the survey's image id (ZTF pid) of a limit or forced point."),
  field("jd", "Float64", "d", "Julian date, UTC."),
  field("band", "String", null, "Filter band."),
  field(
    "magnitude",
    "Float64",
    "mag",
    "AB magnitude of |difference flux|: detections, and forced points of 3 sigma.",
    true,
  ),
  field("magnitudeError", "Float64", "mag", "1-sigma error of magnitude.", true),
  field("flux", "Float64", "nJy", "Difference flux with sign.", true),
  field("fluxError", "Float64", "nJy", "1-sigma error of flux.", true),
  field("limitingMagnitude", "Float64", "mag", "5-sigma limit of the image (diffmaglim).", true),
  field("zeroPoint", "Float64", "mag", "Zero point of a forced point's counts, where the survey tells one.", true),
  field("isPositive", "Bool", null, "Sign of the difference."),
  field("programid", "Int32", null, "Rights of this point."),
  field("toldByJd", "Float64", "d", "jd of the alert whose packet told this point: the latest packet wins."),
  field("toldByCandid", "Int64", null, "candid of that alert: breaks ties of toldByJd."),
];

/** Decoded and normalised alerts of one survey, in step: row i of `alerts` came from `packets[i]`. */
export interface AlertBatch {
  readonly survey: Survey;
  /** COMMON_FIELDS, INTERNAL_FIELDS (class filled by enrichment) and the survey's own fields. */
  readonly alerts: Block;
  /** PHOTOMETRY_FIELDS. */
  readonly photometry: Block;
  /** Row of `alerts` that told each photometry row. */
  readonly toldBy: Uint32Array;
  readonly packets: readonly Packet[];
  /** What enrichment keeps of these alerts in tables of its own; written together with them. */
  readonly annexes?: readonly Annex[];
  /** What enrichment could not add. */
  readonly missing?: readonly MissingStep[];
}

/** Rows for one of the archive's tables that stand beside the alerts, which adds survey and batch to each. */
export interface Annex {
  readonly table: AnnexTable;
  /** With jd and candid of the alert that each row belongs to. */
  readonly rows: Block;
}

/** features: one row an alert. matches: one an alert and catalog. scores: one an alert and model. marks: watch lists, areas, skymaps. */
export type AnnexTable = "features" | "matches" | "scores" | "marks";

/** One alert as the API shows it. */
export interface Alert {
  readonly survey: Survey;
  readonly candid: bigint;
  readonly objectId: string;
  readonly jd: number;
  readonly ra: number;
  readonly dec: number;
  readonly band: string;
  readonly magnitude: number | null;
  readonly magnitudeError: number | null;
  readonly flux: number | null;
  readonly fluxError: number | null;
  readonly isPositive: boolean;
  readonly class: string | null;
  readonly solarSystemName: string | null;
  readonly programid: number;
}
