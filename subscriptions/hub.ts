// Stored hits to everybody who subscribes to them: ingest publishes, server/ and resolvers/ subscribe.
import pLimit from "p-limit";
import { TocsinError } from "../domain/errors.js";
import type { DeliveredHit } from "../domain/filter.js";
import type { HitStore } from "../stores/hits.store.js";
import { createHitCursors, type HitCursors } from "./cursor.js";
import { Group, type Member } from "./group.js";
import { HitLog, type LogStores } from "./log.js";
import {
  DEFAULT_HUB_LIMITS,
  type HitRequest,
  type HubLimits,
  type Render,
  type Sink,
  type Subscribe,
} from "./request.js";
import { HitStream } from "./stream.js";

/** Replays that read the archive at the same time. */
const REPLAYS_AT_ONCE = 4;

export interface HubOptions extends LogStores {
  readonly hits: LogStores["hits"] & Pick<HitStore, "cursorKey">;
  readonly limits?: Partial<HubLimits>;
  /** Hears of an archive that cannot be read while hits wait for it, with the error of the last try if that failed too. */
  readonly onFault?: (error: Error, before: Error | null) => void;
  /** Hears that it can be read again, with the last such error. */
  readonly onBack?: (error: Error) => void;
  /** Hears of each hit as it is handed to the subscribers. */
  readonly onHit?: (hit: DeliveredHit) => void;
  /** How long a missing seq is waited for; 0, the default, where one server has all hits. */
  readonly gapMs?: number;
}

export interface HitHub {
  /** Hits that are stored and committed, in order of seq. Returns at once; what was published before is left out. */
  publish(hits: readonly DeliveredHit[]): void;
  /** There may be hits in the archive that are not published here. Returns at once. */
  wake(): void;
  readonly subscribe: Subscribe;
  /**
   * The hits asked for as an async iterable: what the resolver of a subscription field returns. Throws BAD_CURSOR where
   * `after` is ahead of the archive. Nothing starts before somebody iterates.
   */
  listen(request: HitRequest): Promise<HitStream>;
  /** What makes and reads the `after` of this archive's hits. */
  readonly cursors: HitCursors;
  /** Every hit up to this seq has been published. */
  readonly last: bigint;
  /** In progress now. */
  readonly subscriptions: number;
  /** Hits that are announced and not handed to subscribers yet. */
  readonly waiting: number;
  /** Ends the reading of the archive; subscribers are ended by whoever owns their sockets. */
  close(): void;
}

export async function createHitHub(options: HubOptions): Promise<HitHub> {
  const limits = { ...DEFAULT_HUB_LIMITS, ...options.limits };
  const groups = new Map<string, Group<unknown>>();
  const byFilter = new Map<string, Set<Group<unknown>>>();
  let subscriptions = 0;
  const cursors = createHitCursors(await options.hits.cursorKey());

  const log = await HitLog.open(
    throttled(options),
    limits,
    (hit) => {
      options.onHit?.(hit);
      for (const group of byFilter.get(hit.filterId) ?? []) group.push(hit);
    },
    { failed: options.onFault ?? (() => {}), over: options.onBack ?? (() => {}) },
    options.gapMs ?? 0,
  );

  function groupOf<T>(key: string, request: HitRequest, render: Render<T>): Group<T> {
    // One key, one render, one T: whoever shares a key has the same operation.
    let group = groups.get(key) as Group<T> | undefined;
    if (group === undefined) {
      group = new Group(request, render, log, limits, cursors);
      groups.set(key, group as Group<unknown>);
      for (const id of request.filterIds) {
        byFilter.set(id, (byFilter.get(id) ?? new Set()).add(group as Group<unknown>));
      }
    }
    return group;
  }

  function drop(key: string, group: Group<unknown>): void {
    groups.delete(key);
    for (const id of group.request.filterIds) {
      const others = byFilter.get(id);
      others?.delete(group);
      if (others?.size === 0) byFilter.delete(id);
    }
  }

  const subscribe: Subscribe = <T>(request: HitRequest, key: string, render: Render<T>, sink: Sink<T>) => {
    if (subscriptions >= limits.maxSubscriptions) {
      throw new TocsinError("TOO_MANY_SUBSCRIPTIONS", `The service has ${subscriptions} subscriptions, its limit.`);
    }
    const group = groupOf(key, request, render);
    const start = request.after ?? log.last;
    const member: Member<T> = { sink, position: start, last: start, active: true };
    subscriptions += 1;
    group.size += 1;
    let ended = false;
    void group.join(member);
    return () => {
      if (ended) return;
      ended = true;
      subscriptions -= 1;
      group.size -= 1;
      group.leave(member);
      if (group.size === 0) drop(key, group as Group<unknown>);
    };
  };

  return {
    publish: (hits) => log.announce(hits),
    wake: () => log.wake(),
    subscribe,
    cursors,
    async listen(request) {
      // A cursor may be ahead of what is published, never of what is stored.
      if (request.after !== null && request.after > log.last && request.after > (await options.hits.lastSeq())) {
        throw new TocsinError("BAD_CURSOR", "The cursor is ahead of this archive: it was made by another one.");
      }
      return new HitStream(subscribe, request);
    },
    get last() {
      return log.last;
    },
    get subscriptions() {
      return subscriptions;
    },
    get waiting() {
      return log.waiting;
    },
    close: () => log.close(),
  };
}

/** When a thousand subscribers come back at once, they queue here and not in the engine. */
function throttled(stores: LogStores): LogStores {
  const limit = pLimit(REPLAYS_AT_ONCE);
  return {
    hits: {
      page: (...of) => limit(() => stores.hits.page(...of)),
      since: (...of) => stores.hits.since(...of),
      lastSeq: () => stores.hits.lastSeq(),
    },
    alerts: stores.alerts,
  };
}
