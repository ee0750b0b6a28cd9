// Those who live by the numbers of hits: the graph, the topics. Only the process that numbers calls them. Called by
// sequencer.ts.
import pLimit from "p-limit";
import type { Outages } from "./persistently.js";
import { type IngestWatch, timed } from "./watch.js";

const AGAIN_MS = 2_000;

export interface Follower {
  /** Do what there is to do for everything that is numbered. */
  catchUp(): Promise<void>;
  /** Whether a batch is done only when this one has caught up, unless it fails. */
  readonly isAwaited: boolean;
}

export interface Followers {
  /** There may be something to do for them. */
  nudge(): void;
  /** Resolves when those who are awaited have followed what is numbered, or failed. One that fails is called again. */
  catchUp(): Promise<void>;
  /** Another process may number now, and let them follow: what failed for us is not ours to wait for. */
  leave(): void;
  /**
   * Before the end: those who are awaited follow what they have not, one that failed a moment ago once more and at once.
   * The others may have much to do yet: whoever made them ends them.
   */
  finish(): Promise<void>;
}

/** Who follows, and how it stands with it. */
class Followed {
  readonly serially = pLimit(1);
  /** A call that has not begun yet: it does for all who ask for one meanwhile. */
  queued: Promise<void> | null = null;
  behind = true;
  failure: Error | null = null;
  /** performance.now() before which it is not called again. */
  notBefore = 0;
  constructor(readonly follower: Follower) {}

  /** What it follows may be away for hours: nobody waits for one that has failed. */
  get isAwaited(): boolean {
    return this.follower.isAwaited && this.failure === null;
  }
}

export interface FollowersParts {
  readonly followers: readonly Follower[];
  /** Whether this process numbers. */
  readonly leads: () => boolean;
  readonly outages: Outages;
  readonly watch: IngestWatch;
}

export function createFollowers({ followers, leads, outages, watch }: FollowersParts): Followers {
  const following = followers.map((follower) => new Followed(follower));

  function settle(each: Followed): void {
    if (each.failure !== null) outages.over(each.failure);
    each.failure = null;
  }

  async function follow(each: Followed): Promise<void> {
    if (!each.behind || !leads() || performance.now() < each.notBefore) return;
    each.behind = false;
    try {
      await timed(watch, { stage: "link", survey: null, batchId: null, alerts: 0 }, () => each.follower.catchUp());
      settle(each);
    } catch (error) {
      each.behind = true;
      if (!leads()) return;
      outages.failed(error as Error, each.failure);
      each.failure = error as Error;
      each.notBefore = performance.now() + AGAIN_MS;
    }
  }

  return {
    nudge() {
      for (const each of following) each.behind = true;
    },
    async catchUp() {
      const awaited = following.filter((each) => each.isAwaited);
      for (const each of following) {
        each.queued ??= each.serially(() => {
          each.queued = null;
          return follow(each);
        });
      }
      await Promise.all(awaited.map(({ queued }) => queued));
    },
    leave() {
      for (const each of following) settle(each);
    },
    async finish() {
      const awaited = following.filter(({ follower }) => follower.isAwaited);
      await Promise.all(
        awaited.map((each) =>
          each.serially(() => {
            each.notBefore = 0;
            return follow(each);
          }),
        ),
      );
    },
  };
}
