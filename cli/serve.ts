// `npm start`: the service with its API. Called by cli/main.ts and cli/demo.ts.
import type { Logger } from "pino";
import { buildTocsinSchema } from "../resolvers/build.js";
import { createApp } from "../server/app.js";
import { cutoutRoutes } from "../server/cutouts.js";
import { isLoopback } from "../server/hosts.js";
import { tokenOf } from "../server/token.js";
import { openService, type Service } from "./service.js";
import type { Settings } from "./settings.js";

export interface RunningService extends Service {
  /** "http://127.0.0.1:4000" */
  readonly url: string;
}

export async function startService(settings: Settings, log: Logger): Promise<RunningService> {
  const service = await openService(settings, log);
  try {
    const app = await createApp({
      settings: {
        host: settings.HOST,
        port: settings.PORT,
        token: ownerToken(settings, log),
        allowedHosts: settings.ALLOWED_HOSTS,
        allowedOrigins: settings.ALLOWED_ORIGINS,
      },
      schema: buildTocsinSchema(service.services.surveys.values()),
      services: service.services,
      log,
      healthy: service.healthy,
      routes: (routes, viewerOf) => {
        routes.use(
          cutoutRoutes({ reader: service.packetReader, viewerOf, surveys: [...service.services.surveys.keys()] }),
        );
      },
    });
    const port = await app.listen();
    const host = settings.HOST.includes(":") ? `[${settings.HOST}]` : settings.HOST;
    return {
      ...service,
      url: `http://${host}:${port}`,
      async close() {
        await app.close();
        await service.close();
      },
    };
  } catch (error) {
    await service.close();
    throw error;
  }
}

/** The setting, else the file in DATA_DIR where others than this machine may reach the service. */
function ownerToken(settings: Settings, log: Logger): string | null {
  if (settings.TOCSIN_TOKEN !== undefined) return settings.TOCSIN_TOKEN;
  if (isLoopback(settings.HOST)) return null;
  const { token, path } = tokenOf(settings.DATA_DIR);
  log.info(`The owner's token is in ${path}; send it as "Authorization: Bearer …".`);
  return token;
}

/** Serve until a signal ends the process. */
export async function serve(settings: Settings, log: Logger): Promise<void> {
  const service = await startService(settings, log);
  log.info(`Tocsin answers at ${service.url}/graphql; the query page is ${service.url}/`);
  await new Promise<void>((resolve) => {
    process.once("SIGTERM", resolve).once("SIGINT", resolve);
  });
  log.info("closing");
  await service.close();
}
