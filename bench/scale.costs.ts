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

/**
 * Several processes on servers: `bench -- scale`, 1,000 alerts at a load of 11 to 19, JavaScript not compiled yet. A byte:
 * packets of 55 and of 12 KB, one worker, 490 alerts a batch (1.70 and 0.94 ms of a worker, 0.94 and 0.61 of ClickHouse). A
 * batch: 490 and 49 alerts in one (3.60 ms of a worker then, 3.77 of ClickHouse, of it the filters'). An alert: the rest.
 * 2 and 4 shards cost what this says within a fifth. All threads of a worker count as its main one.
 */
export const SERVERS: Costs = {
  classes: {
    workers: { perBatch: 103 * ms, perAlert: 0.53 * ms, perByte: 17.5e-9 },
    shards: { perBatch: 141 * ms, perAlert: 0.21 * ms, perByte: 7.5e-9 },
    // `bench -- scale`: calls of 400, 4,000 and 20,000 hits take 70, 148 and 382 ms.
    sequencer: { perBatch: 62 * ms, perAlert: 20 * us, perByte: 0 },
    // docs/graph.md: 1,400 to 5,300 hits/s by one writer; the least of them.
    graph: { perBatch: 0, perAlert: ms / 1.4, perByte: 0 },
    // `bench -- fanout`: 19.7 us a delivery. To make a hit's text is assumed.
    api: { perBatch: 100 * us, perAlert: 19.7 * us, perByte: 0 },
  },
  // docs/performance.md, filters: 1,000 filters on 5,000 alerts take 0.74 s, 100 take 0.078 s. To evaluate is assumed.
  filterPerBatch: 0.5 * ms,
  filterPerAlert: 0.05 * us,
  // `bench -- load`, embedded and one node, the rounds with the fewest refusals.
  queryShard: 20 * ms,
  queryApi: 15 * ms,
};
