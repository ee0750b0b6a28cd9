// The HTTP side of a process that answers no GraphQL: its probes and its metrics. Made by cli/serve.ts for workers.
import express, { type Express, type Request, type RequestHandler } from "express";
import type { Logger } from "pino";
import { TocsinError } from "../domain/errors.js";
import type { SurveyDescription } from "../domain/survey.js";
import type { Viewer } from "../domain/viewer.js";
import { type AuthSettings, viewers } from "./auth.js";
import { DEFAULT_LIMITS } from "./bounds.js";
import { boundedServer, listen } from "./connections.js";
import { failing } from "./failing.js";
import { createFaults } from "./faults.js";
import { type HostSettings, hostCheck } from "./hosts.js";

export interface PlainOptions {
  readonly settings: AuthSettings & HostSettings & { readonly port: number };
  readonly surveys: Iterable<SurveyDescription>;
  readonly log: Logger;
  /** Before the check of hosts: probes. */
  readonly front: RequestHandler;
  readonly routes: (app: Express, viewerOf: (request: Request) => Viewer) => void;
}

export interface PlainApp {
  /** Resolves with the port. Throws PORT_TAKEN, BAD_SETTING. */
  listen(): Promise<number>;
  close(): Promise<void>;
}

export function createPlain({ settings, surveys, log, front, routes }: PlainOptions): PlainApp {
  const viewerOf = viewers(surveys, settings);
  const checkHost = hostCheck(settings);
  const app = express().disable("x-powered-by").disable("etag");
  const server = boundedServer(DEFAULT_LIMITS, app);
  app.use(front);
  app.use((request, response, next) => {
    checkHost(request);
    response.set({ "x-content-type-options": "nosniff", "referrer-policy": "no-referrer" });
    next();
  });
  routes(app, (request) => viewerOf(request, request.headers.authorization));
  app.use((request) => {
    throw new TocsinError("NOT_FOUND", `There is nothing at ${request.path.slice(0, 100)}.`, {
      remedy: "This process only ingests; ask one whose TOCSIN_ROLE is serve or all.",
    });
  });
  app.use(failing(createFaults(log)));
  return {
    listen: () => listen(server, settings, log),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
