// Archives as the first start on them leaves them: made once in a run of tests and copied from then on, for a first start
// makes fifty tables. For tests that are not about first starts. Called by archive.ts, service.ts and process.ts.
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { SURVEYS } from "../ingest/surveys/index.js";
import { blockOf, strings, texts } from "../stores/archive/blocks.js";
import type { ArchiveClient } from "../stores/archive/client.js";
import { startEmbeddedArchive } from "../stores/archive/engine/embedded.js";
import { connectArchive } from "../stores/archive/http.js";
import { migrate } from "../stores/archive/migrate.js";
import { createArchiveStores } from "../stores/archive/stores.js";
import { oneAtATime } from "./once.js";
import { RUN_FOLDER } from "./run.setup.js";

/** Tables that every archive has, or those of this house's surveys as well. */
type Tables = "common" | "surveys";

/** The migration that gives an archive its secrets: each has its own. */
const KEYS = "0005-keys";

/** Fills a folder that is not there yet. Outside of a run of tests it does nothing. */
export async function layArchive(dataDir: string, tables: Tables): Promise<void> {
  const run = process.env[RUN_FOLDER];
  if (run === undefined || existsSync(dataDir)) return;
  const made = join(run, tables);
  if (!existsSync(made)) {
    await oneAtATime(`${made}.lock`, async () => {
      if (existsSync(made)) return;
      await make(`${made}.half`, tables);
      await rename(`${made}.half`, made);
    });
  }
  await mkdir(dirname(dataDir), { recursive: true });
  // Five hundred files: a tenth of the time that Node takes.
  await promisify(execFile)("cp", ["-R", made, dataDir]);
}

async function make(dataDir: string, tables: Tables): Promise<void> {
  const engine = await startEmbeddedArchive({ dataDir });
  const { url, user, password } = engine;
  const client = connectArchive({ url, user, password, database: "tocsin" });
  try {
    if (tables === "common") await migrate(client);
    else
      await createArchiveStores(
        client,
        SURVEYS.map(({ description }) => description),
      );
    await forgetKeys(client);
  } finally {
    await client.close();
    await engine.stop();
  }
}

/** The next start makes new ones. */
async function forgetKeys(client: ArchiveClient): Promise<void> {
  const names = strings(await client.query("SELECT name FROM migrations ORDER BY name"), "name");
  const kept = names.filter((name) => name !== KEYS);
  if (kept.length !== names.length - 1) throw new Error(`There is no migration ${KEYS}.`);
  await client.command("TRUNCATE TABLE keys SYNC");
  await client.command("TRUNCATE TABLE migrations SYNC");
  await client.insert("migrations", blockOf(kept.length, { name: texts(kept) }));
}
