// What lies near alerts in the catalogs, as it was kept when they were matched. Implemented by stores/archive; rows are
// made by ingest/crossmatch.
import type { Block } from "../domain/columns.js";
import type { Survey } from "../domain/survey.js";

/** A source near an alert. */
export interface StoredMatch {
  readonly catalog: string;
  /** Decimal text where the catalog's ids are numbers. */
  readonly sourceId: string;
  /** Degrees ICRS, of the source. */
  readonly ra: number;
  readonly dec: number;
  readonly separationArcsec: number;
  /** The catalog's columns, and distanceKpc where it has a distance rule. 64-bit integers as decimal text. */
  readonly fields: Readonly<Record<string, number | string | null>>;
  /** Of the step that matched. */
  readonly version: string;
  /** Of the catalog. */
  readonly revision: number;
}

export interface MatchedAlert {
  readonly jd: number;
  readonly candid: bigint;
}

export interface MatchedObject extends MatchedAlert {
  readonly objectId: string;
}

/** Nobody reads more of one alert: the nearest of all catalogs. */
export const MAX_ALERT_MATCHES = 1_000;

export interface MatchStore {
  /**
   * Of many alerts in one query: nearest first, at most 1,000 each, of these catalogs; no entry where there are none. With
   * `asOf`, a JD of UTC, those that were stored up to then; of an alert that was taken in later, those with which it came.
   */
  ofAlerts(
    survey: Survey,
    alerts: readonly MatchedAlert[],
    catalogs: readonly string[],
    asOf?: number | null,
  ): Promise<Map<bigint, StoredMatch[]>>;
  /**
   * Rows of one catalog as ingest/crossmatch makes them, in place of those of the same alerts from earlier batches, which are
   * kept for `asOf` where they had other sources, separations or columns. Candids of alerts of which something else is told now.
   */
  write(survey: Survey, batchId: bigint, rows: Block): Promise<ReadonlySet<bigint>>;
  /** Those of one catalog's rows within these times that hold sources: jd and candid. */
  matchedBetween(survey: Survey, catalog: string, fromJd: number, toJd: number): Promise<MatchedAlert[]>;
  /** Names of catalogs that have rows. */
  catalogs(): Promise<string[]>;
  /** Alerts for which a catalog's rows hold sources: objectId, jd, candid of the next ones in the order of (jd, candid). */
  matchedAfter(survey: Survey, catalog: string, after: MatchedAlert | null, first: number): Promise<MatchedObject[]>;
  /** Rows of catalogs other than these are removed, also those that stood before. */
  withdraw(catalogs: readonly string[]): Promise<void>;
}

/** How far the archived alerts of a survey have been matched with a catalog that came or changed after them. */
export interface Rematch {
  readonly catalog: string;
  readonly revision: number;
  readonly version: string;
  readonly survey: Survey;
  /** Epoch milliseconds. */
  readonly startedAt: number;
  /** The last alert that is done, in the order of (jd, candid); null: none yet. */
  readonly until: MatchedAlert | null;
  readonly done: number;
  /** Alerts of the survey when it began. */
  readonly total: number;
  readonly complete: boolean;
}

export interface RematchStore {
  /** All that were begun and are of these catalogs, whatever their revisions. */
  rematches(catalogs: readonly string[]): Promise<Rematch[]>;
  saveRematch(rematch: Rematch): Promise<void>;
  alertCount(survey: Survey): Promise<number>;
  /**
   * objectId, jd, candid, ra, dec of the next alerts in the order of (jd, candid), each once; `writtenSince` (epoch ms): only
   * those of batches that began then or later.
   */
  alertsAfter(survey: Survey, after: MatchedAlert | null, first: number, writtenSince?: number): Promise<Block>;
}
