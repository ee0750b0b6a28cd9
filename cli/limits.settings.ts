// The settings of every bound, and what they mean to the server and the hub. Spread into cli/settings.ts; docs/limits.md
// explains them.
import { z } from "zod";
import { MAX_COST } from "../schema/cost.js";
import { DEFAULT_LIMITS, type ServerLimits } from "../server/bounds.js";
import { DEFAULT_HUB_LIMITS, type HubLimits } from "../subscriptions/request.js";

const { address, token, admission, connections, sockets, timeLimitMs, trustedProxies } = DEFAULT_LIMITS;
const KiB = 1024;

/** A whole number from `least` to `most`. */
const whole = (usual: number, least: number, most: number, meaning: string) =>
  z.coerce.number().int().min(least).max(most).default(usual).describe(meaning);
/** A bound that 0 switches off. */
const quota = (usual: number, least: number, meaning: string) =>
  z.coerce
    .number()
    .int()
    .max(Number.MAX_SAFE_INTEGER)
    .refine((value) => value === 0 || value >= least, `it must be 0 (no bound) or at least ${least}`)
    .default(usual)
    .describe(`${meaning}; 0 is no bound`);

export const limitSettings = {
  TIME_LIMIT_S: whole(timeLimitMs / 1000, 1, 600, "longest that a query may take, its waiting included: seconds"),
  TRUST_PROXY: whole(trustedProxies, 0, 10, "proxies in front that append to X-Forwarded-For; 0 does not believe it"),
  REQUESTS_PER_MINUTE: quota(address.requestsPerMinute, 1, "requests of an address without a token"),
  COST_PER_MINUTE: quota(address.costPerMinute, MAX_COST, "units of query cost of an address without a token"),
  TOKEN_REQUESTS_PER_MINUTE: quota(token.requestsPerMinute, 1, "requests of a token"),
  TOKEN_COST_PER_MINUTE: quota(token.costPerMinute, MAX_COST, "units of query cost of a token"),
  QUERIES_RUNNING: whole(admission.running, 1, 10_000, "queries that execute at the same time"),
  QUERIES_PER_CALLER: whole(admission.perCaller, 1, 10_000, "of these, for one caller"),
  QUERIES_WAITING: whole(admission.waiting, 1, 100_000, "queries that wait for their turn; the rest is turned away"),
  QUERY_WAIT_S: whole(admission.waitMs / 1000, 1, 60, "how long a query waits for its turn: seconds"),
  MAX_LAG_MS: whole(admission.lagMs, 50, 60_000, "lateness of the event loop at which queries are turned away: ms"),
  MAX_CONNECTIONS: whole(connections.max, 1, 1_000_000, "TCP connections, those of sockets included"),
  CONNECTIONS_PER_ADDRESS: quota(connections.perAddress, 1, "TCP connections of one address"),
  HEADERS_TIMEOUT_S: whole(connections.headersMs / 1000, 1, 600, "for the headers of a request to come: seconds"),
  REQUEST_TIMEOUT_S: whole(connections.requestMs / 1000, 1, 3_600, "for all of a request to come: seconds"),
  IDLE_TIMEOUT_S: whole(connections.idleMs / 1000, 1, 3_600, "that a connection is kept without a request: seconds"),
  MAX_SOCKETS: whole(sockets.maxSockets, 1, 1_000_000, "WebSockets"),
  SOCKETS_PER_ADDRESS: quota(address.sockets, 1, "WebSockets of an address without a token"),
  SOCKETS_PER_TOKEN: quota(token.sockets, 1, "WebSockets of a token"),
  OPERATIONS_PER_SOCKET: whole(sockets.maxOperationsPerSocket, 1, 10_000, "operations in progress on one WebSocket"),
  SOCKET_QUEUE_KB: whole(sockets.maxQueueBytes / KiB, 64, 1_048_576, "that may wait for one WebSocket's reader: KiB"),
  MESSAGE_KB: whole(sockets.maxMessageBytes / KiB, 16, 16_384, "longest message of a WebSocket's client: KiB"),
  MAX_SUBSCRIPTIONS: whole(DEFAULT_HUB_LIMITS.maxSubscriptions, 1, 1_000_000, "subscriptions at the same time"),
  WAITING_HITS: whole(DEFAULT_HUB_LIMITS.maxWaitingHits, 100, 1_000_000, "hits that may wait for one subscription"),
  RECENT_HITS: whole(DEFAULT_HUB_LIMITS.recent, 0, 1_000_000, "newest hits kept in memory for who comes back"),
};

const schema = z.object(limitSettings);
export type LimitSettings = z.infer<typeof schema>;

/** `limits` of createApp's settings. */
export const serverLimits = (settings: LimitSettings): ServerLimits => ({
  timeLimitMs: settings.TIME_LIMIT_S * 1000,
  trustedProxies: settings.TRUST_PROXY,
  address: {
    requestsPerMinute: settings.REQUESTS_PER_MINUTE,
    costPerMinute: settings.COST_PER_MINUTE,
    sockets: settings.SOCKETS_PER_ADDRESS,
  },
  token: {
    requestsPerMinute: settings.TOKEN_REQUESTS_PER_MINUTE,
    costPerMinute: settings.TOKEN_COST_PER_MINUTE,
    sockets: settings.SOCKETS_PER_TOKEN,
  },
  admission: {
    running: settings.QUERIES_RUNNING,
    perCaller: settings.QUERIES_PER_CALLER,
    waiting: settings.QUERIES_WAITING,
    waitMs: settings.QUERY_WAIT_S * 1000,
    lagMs: settings.MAX_LAG_MS,
  },
  connections: {
    max: settings.MAX_CONNECTIONS,
    perAddress: settings.CONNECTIONS_PER_ADDRESS,
    headersMs: settings.HEADERS_TIMEOUT_S * 1000,
    requestMs: settings.REQUEST_TIMEOUT_S * 1000,
    idleMs: settings.IDLE_TIMEOUT_S * 1000,
  },
  sockets: {
    maxSockets: settings.MAX_SOCKETS,
    maxOperationsPerSocket: settings.OPERATIONS_PER_SOCKET,
    maxQueueBytes: settings.SOCKET_QUEUE_KB * KiB,
    maxMessageBytes: settings.MESSAGE_KB * KiB,
  },
});

/** `limits` of createHitHub. */
export const hubLimits = (settings: LimitSettings): Partial<HubLimits> => ({
  maxSubscriptions: settings.MAX_SUBSCRIPTIONS,
  maxWaitingHits: settings.WAITING_HITS,
  recent: settings.RECENT_HITS,
});
