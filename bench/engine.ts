// The service under a benchmark, with its processes: on an archive that the benchmark may ask by itself, with the API over
// one connection that is kept alive, for reading; or with everything embedded, as on a laptop, for taking in.
import { mkdtemp, rm } from "node:fs/promises";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startTestArchive, type TestArchive } from "../test/archive.js";
import { startTestService, type TestService } from "../test/service.js";
import { childrenOfThis } from "./harness.js";

export interface BenchedService {
  readonly archive: TestArchive;
  readonly service: TestService;
  /** The engine's process. */
  readonly pids: readonly number[];
  /** Data of a query over HTTP; throws the first error. */
  ask<T>(query: string, variables: object): Promise<T>;
  close(): Promise<void>;
}

/** `fill` puts rows into the archive before the service starts on it. */
export async function startBenchedService(fill: (archive: TestArchive) => Promise<void>): Promise<BenchedService> {
  const archive = await startTestArchive();
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  try {
    await fill(archive);
    const service = await startTestService({
      CLICKHOUSE_URL: archive.url,
      CLICKHOUSE_USER: archive.user,
      CLICKHOUSE_PASSWORD: archive.password,
    });
    return {
      archive,
      service,
      pids: [archive.pid()!],
      ask: (query, variables) => ask(agent, `${service.url}/graphql`, JSON.stringify({ query, variables })),
      async close() {
        agent.destroy();
        await service.close();
        await archive.stop();
      },
    };
  } catch (error) {
    await archive.stop();
    throw error;
  }
}

export interface EmbeddedService {
  readonly service: TestService;
  /** The engine's process. */
  readonly pids: readonly number[];
  /** Ends the service; `look` has its archive afterwards. */
  close<T>(look: (archive: TestArchive) => Promise<T>): Promise<T>;
}

/** The service with no settings at all. `fill` puts rows into its archive before it starts. */
export async function startEmbeddedService(
  fill: (archive: TestArchive) => Promise<void> = async () => {},
): Promise<EmbeddedService> {
  const folder = await mkdtemp(join(tmpdir(), "tocsin-bench-"));
  async function inArchive<T>(work: (archive: TestArchive) => Promise<T>): Promise<T> {
    const archive = await startTestArchive(join(folder, "archive"));
    return work(archive).finally(() => archive.stop());
  }
  try {
    await inArchive(fill);
    const others = new Set(childrenOfThis());
    const service = await startTestService({ DATA_DIR: folder });
    return {
      service,
      pids: childrenOfThis().filter((pid) => !others.has(pid)),
      async close(look) {
        try {
          await service.close();
          return await inArchive(look);
        } finally {
          await rm(folder, { recursive: true, force: true });
        }
      },
    };
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

function ask<T>(agent: Agent, url: string, body: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
    const sent = request(url, { method: "POST", agent, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const { data, errors } = JSON.parse(Buffer.concat(chunks).toString()) as { data: T; errors?: unknown[] };
        if (errors === undefined) resolve(data);
        else reject(new Error(JSON.stringify(errors[0])));
      });
    });
    sent.on("error", reject);
    sent.end(body);
  });
}
