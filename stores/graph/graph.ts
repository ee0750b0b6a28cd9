// The thin port between the graph stores and their engine. Implemented by grafeo.ts (embedded) and neo4j.ts (server).

/** What a property can be. Ids and anything that may pass 2^53 travel as strings, times as epoch milliseconds. */
export type Scalar = string | number | boolean | null;
/** What a parameter can be: a scalar, a flat list of one type without nulls, or rows to UNWIND. */
export type Param = Scalar | readonly string[] | readonly number[] | readonly ParamRow[];
export type ParamRow = { readonly [name: string]: Scalar | readonly string[] | readonly number[] };

/** A Cypher text of the catalogue (statements/) together with the shapes of its parameters P and rows R. */
export interface Statement<P, R> {
  readonly text: string;
  /** Only for the compiler; never set. */
  readonly shape?: (params: P) => R;
}
export const statement = <P extends { readonly [name in keyof P]: Param }, R = never>(
  text: string,
): Statement<P, R> => ({
  text: text.trim(),
});

export interface GraphTx {
  /** Rows as plain records of scalars, lists and maps. Throws TocsinError, codes as for Graph. */
  run<P, R>(query: Statement<P, R>, params: P): Promise<R[]>;
  /** The clock of the database: epoch milliseconds. */
  now(): Promise<number>;
}

/**
 * Errors of all methods: ENGINE_UNAVAILABLE (closed or unreachable), DUPLICATE_KEY (a unique key exists already),
 * BAD_ARGUMENT (a parameter that the two engines would treat differently; guards.ts), DISK_FULL.
 */
export interface Graph {
  read<P, R>(query: Statement<P, R>, params: P): Promise<R[]>;
  /**
   * One transaction: all of `fn` is stored when the promise resolves, or nothing. `fn` may run again after a conflict,
   * so it must have no effects of its own. Keep it near 2,000 rows: the embedded engine commits on the event loop.
   */
  write<T>(fn: (tx: GraphTx) => Promise<T>): Promise<T>;
  /** Bring constraints and indexes up to date. Safe to call at every start, by several processes. */
  migrate(): Promise<void>;
  close(): Promise<void>;
}
