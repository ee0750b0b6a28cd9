// `npm start`: the service with its API, or a worker with its probes. Called by cli/program.ts, cli/demo.ts and tests.
import { type Request, Router } from "express";
import type { Logger } from "pino";
import { uploadedPositions } from "../ingest/marks/upload.js";
import { buildTocsinSchema } from "../resolvers/build.js";
import { createApp } from "../server/app.js";
import { type AuthSettings, viewers } from "../server/auth.js";
import { catalogRoutes } from "../server/catalogs.js";
import { cutoutRoutes } from "../server/cutouts.js";
import { deadLetterRoutes } from "../server/deadletters.js";
import { healthRoutes } from "../server/health.routes.js";
import { isLoopback } from "../server/hosts.js";
import { type MarkRoutesParts, markRoutes } from "../server/marks.js";
import { requestTimes } from "../server/metrics.http.js";
import { metricsRoute, serveMetrics } from "../server/metrics.routes.js";
import { createPlain } from "../server/plain.js";
import { streamRoutes } from "../server/streams.js";
import { tokenOf } from "../server/token.js";
import { serverLimits } from "./limits.settings.js";
import { openService, type Service } from "./service.js";
import type { Settings } from "./settings.js";

export interface RunningService extends Service {
  /** "http://127.0.0.1:4000" */
  readonly url: string;
  /** Of METRICS_PORT; null where it is not set. */
  readonly metricsUrl: string | null;
}

export async function startService(settings: Settings, log: Logger): Promise<RunningService> {
  const service = await openService(settings, log);
  const closers: (() => Promise<unknown>)[] = [service.close];
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0)) await closer();
  };
  try {
    const app = await (settings.TOCSIN_ROLE === "ingest" ? workerApp : apiApp)(settings, service, log);
    const port = await app.listen();
    closers.unshift(() => app.close());
    const metrics =
      settings.METRICS_PORT === undefined
        ? null
        : await serveMetrics(
            service.watching.metrics.registry,
            { host: settings.HOST, port: settings.METRICS_PORT },
            log,
          );
    if (metrics !== null) closers.unshift(metrics.close);
    const host = settings.HOST.includes(":") ? `[${settings.HOST}]` : settings.HOST;
    return { ...service, url: `http://${host}:${port}`, metricsUrl: metrics?.url ?? null, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function apiApp(settings: Settings, service: Service, log: Logger) {
  const { services, watching, packetReader } = service;
  const { surveys } = services;
  const access = accessOf(settings, log);
  const app = await createApp({
    settings: { ...access, limits: serverLimits(settings) },
    schema: buildTocsinSchema(surveys.values()),
    services,
    log,
    front: frontOf(access, service),
    watch: watching.operations,
    busy: service.busy,
    routes: (routes, viewerOf) => {
      routes.use(cutoutRoutes({ reader: packetReader, viewerOf, surveys: [...surveys.keys()] }));
      routes.use(streamRoutes());
      if (services.marks !== undefined) {
        const positionsOf: MarkRoutesParts["positionsOf"] = (body, options, viewer) =>
          uploadedPositions(body, options, viewer, services.stores.objects);
        routes.use(markRoutes({ desk: services.marks.desk, viewerOf, positionsOf }));
      }
      routes.use(catalogRoutes(services.catalogs, viewerOf));
      routes.use(deadLetterRoutes(service.letters, viewerOf));
      routes.use(metricsRoute(watching.metrics.registry, viewerOf));
    },
  });
  watching.app(app);
  return app;
}

async function workerApp(settings: Settings, service: Service, log: Logger) {
  const access = accessOf(settings, log);
  return createPlain({
    settings: access,
    surveys: service.services.surveys.values(),
    log,
    front: frontOf(access, service),
    routes: (routes, viewerOf) => routes.use(metricsRoute(service.watching.metrics.registry, viewerOf)),
  });
}

const accessOf = (settings: Settings, log: Logger) => ({
  host: settings.HOST,
  port: settings.PORT,
  token: ownerToken(settings, log),
  allowedHosts: settings.ALLOWED_HOSTS,
  allowedOrigins: settings.ALLOWED_ORIGINS,
});

/** What comes before everything else: a request's time, and probes. */
function frontOf(access: AuthSettings, { services, watching }: Service): Router {
  const viewerOf = viewers(services.surveys.values(), access);
  const isOwner = (request: Request): boolean => {
    try {
      return viewerOf(request, request.headers.authorization).mayChange;
    } catch {
      return false;
    }
  };
  return Router().use(requestTimes(watching.metrics.api)).use(healthRoutes(watching.readiness, isOwner));
}

/** The setting, else the file in DATA_DIR where others than this machine may reach the service. */
function ownerToken(settings: Settings, log: Logger): string | null {
  if (settings.TOCSIN_TOKEN !== undefined) return settings.TOCSIN_TOKEN;
  if (isLoopback(settings.HOST)) return null;
  const { token, path } = tokenOf(settings.DATA_DIR);
  log.info(`The owner's token is in ${path}; send it as "Authorization: Bearer …".`);
  return token;
}

/** Serve until a signal ends the process; one that comes while engines are still waited for ends it at once. */
export async function serve(settings: Settings, log: Logger): Promise<void> {
  const ended = new Promise<null>((resolve) => {
    const end = () => resolve(null);
    process.once("SIGTERM", end).once("SIGINT", end);
  });
  const service = await Promise.race([startService(settings, log), ended]);
  if (service === null) return;
  log.info(
    settings.TOCSIN_ROLE === "ingest"
      ? `Tocsin ingests; ${service.url}/ready says whether it can.`
      : `Tocsin answers at ${service.url}/graphql; the query page is ${service.url}/`,
  );
  await ended;
  log.info("closing");
  await service.close();
}
