// The service over HTTP: GraphQL, health, the query page and whatever cli/ mounts besides, on one port.
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { ApolloServer } from "@apollo/server";
import { ApolloServerPluginCacheControlDisabled } from "@apollo/server/plugin/disabled";
import { ApolloServerPluginDrainHttpServer } from "@apollo/server/plugin/drainHttpServer";
import { expressMiddleware } from "@as-integrations/express5";
import express, { type ErrorRequestHandler, type Express, type Request, type RequestHandler } from "express";
import { GraphQLError, type GraphQLSchema } from "graphql";
import type { Logger } from "pino";
import { TocsinError } from "../domain/errors.js";
import type { Viewer } from "../domain/viewer.js";
import { type Context, createContext } from "../resolvers/context.js";
import type { Services } from "../resolvers/services.js";
import { MAX_TOKENS } from "../schema/cost.js";
import { type AuthSettings, viewers } from "./auth.js";
import { createDocuments } from "./documents.js";
import { createFaults } from "./faults.js";
import { type HostSettings, hostCheck } from "./hosts.js";
import { checkOperation, type Operation } from "./limits.js";
import { queryPage } from "./page.js";
import { type SocketLimits, serveWebSocket } from "./websocket.js";

const PATH = "/graphql";
const MAX_BODY = "1mb";
const DRAIN_MS = 5_000;
const CLOSED = "the response is closed";
const DEFAULT_TIME_LIMIT_MS = 30_000;

export interface AppSettings extends AuthSettings, HostSettings {
  /** 0 takes a free one. */
  readonly port: number;
  /** Longest that a request may take; 30 s where it is absent. */
  readonly timeLimitMs?: number;
  readonly socketLimits?: Partial<SocketLimits>;
}

export interface AppOptions {
  readonly settings: AppSettings;
  readonly schema: GraphQLSchema;
  readonly services: Services;
  readonly log: Logger;
  /** Whether the engines answer now. */
  readonly healthy: () => Promise<boolean>;
  /** Further routes, for example cutouts: hosts are checked before them, errors coded behind them. */
  readonly routes?: (app: Express, viewerOf: (request: Request) => Viewer) => void;
}

export interface App {
  readonly server: Server;
  /** Open sockets of subscribers. */
  readonly sockets: () => number;
  /** Resolves with the port. Throws PORT_TAKEN, BAD_SETTING. */
  listen(): Promise<number>;
  /** Closes sockets (clients resume by cursor), lets running requests end, and frees the port. */
  close(): Promise<void>;
}

export async function createApp(options: AppOptions): Promise<App> {
  const { settings, schema, services, log } = options;
  const { timeLimitMs = DEFAULT_TIME_LIMIT_MS } = settings;
  const faults = createFaults(log);
  const checkHost = hostCheck(settings);
  const viewerOf = viewers(services.surveys.values(), settings);
  const viewerOfRequest = (request: Request) => viewerOf(request, request.headers.authorization);

  const app = express();
  const server = createServer(app);
  const sockets = serveWebSocket({
    server,
    path: PATH,
    schema,
    documents: createDocuments(schema, { maxTokens: MAX_TOKENS }),
    checkHost,
    viewerOf,
    contextOf: (viewer) => createContext(services, viewer, AbortSignal.timeout(timeLimitMs)),
    checkLimits: limitErrors,
    formatError: (error) => faults.formatGraphql(error),
    ...(settings.socketLimits && { limits: settings.socketLimits }),
  });
  const apollo = new ApolloServer<Context>({
    schema,
    introspection: true,
    csrfPrevention: true,
    persistedQueries: false,
    includeStacktraceInErrorResponses: false,
    stopOnTerminationSignals: false,
    parseOptions: { maxTokens: MAX_TOKENS },
    formatError: (formatted, error) => faults.formatGraphql(error, formatted),
    logger: log,
    plugins: [
      ApolloServerPluginCacheControlDisabled(),
      ApolloServerPluginDrainHttpServer({ httpServer: server, stopGracePeriodMillis: DRAIN_MS }),
      {
        serverWillStart: async () => ({ drainServer: () => sockets.close() }),
        requestDidStart: async () => ({
          didResolveOperation: async ({ document, request, operation }) => {
            if (operation?.operation === "subscription") throw overSocketsOnly();
            const { operationName, variables } = request;
            const [error] = limitErrors({ schema, document, operationName, variableValues: variables });
            if (error) throw error;
          },
        }),
      },
    ],
  });
  await apollo.start();

  app.disable("x-powered-by").disable("etag");
  app.get("/health", async (_request, response) => {
    const healthy = await options.healthy().catch(() => false);
    response.status(healthy ? 200 : 503).json({ status: healthy ? "ok" : "unavailable" });
  });
  app.use((request, response, next) => {
    checkHost(request);
    response.set({ "x-content-type-options": "nosniff", "referrer-policy": "no-referrer" });
    next();
  }, crossOrigin(settings.allowedOrigins));
  app.post(
    PATH,
    (request, response, next) => {
      response.locals.viewer = viewerOfRequest(request);
      next();
    },
    express.json({ limit: MAX_BODY }),
    (request, _response, next) => {
      request.body ??= {};
      next();
    },
    expressMiddleware(apollo, {
      context: async ({ res: response }) => {
        const end = new AbortController();
        const timer = setTimeout(() => end.abort(), timeLimitMs);
        response.once("close", () => {
          clearTimeout(timer);
          // With a reason of its own: making the default one, with its stack, costs more than a small query.
          end.abort(CLOSED);
        });
        return createContext(services, response.locals.viewer, end.signal);
      },
    }),
  );
  app.all(PATH, (_request, response) => {
    response.set("allow", "POST");
    throw new TocsinError("BAD_REQUEST", `${PATH} answers POST, and WebSockets of graphql-transport-ws.`);
  });
  app.use(queryPage());
  options.routes?.(app, viewerOfRequest);
  app.use((request) => {
    throw new TocsinError("NOT_FOUND", `There is nothing at ${request.path.slice(0, 100)}.`);
  });
  const fail: ErrorRequestHandler = (error, _request, response, _next) => {
    if (response.headersSent) {
      response.destroy();
      return;
    }
    const { status, body } = faults.respond(requestFault(error) ?? error);
    response.status(status).json(body);
  };
  app.use(fail);

  return {
    server,
    sockets: () => sockets.open,
    listen: () => listen(server, settings, log),
    close: () => apollo.stop(),
  };
}

