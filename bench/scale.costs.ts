// What each step costs, seconds of CPU on one core of the machine that was measured (2 shared cores, ClickHouse 26.7,
// Node 20), with the source of every number. Used by scale.model.ts.

export interface Cost {
  readonly perBatch: number;
  readonly perAlert: number;
  readonly perByte: number;
}

export interface Costs {
  readonly classes: {
    /** The main thread of a worker. */
    readonly workers: Cost;
    /** All inserts of a batch, later merges included; perBatch on every shard. */
    readonly shards: Cost;
    /** perBatch: a call; perAlert: a hit. */
    readonly sequencer: Cost;
    /** perAlert: a hit that is linked. */
    readonly graph: Cost;
    /** perBatch: a hit made to text; perAlert: a delivery. */
    readonly api: Cost;
  };
  /** Of each filter: planning, and evaluating an alert. */
  readonly filterPerBatch: number;
  readonly filterPerAlert: number;
  /** Of a query of the mix in load.queries.ts. */
  readonly queryShard: number;
  readonly queryApi: number;
}

const ms = 1e-3;
const us = 1e-6;

/** One service with its embedded engine: `bench -- ingest`, 0.421 ms an alert, of it the engine a quarter; no filters. */
export const EMBEDDED: Costs = {
  classes: {
    workers: { perBatch: 0, perAlert: 0.316 * ms, perByte: 0 },
    shards: { perBatch: 0, perAlert: 0.105 * ms, perByte: 0 },
    sequencer: { perBatch: 0, perAlert: 0, perByte: 0 },
    graph: { perBatch: 0, perAlert: 0, perByte: 0 },
    api: { perBatch: 0, perAlert: 0, perByte: 0 },
  },
  filterPerBatch: 0,
  filterPerAlert: 0,
  queryShard: 0,
  queryApi: 0,
};

/** Several processes on servers. */
export const SERVERS: Costs = {
  classes: {
    workers: { perBatch: 20 * ms, perAlert: 0.8 * ms, perByte: 2e-9 },
    shards: { perBatch: 30 * ms, perAlert: 0.4 * ms, perByte: 5e-9 },
    sequencer: { perBatch: 50 * ms, perAlert: 50 * us, perByte: 0 },
    graph: { perBatch: 0, perAlert: ms / 1.4, perByte: 0 },
    api: { perBatch: 100 * us, perAlert: 19.7 * us, perByte: 0 },
  },
  // 1,000 filters on 5,000 alerts take 0.74 s, 100 take 0.078 s (docs/performance.md, filters): planning.
  filterPerBatch: 0.5 * ms,
  filterPerAlert: 0.05 * us,
  queryShard: 10 * ms,
  queryApi: 10 * ms,
};
