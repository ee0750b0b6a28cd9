// A command that works on the archive itself, since no service has its DATA_DIR open. Called by cli/catalogs.ask.ts and
// cli/lightcurves.ask.ts; how claims are shared also by cli/stores.ts.
import { hostname } from "node:os";
import type { Logger } from "pino";
import { CLAIM_SECONDS, type Claims, createClaims } from "../ingest/claims.js";
import type { ArchiveClient } from "../stores/archive/client.js";
import { migrate } from "../stores/archive/migrate.js";
import type { Graph } from "../stores/graph/graph.js";
import { createLease } from "../stores/graph/lease.js";
import { refuseControl } from "./control.js";
import { lockDataDir } from "./datadir.js";
import { isShared, openArchive, openGraph } from "./engines.js";
import type { Settings } from "./settings.js";

/** Name of this process for people. */
export const holder = (): string => `${hostname()} ${process.pid}`;

/**
 * Only the archive is opened, and the graph where claims need it: where several processes share both. Elsewhere DATA_DIR is
 * locked, and other commands on it are told by whom.
 */
export async function withArchive<T>(
  settings: Settings,
  log: Logger,
  work: (client: ArchiveClient, claims: Claims) => Promise<T>,
): Promise<T> {
  if (isShared(settings)) {
    const graph = await openGraph(settings);
    try {
      return await withMigrated(settings, log, work, sharedClaims(graph, graph.migrate.bind(graph)));
    } finally {
      await graph.close();
    }
  }
  const lock = await lockDataDir(settings.DATA_DIR);
  try {
    refuseControl(lock);
    return await withMigrated(settings, log, work, createClaims(null));
  } finally {
    await lock.release();
  }
}

async function withMigrated<T>(
  settings: Settings,
  log: Logger,
  work: (client: ArchiveClient, claims: Claims) => Promise<T>,
  claims: Claims,
): Promise<T> {
  const archive = await openArchive(settings, log);
  try {
    await migrate(archive.client);
    return await work(archive.client, claims);
  } finally {
    await archive.close();
  }
}

/** Among all processes on this graph. `ready`: before the first claim. */
export function sharedClaims(graph: Graph, ready: () => Promise<void> = async () => {}): Claims {
  return createClaims(async (name) => {
    await ready();
    return createLease(graph, name, { holder: holder(), seconds: CLAIM_SECONDS });
  });
}
