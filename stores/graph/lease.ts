// Leases as nodes of the graph (stores/lease.store.ts). Called by cli/, after the graph's migrate().
import { randomUUID } from "node:crypto";
import type { Lease, NamedLease } from "../lease.store.js";
import type { Graph, GraphTx } from "./graph.js";
import { type LeaseRow, LOCK_LEASE, READ_LEASE, WRITE_LEASE } from "./statements/lease.js";

const LONGEST_MS = 60_000;

export interface LeaseOptions {
  /** Name of this process for people; it need not be unique. */
  readonly holder: string;
  /** How long others wait for a holder that does not renew; at most 60. */
  readonly seconds: number;
}

/**
 * The lease `name` among all processes on this graph. Times are the database's, so a clock of a client that jumps changes
 * nothing. Errors as for Graph.write.
 */
export function createLease(graph: Graph, name: string, { holder, seconds }: LeaseOptions): NamedLease {
  const owner = randomUUID();
  return {
    hold: () =>
      graph.write(async (tx) => {
        const lease = await locked(tx, name, owner);
        const now = await tx.now();
        const valid = isValid(lease, now);
        if (valid && lease.owner !== owner) return null;
        const epoch = BigInt(lease.epoch) + (valid ? 0n : 1n);
        await tx.run(WRITE_LEASE, { name, owner, holder, epoch: String(epoch), until: now + seconds * 1000 });
        return epoch;
      }),
    release: () =>
      graph.write(async (tx) => {
        const { epoch, ...lease } = await locked(tx, name, owner);
        if (lease.owner === owner) await tx.run(WRITE_LEASE, { name, owner: "", holder: "", epoch, until: 0 });
      }),
    holder: () =>
      graph.write(async (tx) => {
        const [lease] = await tx.run(READ_LEASE, { name });
        return lease !== undefined && isValid(lease, await tx.now()) ? lease.holder : null;
      }),
  };
}

/** One that would last longer than a lease lasts was taken before the clock was set back. */
const isValid = ({ until }: LeaseRow, now: number): boolean => now < until && until <= now + LONGEST_MS;

/** The lease of a graph that one process opens (Grafeo): always held, the epoch one more than at the last start. */
export function soleLease(graph: Graph, name: string): Lease {
  const owner = randomUUID();
  let epoch: Promise<bigint> | undefined;
  const take = (): Promise<bigint> =>
    graph.write(async (tx) => {
      const lease = await locked(tx, name, owner);
      const next = BigInt(lease.epoch) + 1n;
      await tx.run(WRITE_LEASE, { name, owner, holder: "", epoch: String(next), until: 0 });
      return next;
    });
  return {
    hold() {
      epoch ??= take().catch((error: unknown) => {
        epoch = undefined;
        throw error;
      });
      return epoch;
    },
    release: async () => {},
  };
}

/** Read in a statement of its own: one that waited for the lock might have read before it waited. */
async function locked(tx: GraphTx, name: string, turn: string): Promise<LeaseRow> {
  await tx.run(LOCK_LEASE, { name, turn });
  const [lease] = await tx.run(READ_LEASE, { name });
  return lease!;
}
