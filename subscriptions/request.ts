// What a subscriber asks for, what it is given, and its bounds. Used by the hub and by everybody who subscribes to it.
import type { DeliveredHit } from "../domain/filter.js";
import type { Viewer } from "../domain/viewer.js";

export interface HitRequest {
  readonly filterIds: readonly string[];
  readonly viewer: Viewer;
  /** Every hit with a higher seq comes first, from the archive; null: only what comes from now on. */
  readonly after: bigint | null;
}

/**
 * Turns up to a page of hits into what subscribers get, in step. Called once for all subscribers of a group; `gone` is
 * aborted when the last of them has left.
 */
export type Render<T> = (hits: readonly DeliveredHit[], gone: AbortSignal) => Promise<readonly T[]>;

/** Where a subscriber's hits go. */
export interface Sink<T> {
  /** Takes hits over, in order. False: its bound is reached, none of them was taken; fail() follows. */
  take(items: readonly T[]): boolean;
  /** Resolves when there is room for more of a replay: a replay waits, it never fills a queue. */
  room(): Promise<void>;
  /**
   * The subscription is over, by this fault; not called once it has been ended. SLOW_CONSUMER has the cursor of the last
   * hit taken in details.cursor: there the caller goes on.
   */
  fail(error: unknown): void;
}

/**
 * Starts a subscription; the function ends it, and nothing is handed over after that. Subscribers with the same `key`
 * share one render, so the key holds all that the rendered text depends on: operation, variables, rights. Throws
 * TOO_MANY_SUBSCRIPTIONS.
 */
export type Subscribe = <T>(request: HitRequest, key: string, render: Render<T>, sink: Sink<T>) => () => void;

export interface HubLimits {
  /** Subscriptions at the same time, over all sockets. */
  readonly maxSubscriptions: number;
  /** Hits that may wait for one subscriber before it counts as too slow. */
  readonly maxWaitingHits: number;
  /** Hits read from the archive in one query, and rendered in one go. */
  readonly page: number;
  /** The newest hits that stay in memory: who is behind by less replays without the archive. */
  readonly recent: number;
}

export const DEFAULT_HUB_LIMITS: HubLimits = {
  maxSubscriptions: 20_000,
  maxWaitingHits: 40_000,
  page: 250,
  recent: 2_000,
};
