// Which engine stands behind the archive, the packets and the graph: embedded ones by default, servers by settings.
// Called by cli/stores.ts, cli/alone.ts and cli/backup.ts.
import { join } from "node:path";
import type { Logger } from "pino";
import type { ArchiveClient } from "../stores/archive/client.js";
import { type DividedArchive, dividedArchive } from "../stores/archive/divided.js";
import { startEmbeddedArchive } from "../stores/archive/engine/embedded.js";
import { connectArchive } from "../stores/archive/http.js";
import { openArchivePackets } from "../stores/archive/packets.js";
import { openArchiveServers } from "../stores/archive/servers.js";
import { applyStorage } from "../stores/archive/storage.js";
import { openGrafeo } from "../stores/graph/grafeo.js";
import type { Graph } from "../stores/graph/graph.js";
import { dropOldSegments } from "../stores/packets/retention.js";
import { openPacketStore } from "../stores/packets/segments.js";
import type { PacketStore } from "../stores/packets.store.js";
import type { Settings } from "./settings.js";

const DAY_MS = 86_400_000;

/** Whether the engines are servers that several processes may use at the same time. */
export const isShared = ({ CLICKHOUSE_URL, NEO4J_URL }: Settings): boolean =>
  CLICKHOUSE_URL.length > 0 && NEO4J_URL !== undefined;

export interface OpenArchive {
  readonly client: DividedArchive;
  close(): Promise<void>;
}

/** What is read to answer queries has its own connections, and waits for ingest and live hits. */
export async function openArchive(settings: Settings, log: Logger): Promise<OpenArchive> {
  const database = settings.CLICKHOUSE_DATABASE;
  const tell = (line: string): void => log.warn(line);
  if (settings.CLICKHOUSE_URL.length > 0) {
    const address = {
      urls: settings.CLICKHOUSE_URL,
      user: settings.CLICKHOUSE_USER,
      password: settings.CLICKHOUSE_PASSWORD,
      database,
      cluster: settings.CLICKHOUSE_CLUSTER ?? null,
      storagePolicy: settings.CLICKHOUSE_STORAGE_POLICY ?? null,
      log: tell,
    };
    const client = await dividedArchive((share) => openArchiveServers({ ...address, ...share }));
    return { client, close: () => client.close() };
  }
  const engine = await startEmbeddedArchive({ dataDir: join(settings.DATA_DIR, "archive"), log: tell });
  const { url, user, password } = engine;
  const client = await dividedArchive((share) => connectArchive({ url, user, password, database, ...share }));
  return {
    client,
    async close() {
      await client.close();
      await engine.stop();
    },
  };
}

/**
 * Whole packets: in segment files below DATA_DIR beside the embedded archive, in the archive where others share it. The
 * archive must have been migrated.
 */
export async function openPackets(settings: Settings, archive: ArchiveClient): Promise<PacketStore> {
  const { PACKETS_COLD_DAYS: coldDays = null, PACKETS_KEEP_DAYS: keepDays = null } = settings;
  if (settings.CLICKHOUSE_URL.length > 0) {
    await applyStorage(archive, { coldDays, keepDays });
    return openArchivePackets(archive, { coldDays, keepDays });
  }
  const dir = join(settings.DATA_DIR, "packets");
  const store = await openPacketStore({ dir });
  if (keepDays === null) return store;
  await dropOldSegments(dir, keepDays);
  const daily = setInterval(() => dropOldSegments(dir, keepDays).catch(() => {}), DAY_MS).unref();
  return {
    append: (packets) => store.append(packets),
    read: (location) => store.read(location),
    close() {
      clearInterval(daily);
      return store.close();
    },
  };
}

/** Neo4j's driver is loaded only where there is one: that takes a tenth of a start. */
export async function openGraph(settings: Settings): Promise<Graph> {
  if (settings.NEO4J_URL === undefined) return openGrafeo(join(settings.DATA_DIR, "graph.grafeo"));
  const { NEO4J_URL: url, NEO4J_USER: user, NEO4J_PASSWORD: password } = settings;
  const { openNeo4j } = await import("../stores/graph/neo4j.js");
  return openNeo4j({ url, user, password });
}
