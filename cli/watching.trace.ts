// The trace of a batch, from packet to hit: its id follows from the batch's, so that every process that meets the batch
// names the same trace without being told. Used by logger.ts, watching.batches.ts and watching.spans.ts.
import { AsyncLocalStorage } from "node:async_hooks";
import { createHash } from "node:crypto";
import type { BatchReceipt } from "../stores/batches.store.js";

export interface TraceIds {
  /** 32 hex digits, as W3C Trace Context has them. */
  readonly traceId: string;
  /** Of the span that holds all others of the batch: 16 hex digits. */
  readonly rootId: string;
}

export function traceOf(batchId: bigint): TraceIds {
  const hex = createHash("sha256").update(`tocsin batch ${batchId}`).digest("hex");
  return { traceId: hex.slice(0, 32), rootId: hex.slice(32, 48) };
}

/** A survey's part of what was taken in together. */
export interface WatchedBatch {
  readonly batchId: bigint;
  /** Null until it is committed. */
  receipt: BatchReceipt | null;
}

/** What was taken in together: packets of one or several surveys. */
export interface Take {
  /** performance.now() */
  readonly startedAt: number;
  readonly batches: WatchedBatch[];
  /** Where the packets came from: "topic/partition: first-last" for Kafka. */
  readonly origins: readonly string[];
  /** performance.now() before and after decode, which comes before there is a batch; null until then. */
  decoded: readonly [number, number] | null;
}

export const takes = new AsyncLocalStorage<Take>();

/** For every line that is logged while a batch is at work. */
export function traceFields(): Readonly<Record<string, string | readonly string[]>> {
  const ids = takes.getStore()?.batches.map(({ batchId }) => batchId) ?? [];
  if (ids.length === 0) return {};
  if (ids.length === 1) return { batchId: String(ids[0]), traceId: traceOf(ids[0]!).traceId };
  // Taken in together: it cannot be told whose step this is.
  return { batchIds: ids.map(String), traceIds: ids.map((batchId) => traceOf(batchId).traceId) };
}
