// A whole service in this process for tests, in a folder of its own; and what tests ask of it over HTTP.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pino from "pino";
import type { Control } from "../cli/control.js";
import { type RunningService, startService } from "../cli/serve.js";
import { readSettings } from "../cli/settings.js";
import { layArchive } from "./firststart.js";

export interface TestService extends RunningService {
  readonly dataDir: string;
  ingest(...paths: string[]): ReturnType<Control["ingestPaths"]>;
  /** Data of a query; throws the first error with its code. */
  ask<T = Record<string, unknown>>(query: string, variables?: object, headers?: Record<string, string>): Promise<T>;
}

export async function startTestService(environment: Record<string, string> = {}): Promise<TestService> {
  const folder = await mkdtemp(join(tmpdir(), "tocsin-test-"));
  const dataDir = environment.DATA_DIR ?? join(folder, "data");
  const settings = readSettings({ PORT: "0", LOG_LEVEL: "error", ...environment, DATA_DIR: dataDir });
  if (settings.CLICKHOUSE_URL.length === 0) await layArchive(join(dataDir, "archive"), "surveys");
  const service = await startService(settings, pino({ level: settings.LOG_LEVEL }));
  return {
    ...service,
    dataDir,
    ingest: (...paths) => service.control!.ingestPaths(paths, () => {}, new AbortController().signal),
    ask: (query, variables, headers) => ask(service.url, query, variables, headers),
    async close() {
      await service.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

interface GraphqlAnswer<T> {
  readonly data?: T;
  readonly errors?: readonly { message: string; extensions?: { code?: string } }[];
}

export async function ask<T>(
  url: string,
  query: string,
  variables: object = {},
  headers: Record<string, string> = {},
): Promise<T> {
  const response = await fetch(`${url}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = (await response.json()) as GraphqlAnswer<T>;
  if (errors?.[0]) throw new Error(`${errors[0].extensions?.code}: ${errors[0].message}`);
  return data as T;
}
