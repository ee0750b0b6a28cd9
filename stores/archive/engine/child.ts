// Starts the process in which the ClickHouse library runs as a server. Called by embedded.ts and cli/servers/.
import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { createRequire } from "node:module";
import type { EngineFiles } from "./config.js";

const require = createRequire(import.meta.url);

/**
 * The child's whole program, as text because compiled and uncompiled trees then start it alike. It ends with its
 * parent, however that ends, unless it shall outlive it: the channel between them closes even on SIGKILL. SIGKILL is also how it ends itself,
 * since an orderly exit hangs in the library's exit handlers; what was acknowledged is on disk by then.
 */
const PROGRAM = `
const [, ffi, library, ...options] = process.argv;
const end = () => process.kill(process.pid, "SIGKILL");
process.on("disconnect", end);
const { DataType, load, open } = require(ffi);
open({ library: "clickhouse", path: library });
const argv = ["clickhouse", ...options];
load({
  library: "clickhouse",
  funcName: "chdb_query_cmdline",
  retType: DataType.Void,
  paramsType: [DataType.I32, DataType.StringArray],
  paramsValue: [argv.length, argv],
  runInNewThread: true,
}).then(end, (error) => { console.error(error); end(); });
`;

const sqlString = (text: string): string => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;

/** Keeps the statement running for ever where there is no prompt to keep the server alive. */
const SLEEP_FOREVER =
  "SELECT sleepEachRow(1) FROM system.numbers SETTINGS max_block_size = 1, max_threads = 1, " +
  "function_sleep_max_microseconds_per_block = 0 FORMAT Null";

export interface ChildOptions {
  readonly library: string;
  readonly files: EngineFiles;
  /** ClickHouse's data directory. */
  readonly path: string;
  /** Takes what the server says on stderr. */
  readonly log: string;
  /**
   * A descriptor of a terminal for the prompt. With anything else as input, requests that are cut off can end the
   * server, so null is the fallback for systems without /dev/ptmx only.
   */
  readonly terminal: number | null;
  /** Speak the native protocol too, at the configured tcp_port. */
  readonly tcp?: boolean;
  /** Go on when the parent ends. */
  readonly outlives?: boolean;
}

/** Start the server's process. It is up when it has written files.port and answers there. */
export function spawnEngine(engine: ChildOptions): ChildProcess {
  const { library, files, path, log, terminal, tcp = false, outlives = false } = engine;
  const statements = [
    "SYSTEM START LISTEN HTTP",
    ...(tcp ? ["SYSTEM START LISTEN TCP"] : []),
    `SELECT getServerPort('http_port') INTO OUTFILE ${sqlString(files.port)} TRUNCATE FORMAT TSVRaw`,
    ...(terminal === null ? [SLEEP_FOREVER] : []),
  ];
  const options = [
    `--config-file=${files.config}`,
    `--path=${path}`,
    "--log-level=error",
    ...(terminal === null ? ["--multiquery"] : ["--interactive"]),
    `--query=${statements.join("; ")}`,
  ];
  const errors = openSync(log, "a", 0o600);
  const stdio: StdioOptions = [terminal ?? "ignore", "ignore", errors, ...(outlives ? [] : (["ipc"] as const))];
  try {
    // Detached: a Ctrl-C at the parent's terminal is the parent's business, and SYSTEM SHUTDOWN signals the group.
    return spawn(process.execPath, ["-e", PROGRAM, require.resolve("ffi-rs"), library, ...options], {
      detached: true,
      stdio,
      env: { PATH: process.env.PATH, HOME: path, TMPDIR: process.env.TMPDIR, TZ: "UTC" },
    });
  } finally {
    closeSync(errors);
  }
}
