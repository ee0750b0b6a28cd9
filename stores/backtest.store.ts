// Compiled filters over the archive: backtests, reasons, conditions of queries, and what a design costs and keeps.
// Implemented by stores/archive.
import type { Alert } from "../domain/alert.js";
import type { Survey } from "../domain/survey.js";
import type { Viewer } from "../domain/viewer.js";
import type { AlertConditions, AlertKey } from "./alerts.store.js";

/** A compiled text; it comes from filters/compile only, never from a user. */
export interface ArchiveExpression {
  readonly sql: string;
  /** Columns that the text reads. */
  readonly columns: readonly string[];
}

/** Texts that must all hold. Those that read an alert's own columns alone are asked first, and the rest of what is left. */
export type ArchiveCondition = readonly ArchiveExpression[];

/** Alerts of one survey in [startJd, endJd), JD UTC. */
export interface BacktestWindow {
  readonly survey: Survey;
  readonly startJd: number;
  readonly endJd: number;
}

/** Place of an alert within a survey: pages of backtests ascend by it. */
export interface BacktestKey {
  readonly jd: number;
  readonly candid: bigint;
}

export interface BacktestNight {
  /** domain/night.ts, nightNumber(). */
  readonly night: number;
  readonly scanned: number;
  readonly passed: number;
}

export interface BacktestPage {
  /** Of the whole window, nights ascending; null where they were not asked for. */
  readonly nights: readonly BacktestNight[] | null;
  /** Up to `first` passing alerts after `after`, oldest first. */
  readonly keys: readonly BacktestKey[];
}

export interface MatchingPage {
  readonly alerts: readonly Alert[];
  /**
   * Where the search ended before the page was full and before the archive was: the next page begins behind it. Null where
   * the page is full or nothing is left.
   */
  readonly searchedTo: AlertKey | null;
}

/** How many alerts of a sample each of several conditions stops. */
export interface Funnel {
  /** Nights that were looked at, newest first, with all their alerts. */
  readonly nights: readonly { readonly night: number; readonly alerts: number }[];
  /** Alerts that were looked at: all of those nights, or one of so many. */
  readonly scanned: number;
  readonly oneOf: number;
  /** Those that pass all. */
  readonly passed: number;
  /** For each condition: how many fail it; fail it first, in order; fail it and nothing else. */
  readonly failing: readonly number[];
  readonly failingFirst: readonly number[];
  readonly failingOnly: readonly number[];
}

export type Value = number | bigint | string | boolean | null;

/** Only committed alerts that the viewer may see. */
export interface BacktestStore {
  /**
   * Run a condition over a window. Throws QUERY_TOO_LARGE where the window has more alerts than one request may read. Without
   * `counted` only as much is read as the page needs.
   */
  run(
    viewer: Viewer,
    window: BacktestWindow,
    condition: ArchiveCondition,
    page: { readonly first: number; readonly after: BacktestKey | null; readonly counted: boolean },
  ): Promise<BacktestPage>;
  /** Alerts that meet the conditions, of which `survey` must be told, and the text; newest first. Bounded: a page may be short. */
  matching(
    viewer: Viewer,
    where: AlertConditions & { readonly survey: Survey },
    condition: ArchiveCondition,
    first: number,
    after: AlertKey | null,
  ): Promise<MatchingPage>;
  /** Values of expressions for each of these alerts, in the order of the expressions. Lists as arrays. */
  values(
    viewer: Viewer,
    survey: Survey,
    candids: readonly bigint[],
    expressions: readonly ArchiveExpression[],
  ): Promise<Map<bigint, readonly (Value | readonly Value[])[]>>;
  /** The conditions over the last `nights` nights that have alerts, sampled where these are many. */
  funnel(viewer: Viewer, survey: Survey, nights: number, conditions: readonly ArchiveExpression[]): Promise<Funnel>;
  /**
   * Milliseconds that each expression adds to the filters' query over a batch of the newest alerts, as the live stream
   * runs it; null where the archive has no alerts.
   */
  cost(viewer: Viewer, survey: Survey, expressions: readonly ArchiveExpression[]): Promise<readonly number[] | null>;
}
