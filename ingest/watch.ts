// What the pipeline and the sequencer tell of their work, for metrics and traces. Implemented by server/ or cli/, told by
// ingest/pipeline.ts and ingest/sequencer.ts.
import type { Survey } from "../domain/survey.js";

const STAGES = [
  "decode",
  "dedupe",
  "enrich",
  "packets",
  "store",
  "filter",
  "counterparts",
  "receipt",
  "commit",
  "number",
  "link",
] as const;
export type Stage = (typeof STAGES)[number];

export interface StageDone {
  readonly stage: Stage;
  /** Null where a batch is not of one survey. */
  readonly survey: Survey | null;
  readonly batchId: bigint | null;
  readonly alerts: number;
  /** performance.now() at its beginning, and its length. */
  readonly startedAt: number;
  readonly milliseconds: number;
}

export interface IngestWatch {
  stageDone(done: StageDone): void;
}

export const unwatched: IngestWatch = { stageDone() {} };

/** Do the work and tell how long it took, if it succeeds. */
export async function timed<T>(
  watch: IngestWatch,
  about: Pick<StageDone, "stage" | "survey" | "batchId" | "alerts">,
  work: () => Promise<T> | T,
): Promise<T> {
  const startedAt = performance.now();
  const result = await work();
  watch.stageDone({ ...about, startedAt, milliseconds: performance.now() - startedAt });
  return result;
}
