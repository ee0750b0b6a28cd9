// The catalogue of coded errors. Everything a user can see carries a code, a cause and a remedy; docs/errors.md lists them.

/** Stable codes. The value says what a caller should do about it in general. */
export const ERROR_CODES = {
  BAD_ARGUMENT: "An argument is out of its bounds or malformed; the message names it and its bound.",
  BAD_CURSOR: "The cursor was not made by this service or belongs to another query; start without it.",
  BAD_EXPRESSION: "The filter expression does not parse or check; line and column are in the extensions.",
  FILTER_TOO_COSTLY:
    "The filter costs more than an active one may; the message names its dearest clause. Narrow that first.",
  UNKNOWN_FILTER: "No filter has this id.",
  NO_KAFKA: "The service publishes no streams; set KAFKA_BROKERS, or subscribe to filterHits.",
  GROUP_IN_USE: "Workers of this Kafka group are running; stop them all, then move its bookmarks.",
  UNKNOWN_SURVEY: "No survey has this id; filterFields and the Survey enum list them.",
  NOT_ALLOWED: "The caller's rights do not cover this; send the bearer token of the service.",
  FORBIDDEN_HOST: "The Host or Origin header names a site that may not talk to this service.",
  QUERY_TOO_DEEP: "The query nests deeper than the limit; split it.",
  QUERY_TOO_COMPLEX: "The query costs more than the limit; ask for fewer rows or fields.",
  RATE_LIMITED: "The caller has used its requests or its cost of this minute; go on after retryAfterSeconds.",
  OVERLOADED: "The service has more to do than it can; try again after retryAfterSeconds.",
  TOO_MANY_SUBSCRIPTIONS: "This connection or the service has as many subscriptions as it may; close some.",
  SLOW_CONSUMER: "The subscriber's queue was full; reconnect with after: the last cursor received.",
  DATA_DIR_IN_USE: "Another process has this DATA_DIR open; stop it or choose another directory.",
  DISK_FULL: "The disk under DATA_DIR is full; free space, and ingest resumes.",
  DATA_DAMAGED: "Bytes on disk are not what was written; restore DATA_DIR from a backup.",
  PACKET_EXPIRED: "The packet is older than the service keeps packets (PACKETS_KEEP_DAYS); its alert is still there.",
  TARGET_NOT_EMPTY: "Restore into a new DATA_DIR, an archive without the database and an empty graph.",
  BAD_BACKUP: "The folder is not a whole backup of this version; take another one, or make it again.",
  BAD_CATALOG: "The catalog's file or description cannot be used; the message names the file, the row and the column.",
  LOAD_IN_PROGRESS:
    "This is being loaded or removed already; the message says by whom. Wait until it ends, or stop who does it: a process that died lets go in half a minute.",
  UNREADABLE_IMAGE: "The cutout is not an image that can be drawn; ask for it as it came, with format=fits.",
  PORT_TAKEN: "Another program listens on this port; choose another PORT.",
  ENGINE_UNAVAILABLE: "A database engine does not answer; it is being restarted, try again shortly.",
  ENGINE_UNSUPPORTED: "The embedded engine has no build for this platform; set CLICKHOUSE_URL.",
  QUERY_TIMEOUT: "The query took longer than its limit; narrow it.",
  QUERY_TOO_LARGE: "The query needs more memory or rows than its limit; narrow it.",
  GRAPH_IN_USE: "Another process has the graph file open.",
  GRAPH_NOT_EMPTY: "Import a graph into an empty database or a new DATA_DIR.",
  BAD_EXPORT: "The file is not a whole export of a graph; take another copy, or export again.",
  NOT_EXPORTABLE: "Stop everything that writes to the graph, take out what Tocsin did not write, and export again.",
  IMPORT_UNFINISHED: "Import the same file again: it goes on where it stopped.",
  DUPLICATE_KEY: "Something with this key exists already.",
  NOT_HERE: "Another process does this; run `cli deadletters replay` with the settings of one that takes alerts in.",
  NOT_FOUND: "There is nothing at this address, or the caller may not see it.",
  TOOL_MISSING: "A program that this command needs is not installed; the message names it.",
  DOWNLOAD_FAILED: "What this command needs could not be fetched; the message says why. Repeat the command.",
  BAD_SETTING: "A setting has a value that cannot be used; the message names it.",
  BAD_MODEL: "The folder does not hold a model that can be used; the message says what is wrong with it.",
  UNKNOWN_MODEL: "No model has this name and version; Query.models and `cli models list` name them.",
  BAD_MARK: "The watch list, area or sky map cannot be used; the message names the place in it and the bound.",
  UNKNOWN_MARK: "The caller has no watch list, area or sky map of this name.",
  TOO_LARGE: "The body of the request is larger than 1 MiB; send less.",
  BAD_REQUEST: "The request is not GraphQL over HTTP: POST JSON with a query, and one operation or its operationName.",
  GRAPHQL_PARSE_FAILED: "The query is not GraphQL; the message names the place.",
  GRAPHQL_VALIDATION_FAILED: "The query does not fit the schema, which docs/schema.graphql and introspection tell.",
  INTERNAL: "A fault of the service; the log has the details under the given id.",
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

/** An error that a user may see: `message` is the cause in one sentence, `remedy` what to do. */
/** What a service stands on and may lose. */
export type EngineName = "archive" | "graph" | "kafka" | "registry";

export class TocsinError extends Error {
  readonly code: ErrorCode;
  /** Of an engine's error: whose. */
  readonly engine: EngineName | null;
  readonly remedy: string;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(
    code: ErrorCode,
    message: string,
    options: { remedy?: string; details?: Record<string, unknown>; cause?: unknown; engine?: EngineName } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "TocsinError";
    this.code = code;
    this.engine = options.engine ?? null;
    this.remedy = options.remedy ?? ERROR_CODES[code];
    this.details = options.details ?? {};
  }
}
