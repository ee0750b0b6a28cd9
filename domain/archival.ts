// Light curves that a survey's archive has published (ZTF's data releases): what an archive is, its sources, their points.
// Filled by ingest/archival, kept by stores/, shown by resolvers/archival.
import type { CatalogFile, CatalogState, LoadProgress } from "./catalog.js";
import type { Provenance } from "./provenance.js";
import { mjdFromJd } from "./time.js";

/**
 * What an archive's times are, never converted to one another: heliocentric MJD, MJD at the observatory, barycentric MJD.
 * Light reaches the Sun up to 8.3 minutes sooner or later than the Earth: hmjd and mjd differ by as much.
 */
export const TIME_KINDS = ["hmjd", "mjd", "bmjd"] as const;
export type TimeKind = (typeof TIME_KINDS)[number];

/**
 * The latest time in an archive of which it is certain that it was not after a JD (UTC). Where it is that of another place, light's
 * way may make it 8.6 minutes early and 32 bits another 2.8: the last quarter of an hour is left out.
 */
export const archivalTimeUpTo = (jd: number, kind: TimeKind): number => mjdFromJd(jd) - (kind === "mjd" ? 0 : 0.01);

/** What a definition says of an archive. */
export interface ArchivalDescription extends Provenance {
  readonly timeKind: TimeKind;
  /** What else there is to know of the times: scale, start or middle of the exposure, resolution. */
  readonly timeNote: string | null;
  /** A point with any of these bits in its flags is not good; 0: all are good. */
  readonly badFlags: number;
  /** Columns of a source that are kept beside its id, position and band. */
  readonly fields: readonly string[];
}

/** How far a load has come: what is stored for good when a process dies. */
export interface ArchivalProgress extends LoadProgress {
  /** Points read of all files: the next one's number. */
  readonly pointsRead: number;
  /** Points without a time or a magnitude, and those of rejected rows. */
  readonly pointsRejected: number;
}

/** One revision of an archive: a new load of the same name is another one. */
export interface LightCurveArchive extends ArchivalDescription {
  /** 1, 2 and so on with each load of the name. */
  readonly revision: number;
  /** Names the revision's rows for ever; no other revision of any archive has it. */
  readonly load: number;
  readonly state: CatalogState;
  readonly files: readonly CatalogFile[];
  /** Light curves: a source in a band. 0 while it loads. */
  readonly sources: number;
  /** 0 while it loads. */
  readonly points: number;
  readonly progress: ArchivalProgress;
  /** Epoch milliseconds of the last change of this record. */
  readonly changedAt: number;
}

/** A source of an archive in one band; its points are those of (load, cell, source, band). */
export interface ArchivalSource {
  readonly load: number;
  readonly cell: bigint;
  readonly source: bigint;
  readonly band: string;
  /** The archive's own id. */
  readonly id: string;
  /** ICRS degrees. */
  readonly ra: number;
  readonly dec: number;
  /** The archive's own columns of the source. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** From the position that was asked for. */
  readonly separationArcsec: number;
}

/** In the order of (time, number). */
export interface ArchivalPoint {
  /** Days, of the archive's kind of time. */
  readonly time: number;
  /** Of the point in its load: tells apart points of the same time. */
  readonly number: bigint;
  /** As the archive calibrated it. */
  readonly magnitude: number;
  readonly magnitudeError: number | null;
  /** Magnitude per colour, as the archive gives it. */
  readonly colorCoefficient: number | null;
  readonly flags: number;
}
