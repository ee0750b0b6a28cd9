// A real ClickHouse server out of the embedded engine's library, which outlives who started it. Called by cluster.ts,
// commands.ts, tests and bench/.
import { randomBytes } from "node:crypto";
import { closeSync, openSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { spawnEngine } from "../../stores/archive/engine/child.js";
import { writeConfig } from "../../stores/archive/engine/config.js";
import { engineLibrary } from "../../stores/archive/engine/library.js";
import { type Memory, type Running, remembered, type ServerOptions, startInBackground } from "./background.js";
import { freePorts } from "./ports.js";

export const CLICKHOUSE_USER = "tocsin";

/** A server that is told everything. */
export interface ClickHousePlan extends Required<ServerOptions> {
  readonly name: string;
  readonly port: number;
  readonly password: string;
  /** Kept in the state file. */
  readonly memory: Memory;
  /** Of the native protocol, over which servers talk to each other. */
  readonly tcpPort?: number;
  /** Further elements of its configuration, as XML. */
  readonly elements?: string;
}

export const newPassword = (): string => randomBytes(24).toString("hex");

/** What clients need for these servers. */
export const clickHouseSettings = (ports: readonly number[], password: string): Record<string, string> => ({
  CLICKHOUSE_URL: ports.map((port) => `http://127.0.0.1:${port}`).join(),
  CLICKHOUSE_USER,
  CLICKHOUSE_PASSWORD: password,
});

/**
 * Start a server in this folder, or find it running, and wait until it answers a query.
 * @throws TocsinError ENGINE_UNSUPPORTED, ENGINE_UNAVAILABLE.
 */
export async function startClickHouse({ folder, tell = () => {} }: ServerOptions): Promise<Running> {
  const memory = remembered(folder) ?? { port: (await freePorts(1))[0]!, password: newPassword() };
  return launchClickHouse({
    name: "clickhouse",
    folder,
    tell,
    memory,
    port: Number(memory.port),
    password: String(memory.password),
  });
}

export function launchClickHouse(plan: ClickHousePlan): Promise<Running> {
  const { name, folder, tell, memory, port, password, tcpPort, elements = "" } = plan;
  const library = engineLibrary();
  const settings = clickHouseSettings([port], password);
  return startInBackground({
    name,
    folder,
    memory,
    settings,
    async launch(log) {
      tell(`Starting ClickHouse (${name})`);
      await mkdir(join(folder, "store"), { recursive: true });
      const files = await writeConfig(folder, {
        user: CLICKHOUSE_USER,
        password,
        port,
        elements: storage(folder) + (tcpPort === undefined ? "" : `<tcp_port>${tcpPort}</tcp_port>`) + elements,
        grants: "ALL",
      });
      const terminal = openSync("/dev/ptmx", "r+");
      try {
        return spawnEngine({
          library,
          files,
          path: join(folder, "store"),
          log,
          terminal,
          tcp: tcpPort !== undefined,
          outlives: true,
        });
      } finally {
        closeSync(terminal);
      }
    },
    answers: () => query(settings),
  });
}

/**
 * A policy `tocsin` with a hot and a cold volume, between which parts move by TTL alone (both are on one disk here),
 * and the folder `backups`, the only one to which BACKUP may write.
 */
function storage(folder: string): string {
  const volume = (name: string, disk: string): string => `<${name}><disk>${disk}</disk></${name}>`;
  const disks = `<disks><cold><type>local</type><path>${join(folder, "cold")}/</path></cold></disks>`;
  const volumes = `<volumes>${volume("hot", "default")}${volume("cold", "cold")}</volumes>`;
  const policy = `<policies><tocsin>${volumes}<move_factor>0</move_factor></tocsin></policies>`;
  const backups = `<backups><allowed_path>${join(folder, "backups")}/</allowed_path></backups>`;
  return `<storage_configuration>${disks}${policy}</storage_configuration>${backups}`;
}

async function query({ CLICKHOUSE_URL, CLICKHOUSE_USER: user, CLICKHOUSE_PASSWORD }: Record<string, string>) {
  const headers = { "X-ClickHouse-User": user!, "X-ClickHouse-Key": CLICKHOUSE_PASSWORD! };
  const answer = await fetch(`${CLICKHOUSE_URL}/?query=SELECT+1`, { headers, signal: AbortSignal.timeout(5_000) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(text);
}
