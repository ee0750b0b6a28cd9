// Which engine stands behind the archive and the graph: embedded ones by default, servers by settings.
// Called by cli/service.ts.
import { join } from "node:path";
import type { Logger } from "pino";
import { type ArchiveClient } from "../stores/archive/client.js";
import { startEmbeddedArchive } from "../stores/archive/engine/embedded.js";
import { connectArchive } from "../stores/archive/http.js";
import { openGrafeo } from "../stores/graph/grafeo.js";
import type { Graph } from "../stores/graph/graph.js";
import { openNeo4j } from "../stores/graph/neo4j.js";
import { openPacketStore } from "../stores/packets/segments.js";
import type { PacketStore } from "../stores/packets.store.js";
import type { Settings } from "./settings.js";

const DATABASE = "tocsin";

/** Whether the engines are servers that several processes may use at the same time. */
export const isShared = ({ CLICKHOUSE_URL, NEO4J_URL }: Settings): boolean =>
  CLICKHOUSE_URL !== undefined && NEO4J_URL !== undefined;

export interface OpenArchive {
  readonly client: ArchiveClient;
  close(): Promise<void>;
}

export async function openArchive(settings: Settings, log: Logger): Promise<OpenArchive> {
  if (settings.CLICKHOUSE_URL !== undefined) {
    const { CLICKHOUSE_URL: url, CLICKHOUSE_USER: user, CLICKHOUSE_PASSWORD: password } = settings;
    const client = connectArchive({ url, user, password, database: DATABASE });
    return { client, close: () => client.close() };
  }
  const engine = await startEmbeddedArchive({
    dataDir: join(settings.DATA_DIR, "archive"),
    log: (line) => log.warn(line),
  });
  const { url, user, password } = engine;
  const client = connectArchive({ url, user, password, database: DATABASE });
  return {
    client,
    async close() {
      await client.close();
      await engine.stop();
    },
  };
}

export function openGraph(settings: Settings): Graph {
  if (settings.NEO4J_URL === undefined) return openGrafeo(join(settings.DATA_DIR, "graph.grafeo"));
  const { NEO4J_URL: url, NEO4J_USER: user, NEO4J_PASSWORD: password } = settings;
  return openNeo4j({ url, user, password });
}

/** Whole packets: in segment files below DATA_DIR. */
export function openPackets(settings: Settings, _archive: ArchiveClient): Promise<PacketStore> {
  return openPacketStore({ dir: join(settings.DATA_DIR, "packets") });
}
