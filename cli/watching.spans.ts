// What of the work becomes a span, and how spans hang together: batch > decode, dedupe, ..., number, deliver; and one for
// each GraphQL operation. Made by watching.ts where traces are collected.
import { SpanKind } from "@opentelemetry/api";
import type { DeliveredHit, Hit } from "../domain/filter.js";
import type { StageDone } from "../ingest/watch.js";
import type { BatchReceipt } from "../stores/batches.store.js";
import type { Found } from "../stores/sequence.store.js";
import type { Tracing } from "./tracing.js";
import { type Take, traceOf } from "./watching.trace.js";

/** Numbered hits whose delivery is waited for; those beyond have no span of it. */
const MOST_AWAITED = 10_000;

interface Delivery {
  readonly batchId: bigint;
  readonly startedAt: number;
  endedAt: number;
  /** Hits that were delivered. */
  hits: number;
}

export class Spans {
  readonly #awaited = new Map<bigint, bigint>();
  readonly #numberedAt = new Map<bigint, number>();
  #delivery: Delivery | null = null;

  constructor(private readonly tracing: Tracing) {}

  stage({ stage, survey, batchId, alerts, startedAt, milliseconds }: StageDone, take: Take | undefined): void {
    const id = batchId ?? take?.batches.at(-1)?.batchId;
    if (id === undefined) return;
    const attributes = { "tocsin.alerts": alerts, ...(survey !== null && { "tocsin.survey": survey }) };
    this.#child(id, stage, startedAt, startedAt + milliseconds, attributes);
  }

  /** The span that holds the others; decode, which all batches of a take share, is told with each. */
  batch(batchId: bigint, { survey, read, stored, duplicates, deadLetters, hits }: BatchReceipt, take: Take): void {
    const { traceId, rootId } = traceOf(batchId);
    const ofSurvey: Record<string, string> = survey === null ? {} : { "tocsin.survey": survey };
    if (take.decoded !== null) this.#child(batchId, "decode", ...take.decoded, ofSurvey);
    this.tracing.span({
      name: "batch",
      kind: SpanKind.CONSUMER,
      traceId,
      spanId: rootId,
      startedAt: take.startedAt,
      endedAt: performance.now(),
      attributes: {
        ...ofSurvey,
        "tocsin.batch_id": String(batchId),
        "tocsin.read": read,
        "tocsin.stored": stored,
        "tocsin.duplicates": duplicates,
        "tocsin.dead_letters": deadLetters,
        "tocsin.hits": hits,
        "tocsin.origins": [...take.origins],
      },
    });
  }

  numbered(
    batches: readonly bigint[],
    known: ReadonlyMap<bigint, Found>,
    hits: readonly Hit[],
    startedAt: number,
  ): void {
    const endedAt = performance.now();
    const batchOf = new Map<string, bigint>();
    for (const batchId of batches) {
      const found = known.get(batchId);
      for (const hit of found?.hits ?? []) batchOf.set(keyOf(hit), batchId);
      if (found !== undefined && found.hits.length > 0) this.#numberedAt.set(batchId, endedAt);
      this.#child(batchId, "number", startedAt, endedAt, { "tocsin.batches": batches.length });
    }
    for (const hit of hits) {
      const batchId = batchOf.get(keyOf(hit));
      if (batchId !== undefined && this.#awaited.size < MOST_AWAITED) this.#awaited.set(hit.seq, batchId);
    }
  }

  delivered({ seq }: DeliveredHit): void {
    const batchId = this.#awaited.get(seq);
    if (batchId === undefined) return;
    this.#awaited.delete(seq);
    const endedAt = performance.now();
    if (this.#delivery?.batchId !== batchId) {
      this.#flush();
      this.#delivery = { batchId, startedAt: this.#numberedAt.get(batchId) ?? endedAt, endedAt, hits: 0 };
      // Hits of a batch follow each other without a pause.
      setImmediate(() => this.#flush());
    }
    this.#delivery.endedAt = endedAt;
    this.#delivery.hits += 1;
  }

  operation(transport: string, kind: string, outcome: string, startedAt: number): void {
    this.tracing.span({
      name: `graphql ${kind}`,
      kind: SpanKind.SERVER,
      startedAt,
      endedAt: performance.now(),
      attributes: { "graphql.operation.type": kind, "tocsin.transport": transport, "tocsin.outcome": outcome },
      failed: outcome === "INTERNAL",
    });
  }

  /** Sends what waits. */
  close(): Promise<void> {
    this.#flush();
    return this.tracing.close();
  }

  #flush(): void {
    if (this.#delivery === null) return;
    const { batchId, startedAt, endedAt, hits } = this.#delivery;
    this.#delivery = null;
    this.#numberedAt.delete(batchId);
    this.#child(batchId, "deliver", startedAt, endedAt, { "tocsin.hits": hits });
  }

  #child(
    batchId: bigint,
    name: string,
    startedAt: number,
    endedAt: number,
    attributes: Record<string, string | number>,
  ) {
    const { traceId, rootId: parentId } = traceOf(batchId);
    this.tracing.span({ name, traceId, parentId, startedAt, endedAt, attributes });
  }
}

const keyOf = ({ filterId, survey, candid }: Pick<Hit, "filterId" | "survey" | "candid">) =>
  `${filterId} ${survey} ${candid}`;
