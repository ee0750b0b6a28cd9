// The service under a benchmark: an embedded archive whose process is known, the service on it, and its API over one
// connection that is kept alive. Used by the benchmarks of reading.
import { Agent, request } from "node:http";
import { startTestArchive, type TestArchive } from "../test/archive.js";
import { startTestService, type TestService } from "../test/service.js";

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