function overSocketsOnly(): GraphQLError {
  const originalError = new TocsinError("BAD_REQUEST", "A subscription needs a WebSocket, not an HTTP request.", {
    remedy: `Open a WebSocket of graphql-transport-ws at ${PATH} and subscribe there.`,
  });
  return new GraphQLError(originalError.message, { originalError, extensions: { http: { status: 400 } } });
}

function limitErrors(operation: Operation): GraphQLError[] {
  try {
    checkOperation(operation);
    return [];
  } catch (error) {
    if (!(error instanceof TocsinError)) throw error;
    return [new GraphQLError(error.message, { originalError: error, extensions: { http: { status: 400 } } })];
  }
}

/** Browsers on other sites only where the setting names them. */
function crossOrigin(allowed: readonly string[]): RequestHandler {
  const origins = new Set(allowed.map((origin) => origin.toLowerCase()));
  return (request, response, next) => {
    const { origin } = request.headers;
    if (origin === undefined || !origins.has(origin.toLowerCase())) {
      response.set("cross-origin-resource-policy", "same-origin");
      next();
      return;
    }
    response.set({ "access-control-allow-origin": origin, vary: "origin" });
    if (request.method !== "OPTIONS") {
      next();
      return;
    }
    response.set("access-control-allow-headers", "content-type, authorization").set("access-control-max-age", "600");
    response.status(204).end();
  };
}

/** What the router or the body parser found wrong. */
function requestFault(error: unknown): TocsinError | null {
  if (error instanceof URIError) return new TocsinError("BAD_REQUEST", "The address is not percent-encoded UTF-8.");
  const type = (error as { type?: unknown } | null)?.type;
  if (type === "entity.too.large") return new TocsinError("TOO_LARGE", `A body may have at most ${MAX_BODY}.`);
  if (type === "entity.parse.failed") return new TocsinError("BAD_REQUEST", "The body is not JSON.");
  if (typeof type === "string") return new TocsinError("BAD_REQUEST", "The body cannot be read.");
  return null;
}

function listen(server: Server, { host, port }: AppSettings, log: Logger): Promise<number> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException) => {
      const taken = error.code === "EADDRINUSE";
      reject(
        taken
          ? new TocsinError("PORT_TAKEN", `Another program listens on port ${port} of ${host}.`)
          : new TocsinError("BAD_SETTING", `HOST=${host} with PORT=${port} cannot be used: ${error.message}.`),
      );
    };
    server.once("error", failed);
    server.listen(port, host, () => {
      server.off("error", failed);
      server.on("error", (error) => log.error({ err: error }, "a connection could not be accepted"));
      resolve((server.address() as AddressInfo).port);
    });
  });
}
