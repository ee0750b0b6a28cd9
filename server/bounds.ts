// Every bound of the server with its default; docs/limits.md explains them. cli/limits.settings.ts makes settings of them.

/** What one caller may use; 0 is no bound. */
export interface Quota {
  readonly requestsPerMinute: number;
  /** Units of schema/cost, summed over operations. */
  readonly costPerMinute: number;
  /** WebSockets at the same time. */
  readonly sockets: number;
}

export interface AdmissionLimits {
  /** Operations that execute at the same time. */
  readonly running: number;
  /** Of these, for one caller. */
  readonly perCaller: number;
  /** Operations that wait for their turn; a quarter of them for one caller. */
  readonly waiting: number;
  /** How long one waits at most. */
  readonly waitMs: number;
  /** How late the event loop may be before new operations are turned away. */
  readonly lagMs: number;
}

export interface ConnectionLimits {
  /** TCP connections, those of sockets included. */
  readonly max: number;
  /** From one address; not counted behind a proxy that speaks for all, nor on loopback. */
  readonly perAddress: number;
  /** Within this time a request's headers must have come. */
  readonly headersMs: number;
  /** Within this time all of it must have come. */
  readonly requestMs: number;
  /** How long a connection is kept without a request. */
  readonly idleMs: number;
}

export interface SocketLimits {
  readonly maxSockets: number;
  /** Operations in progress on one socket. */
  readonly maxOperationsPerSocket: number;
  /** Bytes that may wait for one socket's reader before it is closed as too slow. */
  readonly maxQueueBytes: number;
  /** Longest message a client may send. */
  readonly maxMessageBytes: number;
}

export interface ServerLimits {
  /** Longest that an operation may take, its waiting included. */
  readonly timeLimitMs: number;
  /** Proxies in front of the service that append to X-Forwarded-For; 0: the header is not believed. */
  readonly trustedProxies: number;
  /** Of everybody without a token, by address. The owner on loopback has no quota. */
  readonly address: Quota;
  /** Of each token. */
  readonly token: Quota;
  readonly admission: AdmissionLimits;
  readonly connections: ConnectionLimits;
  readonly sockets: SocketLimits;
}

/** Some of the bounds; what is absent is as in DEFAULT_LIMITS. */
export type SomeLimits = { readonly [Part in keyof ServerLimits]?: Partial<ServerLimits[Part]> };

export const DEFAULT_LIMITS: ServerLimits = {
  timeLimitMs: 30_000,
  trustedProxies: 0,
  address: { requestsPerMinute: 600, costPerMinute: 20_000_000, sockets: 100 },
  token: { requestsPerMinute: 6_000, costPerMinute: 200_000_000, sockets: 2_000 },
  admission: { running: 64, perCaller: 16, waiting: 256, waitMs: 5_000, lagMs: 2_000 },
  connections: { max: 10_000, perAddress: 500, headersMs: 10_000, requestMs: 30_000, idleMs: 5_000 },
  sockets: {
    maxSockets: 5_000,
    maxOperationsPerSocket: 100,
    maxQueueBytes: 4 * 1024 * 1024,
    maxMessageBytes: 256 * 1024,
  },
};

export function limitsWith(some: SomeLimits = {}): ServerLimits {
  const { address, token, admission, connections, sockets } = DEFAULT_LIMITS;
  return {
    timeLimitMs: some.timeLimitMs ?? DEFAULT_LIMITS.timeLimitMs,
    trustedProxies: some.trustedProxies ?? DEFAULT_LIMITS.trustedProxies,
    address: { ...address, ...some.address },
    token: { ...token, ...some.token },
    admission: { ...admission, ...some.admission },
    connections: { ...connections, ...some.connections },
    sockets: { ...sockets, ...some.sockets },
  };
}
