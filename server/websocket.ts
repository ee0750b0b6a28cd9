// GraphQL over WebSocket, protocol graphql-transport-ws, on the HTTP server's port. Called once by server/ at start.
import type { IncomingMessage, Server } from "node:http";
import {
  createSourceEventStream,
  type ExecutionArgs,
  execute,
  type FormattedExecutionResult,
  GraphQLError,
  type GraphQLFormattedError,
  type GraphQLSchema,
  getOperationAST,
} from "graphql";
import type { SubscribePayload } from "graphql-ws";
import { type Extra, useServer as speakProtocol } from "graphql-ws/use/ws";
import { WebSocketServer } from "ws";
import { TocsinError } from "../domain/errors.js";
import type { Viewer } from "../domain/viewer.js";
import { CorrectionStream } from "../subscriptions/corrections.js";
import { HitStream } from "../subscriptions/stream.js";
import type { Admission } from "./admission.js";
import type { ServerLimits } from "./bounds.js";
import type { Caller, Callers } from "./caller.js";
import { CorrectionDelivery } from "./corrections.delivery.js";
import { groupKey, HitDelivery, renderHits } from "./delivery.js";
import type { Documents } from "./documents.js";
import type { Lane } from "./lane.js";
import { lifetime } from "./lifetime.js";
import { checkOperation } from "./limits.js";
import { EndableOperation } from "./operation.js";
import { type OperationEnd, type OperationWatch, outcomeOf } from "./operation.watch.js";
import { Outbox } from "./outbox.js";
import type { Rates } from "./rates.js";
import { SocketSeats } from "./socketseats.js";
import { acceptUpgrades, closeAll } from "./upgrade.js";

export interface WebSocketOptions {
  readonly server: Server;
  readonly path: string;
  readonly schema: GraphQLSchema;
  readonly documents: Documents;
  /** Throws FORBIDDEN_HOST where the request's Host or Origin may not talk to this service. */
  readonly checkHost: (request: IncomingMessage) => void;
  readonly callers: Callers;
  readonly rates: Rates;
  readonly admission: Admission;
  readonly lane: Lane;
  /** A fresh context with its own loaders; the signal ends it. */
  readonly contextOf: (viewer: Viewer, signal: AbortSignal) => object;
  /** The same for a page of live hits: nothing makes it wait. */
  readonly liveContextOf: (viewer: Viewer, signal: AbortSignal) => object;
  readonly formatError: (error: GraphQLError) => GraphQLFormattedError;
  readonly limits: ServerLimits;
  readonly watch: OperationWatch;
}

export interface GraphqlSockets {
  readonly open: number;
  /** Bytes that wait for their readers, of all sockets. */
  readonly queuedBytes: number;
  /** Closes every socket with 1001 (clients resume by cursor); resolves when all are gone. */
  close(): Promise<void>;
}

/** What is known of a socket once connection_init has been answered. */
interface Peer {
  caller?: Caller;
  outbox?: Outbox;
}
interface Operation {
  readonly id: string;
  readonly digest: string;
  readonly cost: number;
  readonly peer: Extra & Peer;
  readonly end: OperationEnd;
}
/** Close code of a socket beyond those that its caller may have. */
const TOO_MANY_SOCKETS_CODE = 4421;
const CLOSE_WAIT_MS = 3_000;
/** Who answers no ping for as long is cut off. Long enough for a pong behind a full queue on a slow line. */
const PING_MS = 30_000;
/** After a restart a thousand clients come at once: the last of them waits for its turn. */
const INIT_WAIT_MS = 10_000;

