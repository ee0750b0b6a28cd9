// Whether this process numbers, by the lease and the archive's epoch. Called by sequencer.ts.
import type { Lease } from "../stores/lease.store.js";
import type { SequenceStore } from "../stores/sequence.store.js";

/** What another process still sends when we take over has arrived by then: its inserts take milliseconds. */
const SETTLE_MS = 1_000;
const RENEW_MS = 1_000;

export interface LeadParts {
  readonly sequence: Pick<SequenceStore, "begin">;
  readonly lease: Lease;
  /** Whether other processes may number too. */
  readonly shared: boolean;
  /** The lease was taken: what others numbered last is not known here. */
  readonly onTaken: () => void;
  readonly onLost: () => void;
}

export interface Lead {
  /** The archive's epoch while this process numbers. */
  readonly epoch: bigint | null;
  /** Whether this process numbers; takes the lease where it is free. */
  held(): Promise<boolean>;
  /** The archive has refused this process: another one numbers. */
  lost(): void;
  release(): Promise<void>;
}

export function createLead({ sequence, lease, shared, onTaken, onLost }: LeadParts): Lead {
  /** Of the archive, while this process numbers; and of the lease under which it began. */
  let epoch: bigint | null = null;
  let leaseEpoch: bigint | null = null;
  let heldAt = Number.NEGATIVE_INFINITY;
  /** When somebody else was found to hold it. */
  let refusedAt = Number.NEGATIVE_INFINITY;
  let renewing: Promise<void> | null = null;

  function lost(): void {
    epoch = null;
    onLost();
  }

  /**
   * Not waited for. While the lease's keeper is away nobody else takes it; and if somebody has, the archive refuses us.
   */
  function renew(now: number): void {
    if (renewing !== null || now - heldAt < RENEW_MS) return;
    heldAt = now;
    renewing = lease
      .hold()
      .then(
        (held) => {
          if (held !== leaseEpoch) lost();
        },
        () => {},
      )
      .finally(() => {
        renewing = null;
      });
  }

  return {
    get epoch() {
      return epoch;
    },
    // By monotonic time: a clock that is set changes nothing.
    async held() {
      const now = performance.now();
      if (epoch !== null) {
        renew(now);
        return true;
      }
      if (now - refusedAt < RENEW_MS) return false;
      const held = await lease.hold();
      if (held === null) {
        refusedAt = now;
        return false;
      }
      heldAt = now;
      epoch = await sequence.begin(shared ? SETTLE_MS : 0);
      leaseEpoch = held;
      onTaken();
      return true;
    },
    lost,
    async release() {
      await renewing;
      await lease.release().catch(() => {});
    },
  };
}
