// The one door to ClickHouse: blocks in, blocks out, values always bound. Used by every file of stores/archive.
import type { Block } from "../../domain/columns.js";

/** A bound value of `{name:Type}` in the SQL text. bigint for 64-bit integers. */
export type Parameter =
  | string
  | number
  | bigint
  | boolean
  | null
  | readonly string[]
  | readonly number[]
  | readonly bigint[];

export interface ExternalTable {
  /** The name by which the SQL text reads it. */
  readonly name: string;
  readonly block: Block;
}

export interface QueryOptions {
  /** Default 30,000. The engine stops the query too. */
  readonly timeoutMs?: number;
  readonly external?: readonly ExternalTable[];
  /** Stops the query at the engine; where it is absent, that of the request we are in (stores/request.ts). */
  readonly signal?: AbortSignal;
  /** Columns of String that are wanted as bytes: they come in the block's `bytes`. */
  readonly bytes?: readonly string[];
}

export interface InsertOptions {
  /**
   * A condition of ours that the server evaluates when the insert runs: the rows are stored only if it is true, and
   * nobody is told if it is not. May hold sub-queries and bound values, never a column of the block.
   */
  readonly onlyIf?: string;
  /** Columns of the table that the server computes from the block's, by name: an expression of ours over their names. */
  readonly computed?: Readonly<Record<string, string>>;
  /** Columns of the block that only `computed` reads. */
  readonly unstored?: readonly string[];
  readonly parameters?: Readonly<Record<string, Parameter>>;
}

/** Servers that hold the archive together; see layout.ts. */
export interface Cluster {
  /** Its name in the servers' configuration. */
  readonly name: string;
  /** The servers copy the rows among themselves (they have a Keeper); otherwise every insert writes to all replicas. */
  readonly replicated: boolean;
  /** All of its servers where they are not replicated; of replicated ones those that are named. */
  readonly nodes: readonly ArchiveClient[];
}

export interface ArchiveClient {
  readonly database: string;
  /** Absent or null: one server. */
  readonly cluster?: Cluster | null;
  /** Storage policy of new tables; absent or null: the server's own. */
  readonly storagePolicy?: string | null;
  /**
   * A SELECT without FORMAT clause; the whole answer as one block. No rows: no columns either, ask for rows first.
   * Array columns come in the block's lists. Enum, Decimal, Tuple, Map and other types must be cast in the SQL text.
   * @throws TocsinError QUERY_TIMEOUT, QUERY_TOO_LARGE, ENGINE_UNAVAILABLE, DISK_FULL, INTERNAL; the signal's reason.
   */
  query(sql: string, parameters?: Readonly<Record<string, Parameter>>, options?: QueryOptions): Promise<Block>;
  /**
   * All-or-nothing within a partition (and a shard) for up to 1,000,000 rows. Columns are matched by name; those that the block lacks
   * get their defaults. Resolved after the server has stored it. Never retried here: rows must be idempotent by key.
   */
  insert(table: string, block: Block, options?: InsertOptions): Promise<void>;
  /** Anything that answers nothing: DDL, INSERT SELECT, ALTER. CREATE and DROP DATABASE work before the database exists. */
  command(sql: string, parameters?: Readonly<Record<string, Parameter>>): Promise<void>;
  close(): Promise<void>;
}
