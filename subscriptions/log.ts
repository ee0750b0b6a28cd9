// Follows the archive's log of hits: every hit once, in the order of seq. The hub owns one; ingest feeds it.
import { setTimeout as delay } from "node:timers/promises";
import type { Alert } from "../domain/alert.js";
import { TocsinError } from "../domain/errors.js";
import type { DeliveredHit, Hit } from "../domain/filter.js";
import type { Survey } from "../domain/survey.js";
import type { Viewer } from "../domain/viewer.js";
import type { AlertStore } from "../stores/alerts.store.js";
import type { HitStore } from "../stores/hits.store.js";
import type { HubLimits } from "./request.js";

const MOST_ANNOUNCED = 40_000;
const RETRY_MS = 500;

export interface LogStores {
  readonly hits: Pick<HitStore, "page" | "since" | "lastSeq">;
  readonly alerts: Pick<AlertStore, "byCandid">;
}

/** The archive cannot be read, told with each try (`before`: why it could not the last time), and can be again, told once. */
export interface ReadFaults {
  failed(error: Error, before: Error | null): void;
  over(error: Error): void;
}

/**
 * The log's head. `last` is the seq up to which every hit has been handed to `emit`; it only grows, and emit is called
 * for last + 1, last + 2, ... What is announced is a short cut: whatever is missing before it is read from the archive,
 * so a hit that was stored but never announced (a retry, a crash) is only late.
 */
export class HitLog {
  #last: bigint;
  /** Every hit emitted above #recentAfter, oldest first. */
  #recent: DeliveredHit[] = [];
  #recentAfter: bigint;
  #announced: DeliveredHit[] = [];
  #following = false;
  /** Whether the archive may have hits beyond those announced. */
  #woken = false;
  /** performance.now() at which a seq was first found missing; null while none is. */
  #missingSince: number | null = null;
  /** Why the archive could not be read the last time. */
  #failure: Error | null = null;
  readonly #closed = new AbortController();

  private constructor(
    readonly stores: LogStores,
    last: bigint,
    readonly limits: Pick<HubLimits, "page" | "recent">,
    readonly emit: (hit: DeliveredHit) => void,
    readonly faults: ReadFaults,
    readonly gapMs: number,
  ) {
    this.#last = last;
    this.#recentAfter = last;
  }

  /**
   * `faults` hears why the archive could not be read; the log tries again by itself. `gapMs`: how long a seq that the
   * archive does not show, though it shows later ones, is waited for; replicas may show the younger part first.
   */
  static async open(
    stores: LogStores,
    limits: Pick<HubLimits, "page" | "recent">,
    emit: (hit: DeliveredHit) => void,
    faults: ReadFaults,
    gapMs: number,
  ): Promise<HitLog> {
    return new HitLog(stores, await stores.hits.lastSeq(), limits, emit, faults, gapMs);
  }

  get last(): bigint {
    return this.#last;
  }

  /** Announced hits that are not emitted yet. */
  get waiting(): number {
    return this.#announced.length;
  }

