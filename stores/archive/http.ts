// ArchiveClient over HTTP: the embedded ClickHouse and one by URL alike. Called by cli/ and tests.
import { Readable } from "node:stream";
import { type ClickHouseClient, ClickHouseLogLevel, type ClickHouseSettings, createClient } from "@clickhouse/client";
import type { Block } from "../../domain/columns.js";
import { TocsinError } from "../../domain/errors.js";
import { requestSignal } from "../request.js";
import type { ArchiveClient, InsertOptions, Parameter, QueryOptions } from "./client.js";
import { archiveError, isConnectionLoss } from "./http.errors.js";
import { insertStatement, parameterSettings, statementForm } from "./http.form.js";
import { decodeNative } from "./native.decode.js";
import { encodeNative } from "./native.encode.js";
import { READERS } from "./priorities.js";

export interface ArchiveAddress {
  readonly url: string;
  readonly user: string;
  readonly password: string;
  /** Need not exist yet: command() can create it. */
  readonly database: string;
  /** Requests under way at once; more wait. Default 16. */
  readonly connections?: number;
  /** Of every statement, besides our own. */
  readonly settings?: RequestSettings;
  /** Settings that the user may not change: what the server has must do. */
  readonly omit?: ReadonlySet<string>;
  /** Storage policy of new tables. */
  readonly storagePolicy?: string | null;
}

const QUERY_TIMEOUT_MS = 30_000;
/** An insert waits for the disk, on a cluster for other servers (insert_distributed_timeout); it goes again whole. */
const INSERT_TIMEOUT_MS = 120_000;
/** DDL waits for mutations and merges: only a dead server is given up. */
const STATEMENT_TIMEOUT_MS = 600_000;
/** The server stops a query by itself; the connection is cut where it does not, this much later. */
const GRACE_MS = 2_000;
const LARGEST_INSERT = 1_000_000;

/** URL parameters: ClickHouse's settings and a few of HTTP's own. */
type RequestSettings = Readonly<Record<string, string | number>>;

const EVERY_REQUEST: RequestSettings = {
  // An error in the middle of an answer must not look like its end; and its code must come through.
  wait_end_of_query: 1,
  http_response_buffer_size: 16 * 1024 ** 2,
  // A thousand filters in one statement pass the defaults.
  max_query_size: 16 * 1024 ** 2,
  max_ast_elements: 1_000_000,
  max_expanded_ast_elements: 5_000_000,
  // On a cluster, sub-queries over tables that lie by object are each shard's own; no answer leaves a shard out.
  distributed_product_mode: "local",
  skip_unavailable_shards: 0,
};

const QUERY_SETTINGS: RequestSettings = {
  // Only a read-only query ends at the server when its connection is cut. 2 (not 1) lets the request carry settings.
  readonly: 2,
  cancel_http_readonly_queries_on_client_close: 1,
};

const INSERT_SETTINGS: RequestSettings = {
  async_insert: 0,
  // One block on the wire stays one block in the table: all or nothing.
  input_format_parallel_parsing: 0,
  max_insert_block_size: LARGEST_INSERT,
  // A resend must never be taken for a duplicate of something that was not stored.
  insert_deduplicate: 0,
  max_partitions_per_insert_block: 1000,
  // Merges make them; a part that small is read whole.
  materialize_skip_indexes_on_insert: 0,
  // Stored by every copy that is to have it, or an error: a copy that was away gets it with the retry.
  distributed_foreground_insert: 1,
  insert_distributed_timeout: 60,
};

/** DDL for a cluster with a Keeper: a server that is away does it when it comes back. */
const COMMAND_SETTINGS: RequestSettings = { distributed_ddl_output_mode: "throw_only_active" };

/** All settings that requests carry, with the values that are never others. */
export const SETTINGS_SENT: RequestSettings = {
  ...EVERY_REQUEST,
  ...INSERT_SETTINGS,
  ...COMMAND_SETTINGS,
  ...QUERY_SETTINGS,
  ...READERS.settings,
  max_execution_time: QUERY_TIMEOUT_MS / 1000,
};

/** Does not connect: the first statement does. */
export function connectArchive(address: ArchiveAddress): ArchiveClient {
  return new HttpArchive(address);
}

class HttpArchive implements ArchiveClient {
  readonly database: string;
  readonly storagePolicy: string | null;
  readonly #client: ClickHouseClient;
  readonly #omit: ReadonlySet<string>;
  readonly #settings: RequestSettings;

