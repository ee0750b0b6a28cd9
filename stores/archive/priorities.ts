// Who goes first at the engine, and with how much of it. Used by divided.ts; sent by http.ts.

export interface Share {
  /** Statements under way at once; more wait. */
  readonly connections: number;
  /** ClickHouse's settings of all its statements. */
  readonly settings: Readonly<Record<string, string | number>>;
}

/** Answers to queries. Of statements with a priority, those with a higher number wait for those with a lower one. */
export const READERS: Share = {
  connections: 8,
  settings: { priority: 10, max_threads: 1, max_memory_usage: 512 * 1024 ** 2 },
};

/** Ingest, live hits and whatever the service does by itself. */
export const OWN: Share = { connections: 16, settings: { priority: 1 } };