  /** Every hit above `after`, oldest first, if all of them are still in memory; else null. */
  recent(after: bigint): readonly DeliveredHit[] | null {
    if (after < this.#recentAfter) return null;
    return this.#recent.slice(this.#recent.findLastIndex((hit) => hit.seq <= after) + 1);
  }

  /** Hits that are stored and committed, in order of seq. Returns at once. */
  announce(hits: readonly DeliveredHit[]): void {
    // What falls out here while the archive is away is read from it later, like any other gap.
    this.#announced = this.#announced.concat(hits).slice(-MOST_ANNOUNCED);
    if (!this.#following) void this.#follow();
  }

  /** There may be hits that nobody announces: those of other processes. Returns at once. */
  wake(): void {
    this.#woken = true;
    if (!this.#following) void this.#follow();
  }

  close(): void {
    this.#closed.abort();
  }

  async #follow(): Promise<void> {
    this.#following = true;
    while ((this.#announced.length > 0 || this.#woken) && !this.#closed.signal.aborted) {
      const hit = this.#announced[0];
      if (hit === undefined || hit.seq > this.#last + 1n) {
        await this.#read(hit?.seq ?? null);
      } else {
        this.#announced.shift();
        if (hit.seq === this.#last + 1n) this.#emit(hit);
      }
    }
    this.#following = false;
  }

  /** One page of the hits after last, up to `before`. A seq that the archive does not show in time was never given. */
  async #read(before: bigint | null): Promise<void> {
    try {
      if (before === null) this.#woken = false;
      const page = await this.stores.hits.since(this.#last, this.limits.page);
      const isFull = page.length === this.limits.page;
      const missing = page.filter((hit) => before === null || hit.seq < before);
      const end = before !== null && !isFull ? before - 1n : (missing.at(-1)?.seq ?? this.#last);
      const waits = this.#waitsForGap(end - this.#last > BigInt(missing.length));
      const ready = waits ? consecutive(this.#last, missing) : missing;
      const delivered = await withAlerts(this.stores, everything(ready), ready);
      if (this.#failure !== null) this.faults.over(this.#failure);
      this.#failure = null;
      for (const hit of delivered) this.#emit(hit);
      if (waits) await this.#pause();
      else if (end > this.#last) this.#last = end;
      if (before === null && (waits || isFull)) this.#woken = true;
    } catch (error) {
      if (before === null) this.#woken = true;
      this.faults.failed(error as Error, this.#failure);
      this.#failure = error as Error;
      await this.#pause();
    }
  }

  /** Whether what is missing may still come. */
  #waitsForGap(gap: boolean): boolean {
    if (gap) this.#missingSince ??= performance.now();
    const since = this.#missingSince;
    const waits = gap && since !== null && performance.now() - since < this.gapMs;
    if (!waits) this.#missingSince = null;
    return waits;
  }

  #pause(): Promise<void> {
    return delay(RETRY_MS, undefined, { ref: false, signal: this.#closed.signal }).catch(() => {});
  }

  #emit(hit: DeliveredHit): void {
    this.#last = hit.seq;
    this.#recent.push(hit);
    // Only now and then, so that a hit costs nothing.
    if (this.#recent.length > 2 * this.limits.recent) {
      const dropped = this.#recent.splice(0, this.#recent.length - this.limits.recent);
      this.#recentAfter = dropped.at(-1)!.seq;
    }
    this.emit(hit);
  }
}

/** Those that follow `last` without a gap. */
export function consecutive(last: bigint, hits: readonly Hit[]): readonly Hit[] {
  const end = hits.findIndex((hit, at) => hit.seq !== last + BigInt(at + 1));
  return end === -1 ? hits : hits.slice(0, end);
}

/** Hits with their alerts, in the same order; the alerts come in one query per survey. */
export async function withAlerts(stores: LogStores, viewer: Viewer, hits: readonly Hit[]): Promise<DeliveredHit[]> {
  const bySurvey = new Map<Survey, Map<bigint, Alert>>();
  for (const survey of new Set(hits.map((hit) => hit.survey))) {
    const candids = new Set(hits.filter((hit) => hit.survey === survey).map((hit) => hit.candid));
    bySurvey.set(survey, await stores.alerts.byCandid(viewer, survey, [...candids]));
  }
  return hits.map((hit) => {
    const alert = bySurvey.get(hit.survey)?.get(hit.candid);
    if (alert === undefined) {
      throw new TocsinError(
        "INTERNAL",
        `The archive has hit ${hit.seq} but not its alert ${hit.survey} ${hit.candid}.`,
      );
    }
    return { ...hit, alert };
  });
}

/** The hub reads for all subscribers; each group then looks at its own viewer's rights. */
function everything(hits: readonly Hit[]): Viewer {
  return { scope: "hub", programids: new Map(hits.map((hit) => [hit.survey, "all"])), mayChange: false };
}
