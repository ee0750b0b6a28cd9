// One client over the servers of a cluster: whichever answers. Made by servers.ts.
import type { Block } from "../../domain/columns.js";
import { TocsinError } from "../../domain/errors.js";
import type { ArchiveClient, Cluster, InsertOptions, Parameter, QueryOptions } from "./client.js";

/** A server that did not answer is asked by itself, this often, until it does. */
const PROBE_MS = 1_000;
const PROBE_TIMEOUT_MS = 2_000;

interface Node {
  readonly client: ArchiveClient;
  away: boolean;
}

/** Errors of a connection over which nothing was sent. */
const NOT_SENT = new Set(["ECONNREFUSED", "EHOSTUNREACH", "ENOTFOUND", "EAI_AGAIN"]);

export class NodesClient implements ArchiveClient {
  readonly database: string;
  readonly storagePolicy: string | null;
  readonly #nodes: readonly Node[];
  #turn = 0;
  readonly #probes = new Set<NodeJS.Timeout>();
  #closed = false;

  constructor(
    readonly cluster: Cluster,
    private readonly tell: (line: string) => void,
  ) {
    this.#nodes = cluster.nodes.map((client) => ({ client, away: false }));
    this.database = cluster.nodes[0]!.database;
    this.storagePolicy = cluster.nodes[0]!.storagePolicy ?? null;
  }

  /** A server that dies under a query, or loses another one, is passed over: reading twice is harmless. */
  async query(sql: string, parameters?: Readonly<Record<string, Parameter>>, options?: QueryOptions): Promise<Block> {
    return this.#untilOneAnswers((client) => client.query(sql, parameters, options), isAway);
  }

  /** Sent to another server only where the first one never got it; otherwise a retry is the caller's. */
  async insert(table: string, block: Block, options?: InsertOptions): Promise<void> {
    return this.#untilOneAnswers((client) => client.insert(table, block, options), wasNotSent);
  }

  async command(sql: string, parameters?: Readonly<Record<string, Parameter>>): Promise<void> {
    return this.#untilOneAnswers((client) => client.command(sql, parameters), wasNotSent);
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const probe of this.#probes) clearTimeout(probe);
    await Promise.all(this.#nodes.map(({ client }) => client.close()));
  }

  async #untilOneAnswers<T>(
    ask: (client: ArchiveClient) => Promise<T>,
    mayGoOn: (error: unknown) => boolean,
  ): Promise<T> {
    const order = this.#order();
    for (let tried = 1; ; tried++) {
      const node = order[(tried - 1) % order.length]!;
      try {
        return await ask(node.client);
      } catch (error) {
        if (isSilent(error)) this.#leave(node);
        // One server may find its neighbour gone, and the next time take that one's copy.
        if (!mayGoOn(error) || tried > order.length) throw error;
      }
    }
  }

  /** Each in its turn; those that did not answer lately are the last resort. */
  #order(): Node[] {
    this.#turn = (this.#turn + 1) % this.#nodes.length;
    const round = [...this.#nodes.slice(this.#turn), ...this.#nodes.slice(0, this.#turn)];
    return [...round.filter(({ away }) => !away), ...round.filter(({ away }) => away)];
  }

  #leave(node: Node): void {
    if (node.away) return;
    node.away = true;
    if (this.#closed) return;
    this.tell(`Server ${this.#nodes.indexOf(node) + 1} of CLICKHOUSE_URL does not answer.`);
    this.#probeLater(node);
  }

  #probeLater(node: Node): void {
    const probe = setTimeout(async () => {
      this.#probes.delete(probe);
      const answer = await node.client.query("SELECT 1", {}, { timeoutMs: PROBE_TIMEOUT_MS }).catch((error) => error);
      if (this.#closed) return;
      if (isSilent(answer)) return this.#probeLater(node);
      node.away = false;
      this.tell(`Server ${this.#nodes.indexOf(node) + 1} of CLICKHOUSE_URL answers again.`);
    }, PROBE_MS).unref();
    this.#probes.add(probe);
  }
}

const isAway = (error: unknown): boolean => error instanceof TocsinError && error.code === "ENGINE_UNAVAILABLE";

/** The server itself said nothing, in time or at all. */
function isSilent(error: unknown): boolean {
  if (!(error instanceof TocsinError) || error.details.engineCode !== undefined) return false;
  return error.code === "ENGINE_UNAVAILABLE" || error.code === "QUERY_TIMEOUT";
}

function wasNotSent(error: unknown): boolean {
  if (!isAway(error)) return false;
  const { cause } = error as TocsinError;
  return NOT_SENT.has(String((cause as NodeJS.ErrnoException | undefined)?.code));
}
