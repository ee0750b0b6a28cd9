// A real embedded archive in a temporary folder, for test files that need one: start in beforeAll, stop in afterAll.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ArchiveClient } from "../stores/archive/client.js";
import { startEmbeddedArchive } from "../stores/archive/engine/embedded.js";
import { connectArchive } from "../stores/archive/http.js";
import { layArchive } from "./firststart.js";

export interface TestArchive {
  /** Connected to the database `tocsin`. */
  readonly client: ArchiveClient;
  readonly url: string;
  readonly user: string;
  readonly password: string;
  readonly dataDir: string;
  /** Process id of the engine. */
  pid(): number | null;
  stop(): Promise<void>;
}

/** In a folder of its own, with the tables of migrations where a run of tests has them ready, or in one that stays. */
export async function startTestArchive(folder?: string): Promise<TestArchive> {
  const own = folder === undefined ? await mkdtemp(join(tmpdir(), "tocsin-archive-")) : null;
  if (own !== null) await layArchive(join(own, "archive"), "common");
  return startIn(folder ?? join(own!, "archive"), own);
}

/** In a folder of its own, without any table. */
export async function startEmptyArchive(): Promise<TestArchive> {
  const own = await mkdtemp(join(tmpdir(), "tocsin-archive-"));
  return startIn(join(own, "archive"), own);
}

/** `removed` goes with it. */
async function startIn(dataDir: string, removed: string | null): Promise<TestArchive> {
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
      if (removed !== null) await rm(removed, { recursive: true, force: true });
    },
  };
}
