// GraphQL over WebSocket, protocol graphql-transport-ws, on the HTTP server's port. Called once by server/ at start.
import type { IncomingMessage, Server } from "node:http";
import {
  createSourceEventStream,
  type ExecutionArgs,
  type FormattedExecutionResult,
  GraphQLError,
  type GraphQLFormattedError,
  type GraphQLSchema,
} from "graphql";
import type { SubscribePayload } from "graphql-ws";
import { type Extra, useServer as speakProtocol } from "graphql-ws/use/ws";
import { WebSocketServer } from "ws";
import { TocsinError } from "../domain/errors.js";
import type { Viewer } from "../domain/viewer.js";
import { HitStream } from "../subscriptions/stream.js";
import { groupKey, HitDelivery, renderHits } from "./delivery.js";
import type { Documents } from "./documents.js";
import { Outbox } from "./outbox.js";
import { acceptUpgrades, closeAll } from "./upgrade.js";

export interface SocketLimits {
  readonly maxSockets: number;
  /** Operations in progress on one socket. */
  readonly maxOperationsPerSocket: number;
  /** Bytes that may wait for one socket's reader before it is closed as too slow. */
  readonly maxQueueBytes: number;
  /** Longest message a client may send. */
  readonly maxMessageBytes: number;
}

export const DEFAULT_SOCKET_LIMITS: SocketLimits = {
  maxSockets: 5_000,
  maxOperationsPerSocket: 100,
  maxQueueBytes: 4 * 1024 * 1024,
  maxMessageBytes: 256 * 1024,
};

export interface WebSocketOptions {
  readonly server: Server;
  readonly path: string;
  readonly schema: GraphQLSchema;
  readonly documents: Documents;
  /** Throws FORBIDDEN_HOST where the request's Host or Origin may not talk to this service. */
  readonly checkHost: (request: IncomingMessage) => void;
  /** Whose eyes; `authorization` is "Bearer ..." from connection_init or the header. Throws NOT_ALLOWED. */
  readonly viewerOf: (request: IncomingMessage, authorization: string | undefined) => Viewer;
  /** A fresh context with its own loaders. */
  readonly contextOf: (viewer: Viewer) => object;
  /** Depth and complexity, variables included: what is wrong with the operation, or nothing. */
  readonly checkLimits: (args: ExecutionArgs) => readonly GraphQLError[];
  readonly formatError: (error: GraphQLError) => GraphQLFormattedError;
  readonly limits?: Partial<SocketLimits>;
}

export interface GraphqlSockets {
  readonly open: number;
  /** Closes every socket with 1001 (clients resume by cursor); resolves when all are gone. */
  close(): Promise<void>;
}

/** What is known of a socket once connection_init has been answered. */
interface Caller {
  viewer?: Viewer;
  outbox?: Outbox;
}
interface Operation {
  readonly id: string;
  readonly digest: string;
  readonly caller: Extra & Caller;
}
const CLOSE_WAIT_MS = 3_000;
/** Who answers no ping for as long is cut off. Long enough for a pong behind a full queue on a slow line. */
const PING_MS = 30_000;
/** After a restart a thousand clients come at once: the last of them waits for its turn. */
const INIT_WAIT_MS = 10_000;

export function serveWebSocket(options: WebSocketOptions): GraphqlSockets {
  const { schema, formatError } = options;
  const limits = { ...DEFAULT_SOCKET_LIMITS, ...options.limits };
  const sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: limits.maxMessageBytes,
  });
  // graphql-ws hands the arguments of an operation through as they are: here is what belongs to them.
  const operations = new WeakMap<object, Operation>();

  function start(caller: Extra & Caller, id: string, { query, operationName, variables }: SubscribePayload) {
    const prepared = options.documents.prepare(query);
    if (!("document" in prepared)) return prepared;
    const args: ExecutionArgs = {
      schema,
      document: prepared.document,
      operationName: operationName ?? null,
      variableValues: variables ?? {},
      contextValue: options.contextOf(caller.viewer!),
      rootValue: undefined,
    };
    operations.set(args, { id, digest: prepared.digest, caller });
    const errors = options.checkLimits(args);
    return errors.length > 0 ? errors : args;
  }

  async function subscribe(args: ExecutionArgs) {
    const source = await createSourceEventStream(args);
    if (!(source instanceof HitStream)) return refused(source);
    const { id, digest, caller } = operations.get(args)!;
    const viewer = caller.viewer!;
    const render = renderHits(args, () => options.contextOf(viewer), formatError);
    return new HitDelivery(source, groupKey(args, digest, viewer), render, id, caller.outbox!);
  }

  const protocol = speakProtocol<Record<string, unknown>, Record<PropertyKey, unknown> & Caller>(
    {
      onConnect: ({ extra, connectionParams }) => {
        const given = connectionParams?.authorization ?? connectionParams?.Authorization;
        const { request, socket } = extra;
        try {
          extra.viewer = options.viewerOf(request, typeof given === "string" ? given : request.headers.authorization);
        } catch (error) {
          if (error instanceof TocsinError) return false; // closes with 4403 Forbidden
          throw error;
        }
        extra.outbox = new Outbox(socket, request.socket, limits.maxQueueBytes);
        return true;
      },
      onSubscribe: ({ extra, subscriptions }, id, payload) => {
        if (Object.keys(subscriptions).length > limits.maxOperationsPerSocket) {
          const most = `This socket has ${limits.maxOperationsPerSocket} operations in progress, its limit.`;
          return [asGraphQLError(new TocsinError("TOO_MANY_SUBSCRIPTIONS", most))];
        }
        return start(extra, id, payload);
      },
      subscribe,
      onNext: (_socket, _id, _payload, _args, { errors, ...rest }) => {
        if (errors !== undefined) return { ...rest, errors: errors.map(formatError) } as FormattedExecutionResult;
      },
      onError: (_socket, _id, _payload, errors) => errors.flatMap(causes).map(formatError),
      connectionInitWaitTimeout: INIT_WAIT_MS,
      isProd: true,
    },
    sockets,
    PING_MS,
  );
  const stopAccepting = acceptUpgrades(options.server, sockets, { ...options, maxSockets: limits.maxSockets });

  return {
    get open() {
      return sockets.clients.size;
    },
    async close() {
      stopAccepting();
      await closeAll(sockets, protocol.dispose, CLOSE_WAIT_MS);
    },
  };
}

/** A subscription that never starts: graphql-ws turns what its iterator throws into the protocol's error message. */
function refused(source: Awaited<ReturnType<typeof createSourceEventStream>>): AsyncIterable<never> {
  const errors = "errors" in source ? source.errors : undefined;
  const error = new AggregateError(errors ?? [new Error("A subscription field did not return a HitStream.")]);
  return { [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(error) }) };
}

function causes(error: GraphQLError): GraphQLError[] {
  const { originalError } = error;
  return originalError instanceof AggregateError ? originalError.errors.map(asGraphQLError) : [error];
}

function asGraphQLError(error: Error): GraphQLError {
  return error instanceof GraphQLError ? error : new GraphQLError(error.message, { originalError: error });
}
