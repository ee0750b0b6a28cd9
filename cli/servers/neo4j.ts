// A real Neo4j Community server that speaks Bolt alone. Called by commands.ts, tests and bench/.
import { execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { closeSync, existsSync, openSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import neo4j from "neo4j-driver";
import { type Running, remembered, type ServerOptions, startInBackground } from "./background.js";
import { classPath, type JavaProgram, javaTool } from "./java.js";
import { freePorts, knock } from "./ports.js";

const run = promisify(execFile);

/** The storage engine and the main class are in the second one. */
export const NEO4J: JavaProgram = {
  name: "neo4j",
  version: "5.26.30",
  artifacts: ["org.neo4j.app:neo4j-server:5.26.30", "org.neo4j:neo4j:5.26.30"],
};

const USER = "neo4j";

/** What Neo4j's own launcher opens of the JDK. */
const OPENED = ["java.nio", "java.io", "sun.nio.ch", "java.util.concurrent"];
const JVM = [
  "-Xms256m",
  "-Xmx512m",
  "-XX:+UseSerialGC",
  "-XX:TieredStopAtLevel=1",
  ...OPENED.map((name) => `--add-opens=java.base/${name}=ALL-UNNAMED`),
];

const CONFIG: Readonly<Record<string, string | number | boolean>> = {
  "server.default_listen_address": "127.0.0.1",
  "server.http.enabled": false,
  "server.https.enabled": false,
  "server.memory.pagecache.size": "128m",
  "dbms.usage_report.enabled": false,
  // Half a gigabyte of empty logs otherwise.
  "db.tx_log.preallocate": false,
  // An orderly end takes 10 s otherwise, all of it spent waiting for clients that say nothing.
  "internal.dbms.bolt.netty_server_shutdown_quiet_period": 0,
};

/**
 * Start a server in this folder, or find it running, and wait until it answers a query.
 * @throws TocsinError TOOL_MISSING, DOWNLOAD_FAILED, ENGINE_UNAVAILABLE.
 */
export async function startNeo4j({ folder, tell = () => {} }: ServerOptions): Promise<Running> {
  const path = await classPath(NEO4J, tell);
  const memory = remembered(folder) ?? {
    port: (await freePorts(1))[0]!,
    password: randomBytes(24).toString("hex"),
  };
  const settings = {
    NEO4J_URL: `bolt://127.0.0.1:${memory.port}`,
    NEO4J_USER: USER,
    NEO4J_PASSWORD: String(memory.password),
  };
  const home = join(folder, "home");
  const conf = join(home, "conf");
  return startInBackground({
    name: "neo4j",
    folder,
    memory,
    settings,
    async launch(log) {
      tell("Starting Neo4j");
      await mkdir(conf, { recursive: true });
      const config = { ...CONFIG, "server.bolt.listen_address": `127.0.0.1:${memory.port}` };
      const lines = Object.entries(config).map(([name, value]) => `${name}=${value}\n`);
      await writeFile(join(conf, "neo4j.conf"), lines.join(""));
      if (!existsSync(join(home, "data/dbms/auth.ini"))) await setPassword(path, home, settings.NEO4J_PASSWORD);
      const output = openSync(log, "a", 0o600);
      const place = [`--home-dir=${home}`, `--config-dir=${conf}`, "--console-mode"];
      try {
        return spawn(javaTool("java"), [...JVM, "-cp", path, "org.neo4j.server.CommunityEntryPoint", ...place], {
          cwd: folder,
          detached: true,
          stdio: ["ignore", output, output],
        });
      } finally {
        closeSync(output);
      }
    },
    async answers() {
      await knock(Number(memory.port));
      await query(settings);
    },
  });
}

/** Before the first start: the server never has a password that others know. */
async function setPassword(path: string, home: string, password: string): Promise<void> {
  const command = ["org.neo4j.server.startup.Neo4jAdminCommand", "dbms", "set-initial-password", password];
  await run(javaTool("java"), [...JVM, "-cp", path, ...command], {
    env: { ...process.env, NEO4J_HOME: home, NEO4J_CONF: join(home, "conf") },
  });
}

async function query({ NEO4J_URL, NEO4J_USER, NEO4J_PASSWORD }: Record<string, string>): Promise<void> {
  const driver = neo4j.driver(NEO4J_URL!, neo4j.auth.basic(NEO4J_USER!, NEO4J_PASSWORD!), {
    connectionTimeout: 2_000,
    maxTransactionRetryTime: 0,
  });
  try {
    await driver.executeQuery("RETURN 1", {}, { database: "neo4j" });
  } finally {
    await driver.close();
  }
}
