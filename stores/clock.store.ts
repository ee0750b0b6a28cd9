// When an alert passed which stage of its way, and how long nights took for it. Implemented by stores/archive.
import type { Night } from "../domain/night.js";
import type { Survey } from "../domain/survey.js";
import type { Viewer } from "../domain/viewer.js";

/** Epoch milliseconds; null where nobody told. */
export interface AlertClock {
  readonly observedAt: number;
  readonly emittedAt: number | null;
  readonly receivedAt: number | null;
  readonly storedAt: number | null;
  readonly filteredAt: number | null;
  /** Its batch's hits were numbered: subscribers and streams have them from then on. */
  readonly deliveredAt: number | null;
}

/** In the order of the way; the last one spans from reception to delivery. */
export const LATENCY_STAGES = [
  "emitted",
  "received",
  "stored",
  "filtered",
  "delivered",
  "receivedToDelivered",
] as const;
export type LatencyStage = (typeof LATENCY_STAGES)[number];

/** Seconds over those alerts of which both ends are known. */
export interface StageLatency {
  readonly stage: LatencyStage;
  readonly count: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
}

export interface ClockStore {
  clocks(viewer: Viewer, survey: Survey, candids: readonly bigint[]): Promise<Map<bigint, AlertClock>>;
  /** Of the night's alerts that the viewer may see; a stage that none has both ends of is absent. */
  latency(viewer: Viewer, survey: Survey, night: Night): Promise<StageLatency[]>;
}