export function serveWebSocket(options: WebSocketOptions): GraphqlSockets {
  const { schema, formatError, callers, rates, admission } = options;
  const { timeLimitMs, sockets: limits } = options.limits;
  const sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: limits.maxMessageBytes,
  });
  const seats = new SocketSeats(callers, options.limits);
  // graphql-ws hands the arguments of an operation through as they are: here is what belongs to them.
  const operations = new WeakMap<object, Operation>();

  async function connect(peer: Extra & Peer, authorization: unknown): Promise<boolean> {
    const { request, socket } = peer;
    try {
      peer.caller = callers.of(
        request,
        typeof authorization === "string" ? authorization : request.headers.authorization,
      );
    } catch (error) {
      if (!(error instanceof TocsinError)) throw error;
      // Who tries tokens uses its address's requests; the socket closes with 4403 Forbidden in any case.
      await rates.spend({ kind: "address", key: callers.addressKey(request) }, "requests", 1).catch(() => {});
      return false;
    }
    if (!seats.claim(request, peer.caller)) {
      socket.close(TOO_MANY_SOCKETS_CODE, "TOO_MANY_SUBSCRIPTIONS: you have as many sockets open as you may");
      return false;
    }
    peer.outbox = new Outbox(socket, request.socket, limits.maxQueueBytes);
    return true;
  }

  async function start(peer: Extra & Peer, open: number, id: string, payload: SubscribePayload, end: OperationEnd) {
    const { query, operationName, variables } = payload;
    const caller = peer.caller!;
    if (open > limits.maxOperationsPerSocket) {
      const most = `This socket has ${limits.maxOperationsPerSocket} operations in progress, its limit.`;
      throw new TocsinError("TOO_MANY_SUBSCRIPTIONS", most);
    }
    admission.check(caller);
    await rates.spend(caller, "requests", 1);
    const prepared = options.documents.prepare(query);
    if (!("document" in prepared)) {
      end("unknown", outcomeOf(prepared.map(formatError)));
      return prepared;
    }
    const args: ExecutionArgs = {
      schema,
      document: prepared.document,
      operationName: operationName ?? null,
      variableValues: variables ?? {},
      contextValue: null,
      rootValue: undefined,
    };
    const cost = checkOperation(args);
    await rates.spend(caller, "cost", cost);
    operations.set(args, { id, digest: prepared.digest, cost, peer, end });
    return args;
  }

  function run(args: ExecutionArgs): EndableOperation {
    const { peer, cost, end } = operations.get(args)!;
    const caller = peer.caller!;
    const execution = async (signal: AbortSignal) => {
      const leave = await admission.enter(caller, signal);
      let leaveLane = () => {};
      try {
        leaveLane = await options.lane.enter(cost, caller, signal);
        return await execute({ ...args, contextValue: options.contextOf(caller.viewer, signal) });
      } finally {
        leaveLane();
        leave();
      }
    };
    const kind = getOperationAST(args.document, args.operationName)?.operation ?? "unknown";
    return new EndableOperation(lifetime(timeLimitMs), async (signal) => {
      try {
        const result = await execution(signal);
        end(kind, outcomeOf(result.errors?.map(formatError)));
        return result;
      } catch (error) {
        end(kind, error instanceof TocsinError ? error.code : "INTERNAL");
        throw error;
      }
    });
  }

  async function subscribe(args: ExecutionArgs) {
    const { id, digest, peer, end } = operations.get(args)!;
    const { viewer } = peer.caller!;
    const life = lifetime(timeLimitMs);
    const starting = { ...args, contextValue: options.contextOf(viewer, life.signal) };
    const source = await createSourceEventStream(starting).finally(() => life.end());
    const isStream = source instanceof HitStream || source instanceof CorrectionStream;
    end("subscription", isStream ? "OK" : outcomeOf("errors" in source ? source.errors?.map(formatError) : [{}]));
    if (!isStream) return refused(source);
    const contextOf = (signal: AbortSignal) => options.liveContextOf(viewer, signal);
    if (source instanceof CorrectionStream) return new CorrectionDelivery(source, args, contextOf, timeLimitMs);
    const render = renderHits(args, contextOf, formatError, timeLimitMs);
    return new HitDelivery(source, groupKey(args, digest, viewer), render, id, peer.outbox!);
  }

  const protocol = speakProtocol<Record<string, unknown>, Record<PropertyKey, unknown> & Peer>(
    {
      onConnect: ({ extra, connectionParams }) =>
        connect(extra, connectionParams?.authorization ?? connectionParams?.Authorization),
      onSubscribe: async ({ extra, subscriptions }, id, payload) => {
        const end = options.watch.began("websocket");
        try {
          return await start(extra, Object.keys(subscriptions).length, id, payload, end);
        } catch (error) {
          end("unknown", error instanceof TocsinError ? error.code : "INTERNAL");
          if (error instanceof TocsinError) return [asGraphQLError(error)];
          throw error;
        }
      },
      execute: run,
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
  const stopAccepting = acceptUpgrades(options.server, sockets, {
    path: options.path,
    checkHost: options.checkHost,
    maxSockets: limits.maxSockets,
    takeSeat: (request, raw) => seats.open(request, raw),
  });

  return {
    get open() {
      return sockets.clients.size;
    },
    get queuedBytes() {
      let bytes = 0;
      for (const { bufferedAmount } of sockets.clients) bytes += bufferedAmount;
      return bytes;
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
  const error = new AggregateError(errors ?? [new Error("A subscription field did not return a stream of ours.")]);
  return { [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(error) }) };
}

function causes(error: GraphQLError): GraphQLError[] {
  const { originalError } = error;
  return originalError instanceof AggregateError ? originalError.errors.map(asGraphQLError) : [error];
}

function asGraphQLError(error: Error): GraphQLError {
  return error instanceof GraphQLError ? error : new GraphQLError(error.message, { originalError: error });
}
