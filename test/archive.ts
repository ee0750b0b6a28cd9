// A real embedded archive in a temporary folder, for test files that need one: start in beforeAll, stop in afterAll.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ArchiveClient } from "../stores/archive/client.js";
import { startEmbeddedArchive } from "../stores/archive/engine/embedded.js";
import { connectArchive } from "../stores/archive/http.js";

export interface TestArchive {
  /** Connected to the empty database `tocsin`. */
  readonly client: ArchiveClient;
  readonly url: string;
  readonly user: string;
  readonly password: string;
  readonly dataDir: string;
  /** Process id of the engine. */
  pid(): number | null;
  stop(): Promise<void>;
}

/** In the folder, which stays, or in one of its own. */
export async function startTestArchive(folder?: string): Promise<TestArchive> {
  const dataDir = folder ?? (await mkdtemp(join(tmpdir(), "tocsin-archive-")));
  const engine = await startEmbeddedArchive({ dataDir });
  const { url, user, password } = engine;
  const client = connectArchive({ url, user, password, database: "tocsin" });
  await client.command("CREATE DATABASE IF NOT EXISTS tocsin");
  return {
    client,
    url,
    user,
    password,
    dataDir,
    pid: () => engine.pid(),
    stop: async () => {
      await client.close();
      await engine.stop();
      if (folder === undefined) await rm(dataDir, { recursive: true, force: true });
    },
  };
}
