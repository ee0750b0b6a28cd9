// What has changed of objects since it was told, in the one order of its numbers; and what is left to be done about it.
// Implemented by stores/archive, worked on by ingest/corrections.
import type { Corrected, Correction, StoredCorrection } from "../domain/correction.js";
import type { Survey } from "../domain/survey.js";
import type { Viewer } from "../domain/viewer.js";
import type { OtherSurvey } from "./counterparts.store.js";

/** Those that are asked for; null: any. */
export interface CorrectionConditions {
  readonly survey: Survey | null;
  readonly objectIds: readonly string[] | null;
  readonly what: readonly Corrected[] | null;
  readonly filterIds: readonly string[] | null;
  /** Of alerts that a watch list holds (Mark.content), and of what it holds no more (markOperand). */
  readonly watched: { readonly content: string; readonly operand: string } | null;
}

export const ANY_CORRECTION: CorrectionConditions = {
  ...{ survey: null, objectIds: null, what: null, filterIds: null, watched: null },
};

export interface CorrectedAlert {
  readonly objectId: string;
  readonly jd: number;
  readonly candid: bigint;
}
export interface AlertOfProgram extends CorrectedAlert {
  readonly programid: number;
}
export interface KnownAlert extends AlertOfProgram {
  /** No later alert of the object has the same programid. */
  readonly isLatest: boolean;
}

/** A correction on its way. */
export interface ToldCorrection extends Correction {
  /** Whether people are told; otherwise only filters are run again. */
  readonly isShown: boolean;
  /** First parts of the names whose values may have changed (feature, match.stars); empty: no filter is run again. */
  readonly reads: readonly string[];
}

export interface CorrectionStore {
  /** System use: all of them or none; at most 20,000. Told twice they are there twice. */
  tell(batchId: bigint, corrections: readonly ToldCorrection[]): Promise<void>;
  /** System use: of up to 20,000 alerts those that the archive has. */
  known(survey: Survey, alerts: readonly CorrectedAlert[]): Promise<KnownAlert[]>;
  /**
   * Number what is told and has no number; only in the process that numbers hits (SequenceStore.begin()), in whose epoch alone
   * it takes effect. False: nothing was left to be numbered. Safe to repeat after a failure.
   */
  number(): Promise<boolean>;
  /** In the order of their numbers. */
  page(
    viewer: Viewer,
    where: CorrectionConditions,
    first: number,
    after: bigint,
    upTo: bigint | null,
  ): Promise<StoredCorrection[]>;
  /** System use: the next numbers. */
  seqsAfter(after: bigint, first: number): Promise<bigint[]>;
  lastSeq(): Promise<bigint>;
}

/** A corrected alert over which filters are to be run again. */
export interface AlertToCheck extends CorrectedAlert {
  readonly survey: Survey;
  readonly programid: number;
  readonly reads: readonly string[];
  readonly what: Corrected;
  /** Null where not everybody may know of it. */
  readonly source: string | null;
}

/** An alert of a filter by all that is known of it as a hit. */
export interface Standing {
  readonly filterId: string;
  readonly candid: bigint;
  /** Version that made the hit; null: it was none when it came. */
  readonly hitVersion: number | null;
}

export interface HitKey {
  readonly filterId: string;
  readonly filterVersion: number;
  readonly survey: Survey;
  readonly candid: bigint;
}

/** What became last of a hit, or of an alert that was none. */
export interface HitChange extends HitKey {
  readonly isWithdrawn: boolean;
  /** Epoch milliseconds. */
  readonly changedAt: number;
  /** For people. */
  readonly because: string;
}

/** What filters say now of alerts whose values have changed. */
export interface HitCheckStore {
  /** Batches (CorrectionStore.tell) (since that time, epoch ms) whose alerts are to be checked, oldest first. */
  pending(first: number, since?: number): Promise<bigint[]>;
  alerts(batchId: bigint): Promise<AlertToCheck[]>;
  checked(batchId: bigint): Promise<void>;
  /** Of up to 1,000 alerts: when the batch began that took it in first (epoch ms). */
  takenAt(survey: Survey, candids: readonly bigint[]): Promise<Map<bigint, number>>;
  /** Hits of these filters among the alerts, numbered or not yet. */
  hits(survey: Survey, candids: readonly bigint[], filterIds: readonly string[]): Promise<Standing[]>;
  /** The latest of each; none of those of which there is none. */
  changes(hits: readonly HitKey[]): Promise<HitChange[]>;
  saveChanges(changes: readonly HitChange[]): Promise<void>;
}

/** A committed batch. */
export interface Commit {
  readonly batch: bigint;
  /** Epoch milliseconds. */
  readonly committedAt: number;
}

/** A batch as far as times of its alerts go. */
export interface Arrival {
  readonly batch: bigint;
  readonly survey: Survey;
  readonly minJd: number;
  readonly maxJd: number;
}

/** An alert that came after later ones of its object. */
export interface LateAlert extends AlertOfProgram {
  /** Alerts of the object that lie later and came earlier. */
  readonly later: readonly AlertOfProgram[];
}

/** An object, and from when on its past has become another one. */
export interface LateObject {
  readonly objectId: string;
  readonly jd: number;
}

export interface ArrivalStore {
  /** Batches with alerts that were committed at `since` or later, in that order. */
  commits(since: number, first: number): Promise<Commit[]>;
  /** Of these batches, in their order. */
  arrivals(batches: readonly bigint[]): Promise<Arrival[]>;
  /** The latest time of any alert of the survey; null without alerts. */
  latestJd(survey: Survey): Promise<number | null>;
  /** Which of these late alerts have been told of since (epoch ms). */
  told(survey: Survey, candids: readonly bigint[], since: number): Promise<Set<bigint>>;
  /** Among the batch's alerts before `beforeJd`. */
  late(survey: Survey, batch: bigint, beforeJd: number): Promise<LateAlert[]>;
  /** Objects of which the batch has alerts of these programids before `beforeJd`, each with the time of its earliest. */
  objectsIn(arrival: Arrival, programids: readonly number[], beforeJd: number): Promise<LateObject[]>;
  /**
   * Alerts of `survey` that were taken in since a time (epoch ms) and whose counterparts these objects of `other` (up to 1,000)
   * may be or have been: within the radius of a place that one had in a public alert, and not before its time. Some more than that.
   */
  alertsNear(
    survey: Survey,
    other: OtherSurvey,
    objects: readonly LateObject[],
    takenSince: number,
  ): Promise<CorrectedAlert[]>;
  /** How far a piece of work has come, as it was saved last; null: never. */
  progress(work: string): Promise<number | null>;
  saveProgress(work: string, at: number): Promise<void>;
}
