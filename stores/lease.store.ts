// Who of several processes does what only one may do at a time. Implemented by stores/graph.

export interface Lease {
  /**
   * Take or renew: the epoch (from 1n) while this process holds the lease, null while another does. The epoch grows by one
   * each time the lease is taken, also by the process that lost it. Call it well within the lease's seconds; what the
   * holder writes elsewhere must be fenced by the epoch, since a process that was frozen learns of its loss only here.
   */
  hold(): Promise<bigint | null>;
  /** Give it up at an orderly end, so that the next one need not wait. */
  release(): Promise<void>;
}

/** A lease that says who has it. */
export interface NamedLease extends Lease {
  /** The name that its holder gave, this process or another; null where nobody holds it. */
  holder(): Promise<string | null>;
}