  constructor({ url, user, password, database, connections = 16, ...more }: ArchiveAddress) {
    this.database = database;
    this.#settings = { ...EVERY_REQUEST, ...more.settings };
    this.storagePolicy = more.storagePolicy ?? null;
    this.#omit = more.omit ?? new Set();
    this.#client = createClient({
      url,
      username: user,
      password,
      application: "tocsin",
      max_open_connections: connections,
      request_timeout: STATEMENT_TIMEOUT_MS,
      keep_alive: { enabled: true, idle_socket_ttl: 2_500, eagerly_destroy_stale_sockets: true },
      // Its log would repeat statements with their values; errors are told by archiveError.
      log: { level: ClickHouseLogLevel.OFF },
    });
  }

  async query(
    sql: string,
    parameters: Readonly<Record<string, Parameter>> = {},
    { timeoutMs = QUERY_TIMEOUT_MS, external = [], signal = requestSignal(), bytes }: QueryOptions = {},
  ): Promise<Block> {
    const form = statementForm(`${sql}\nFORMAT Native`, parameters, external);
    const settings: RequestSettings = {
      ...QUERY_SETTINGS,
      ...form.settings,
      max_execution_time: timeoutMs / 1000,
      database: this.database,
    };
    const send = () => this.#send("", form, settings, timeoutMs + GRACE_MS, signal);
    try {
      const answer = await send().catch((error: unknown) => {
        // A connection kept alive may have been closed by the other side; reading twice is harmless.
        if (signal?.aborted || !isConnectionLoss(error)) throw error;
        return send();
      });
      return decodeNative(answer, bytes);
    } catch (error) {
      signal?.throwIfAborted();
      throw archiveError(error);
    }
  }

  async insert(table: string, block: Block, { parameters = {}, ...options }: InsertOptions = {}): Promise<void> {
    if (block.rows === 0) return;
    if (block.rows > LARGEST_INSERT) {
      throw new TocsinError("BAD_ARGUMENT", `An insert takes at most ${LARGEST_INSERT} rows, not ${block.rows}.`);
    }
    try {
      await this.#send(
        insertStatement(table, block, options),
        { contentType: "application/octet-stream", body: encodeNative(block) },
        { ...INSERT_SETTINGS, ...parameterSettings(parameters), database: this.database },
        INSERT_TIMEOUT_MS,
      );
    } catch (error) {
      throw archiveError(error);
    }
  }

  async command(sql: string, parameters: Readonly<Record<string, Parameter>> = {}): Promise<void> {
    // The server refuses every request that names a database which is not there.
    const place = /^\s*(CREATE|DROP)\s+DATABASE\b/i.test(sql) ? {} : { database: this.database };
    const form = statementForm(sql, parameters, []);
    const settings = { ...COMMAND_SETTINGS, ...INSERT_SETTINGS, ...form.settings, ...place };
    try {
      await this.#send("", form, settings, STATEMENT_TIMEOUT_MS);
    } catch (error) {
      throw archiveError(error);
    }
  }

  async close(): Promise<void> {
    await this.#client.close();
  }

  /** Send a request and collect its whole answer. An empty `sql` stands in the form. */
  async #send(
    sql: string,
    { contentType, body }: { readonly contentType: string; readonly body: Buffer },
    settings: RequestSettings,
    timeoutMs: number,
    signal?: AbortSignal,
  ): Promise<Buffer> {
    signal?.throwIfAborted();
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), timeoutMs);
    const cancel = () => stop.abort();
    signal?.addEventListener("abort", cancel);
    try {
      const { stream } = await this.#client.exec({
        query: sql,
        values: Readable.from([body], { objectMode: false }),
        // With its length told, the body goes out in one piece instead of in chunks.
        http_headers: { "Content-Type": contentType, "Content-Length": String(body.length) },
        clickhouse_settings: this.#allowed({ ...this.#settings, ...settings }),
        abort_signal: stop.signal,
      });
      // The client's own care for the signal ends with the answer's head.
      stop.signal.addEventListener("abort", () => stream.destroy(new Error("The request was aborted.")));
      const chunks: Buffer[] = [];
      for await (const chunk of stream) chunks.push(chunk as Buffer);
      return Buffer.concat(chunks);
    } catch (error) {
      if (!stop.signal.aborted || signal?.aborted) throw error;
      throw new TocsinError("QUERY_TIMEOUT", "The archive did not answer in time.", {
        cause: error,
        engine: "archive",
      });
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", cancel);
    }
  }

  #allowed(settings: RequestSettings): ClickHouseSettings {
    if (this.#omit.size === 0) return settings as ClickHouseSettings;
    return Object.fromEntries(Object.entries(settings).filter(([name]) => !this.#omit.has(name)));
  }
}
