// The folder of one run's servers: made before the first test, its servers ended and its data removed after the last.
// Loaded by vitest.servers.config.ts.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { killIn } from "../cli/servers/background.js";
import { type Identity, identify, isAlive } from "../cli/servers/identity.js";

declare module "vitest" {
  interface ProvidedContext {
    serversFolder: string;
  }
}

const PREFIX = "tocsin-servers-";

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  await removeAbandoned();
  const folder = mkdtempSync(join(tmpdir(), PREFIX));
  writeFileSync(join(folder, "owner.json"), JSON.stringify(identify(process.pid)));
  project.provide("serversFolder", folder);
  return () => remove(folder);
}

/** SIGKILL to every server below the folder: nobody needs its data any more. */
async function remove(folder: string): Promise<void> {
  await Promise.all(serversBelow(folder).map((server) => killIn(server)));
  rmSync(folder, { recursive: true, force: true });
}

/** Folders of servers. What lies in one is its data, which changes under the eyes of whoever reads it. */
function serversBelow(folder: string): string[] {
  const entries = readdirSync(folder, { withFileTypes: true });
  if (entries.some(({ name }) => name === "state.json")) return [folder];
  return entries.filter((entry) => entry.isDirectory()).flatMap(({ name }) => serversBelow(join(folder, name)));
}

/** Left by runs that were killed. */
async function removeAbandoned(): Promise<void> {
  for (const name of readdirSync(tmpdir()).filter((entry) => entry.startsWith(PREFIX))) {
    const folder = join(tmpdir(), name);
    const owner = ownerOf(folder);
    if (owner !== null && !isAlive(owner)) await remove(folder);
  }
}

function ownerOf(folder: string): Identity | null {
  try {
    return JSON.parse(readFileSync(join(folder, "owner.json"), "utf8")) as Identity;
  } catch {
    return null;
  }
}
