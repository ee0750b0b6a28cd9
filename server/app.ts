// The service over HTTP: GraphQL, the query page and whatever cli/ mounts besides, on one port.
import type { Server } from "node:http";
import { expressMiddleware } from "@as-integrations/express5";
import express, { type Express, type Request, type RequestHandler } from "express";
import type { GraphQLSchema } from "graphql";
import type { Logger } from "pino";
import { TocsinError } from "../domain/errors.js";
import type { Viewer } from "../domain/viewer.js";
import { createContext } from "../resolvers/context.js";
import { Pace } from "../resolvers/pace.js";
import type { Services } from "../resolvers/services.js";
import { MAX_TOKENS } from "../schema/cost.js";
import { Admission } from "./admission.js";
import { createApollo } from "./apollo.js";
import { type AuthSettings, viewers } from "./auth.js";
import { limitsWith, type SomeLimits } from "./bounds.js";
import { createCallers } from "./caller.js";
import { boundedServer, listen } from "./connections.js";
import { crossOrigin } from "./crossorigin.js";
import { createDocuments } from "./documents.js";
import { failing, MAX_BODY } from "./failing.js";
import { createFaults } from "./faults.js";
import { callerOf, createGuard, lifetimeOf } from "./guard.js";
import { type HostSettings, hostCheck } from "./hosts.js";
import { Lane } from "./lane.js";
import { type OperationWatch, unwatched } from "./operation.watch.js";
import { queryPage } from "./page.js";
import { createRates } from "./rates.js";
import { serveWebSocket } from "./websocket.js";

const PATH = "/graphql";

export interface AppSettings extends AuthSettings, HostSettings {
  /** 0 takes a free one. */
  readonly port: number;
  /** What is absent is as in DEFAULT_LIMITS. */
  readonly limits?: SomeLimits;
}

export interface AppOptions {
  readonly settings: AppSettings;
  readonly schema: GraphQLSchema;
  readonly services: Services;
  readonly log: Logger;
  /** Before the check of hosts and quotas: probes are answered here, and requests timed. */
  readonly front?: RequestHandler;
  /** Hears of every operation. */
  readonly watch?: OperationWatch;
  /** Whether ingest or live hits are at work: long answers then take a fifth of the time. Absent: they never are. */
  readonly busy?: () => boolean;
  /** Further routes, for example cutouts: hosts and quotas are checked before them, errors coded behind them. */
  readonly routes?: (app: Express, viewerOf: (request: Request) => Viewer) => void;
}

/** What the service has to do now. */
export interface Load {
  /** Operations that execute, that wait for their turn, and that have been turned away so far. */
  readonly running: number;
  readonly waiting: number;
  readonly shed: number;
  /** How late the event loop is. */
  readonly lagMs: number;
}

export interface App {
  readonly server: Server;
  /** Open sockets of subscribers. */
  readonly sockets: () => number;
  /** Bytes that wait for their readers. */
  readonly queuedBytes: () => number;
  readonly load: () => Load;
  /** Resolves with the port. Throws PORT_TAKEN, BAD_SETTING. */
  listen(): Promise<number>;
  /** Closes sockets (clients resume by cursor), lets running requests end, and frees the port. */
  close(): Promise<void>;
}

export async function createApp(options: AppOptions): Promise<App> {
  const { settings, schema, services, log, watch = unwatched } = options;
  const limits = limitsWith(settings.limits);
  const faults = createFaults(log);
  const checkHost = hostCheck(settings);
  const viewerOf = viewers(services.surveys.values(), settings);
  const callers = createCallers(viewerOf, limits.trustedProxies);
  const rates = createRates(limits);
  const admission = new Admission(limits.admission);
  const pace = new Pace(options.busy ?? (() => false));
  const lane = new Lane(limits.admission, limits.timeLimitMs, pace);
  const guard = createGuard({ callers, rates, admission, limits });

  const app = express();
  const server = boundedServer(limits, app);
  const sockets = serveWebSocket({
    server,
    path: PATH,
    schema,
    documents: createDocuments(schema, { maxTokens: MAX_TOKENS }),
    checkHost,
    callers,
    rates,
    admission,
    lane,
    contextOf: (viewer, signal) => createContext(services, viewer, signal, pace),
    liveContextOf: (viewer, signal) => createContext(services, viewer, signal),
    formatError: (error) => faults.formatGraphql(error),
    limits,
    watch,
  });
  const apollo = createApollo({ schema, server, path: PATH, faults, log, watch, drain: () => sockets.close() });
  await apollo.start();

  app.disable("x-powered-by").disable("etag");
  if (options.front !== undefined) app.use(options.front);
  app.use((request, response, next) => {
    checkHost(request);
    response.set({ "x-content-type-options": "nosniff", "referrer-policy": "no-referrer" });
    next();
  }, crossOrigin(settings.allowedOrigins));
  app.post(
    PATH,
    guard.count,
    express.json({ limit: MAX_BODY }),
    // A query as it is written, without JSON around it: `curl --data-binary @query.graphql`.
    express.text({ limit: MAX_BODY, type: "application/graphql" }),
    (request, _response, next) => {
      request.body = typeof request.body === "string" ? { query: request.body } : (request.body ?? {});
      next();
    },
    guard.admit,
    expressMiddleware(apollo, {
      context: async ({ res: response }) => {
        const caller = callerOf(response);
        const { signal } = lifetimeOf(response);
        return {
          ...createContext(services, caller.viewer, signal, pace),
          async spend(cost) {
            try {
              await rates.spend(caller, "cost", cost);
            } finally {
              response.set(await rates.headers(caller));
            }
            const leave = await lane.enter(cost, caller, signal);
            if (response.closed) leave();
            // Once all is written, and not only when a slow reader has read it.
            else response.once("prefinish", leave).once("close", leave);
          },
        };
      },
    }),
  );
  app.all(PATH, (_request, response) => {
    response.set("allow", "POST");
    throw new TocsinError("BAD_REQUEST", `${PATH} answers POST, and WebSockets of graphql-transport-ws.`);
  });
  app.use(queryPage());
  app.use(guard.count, guard.admit);
  options.routes?.(app, (request) => viewerOf(request, request.headers.authorization));
  app.use((request) => {
    throw new TocsinError("NOT_FOUND", `There is nothing at ${request.path.slice(0, 100)}.`);
  });
  app.use(failing(faults));

  return {
    server,
    sockets: () => sockets.open,
    queuedBytes: () => sockets.queuedBytes,
    load: () => {
      const { running, waiting, shed, lagMs } = admission;
      return { running, waiting, shed, lagMs };
    },
    listen: () => listen(server, settings, log),
    async close() {
      await apollo.stop();
      admission.stop();
      lane.stop();
    },
  };
}
