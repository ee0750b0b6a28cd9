// A server that outlives who started it: its process, and a state file by which the next command finds it again.
// Called by kafka.ts, neo4j.ts and clickhouse.ts.
import type { ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { TocsinError } from "../../domain/errors.js";
import { type Identity, identify, isAlive, isGone, signal } from "./identity.js";

/** A server that was started. Its data and its ports stay the same through all of these. */
export interface Running {
  readonly name: string;
  /** What a client needs: KAFKA_BROKERS and the like. */
  readonly settings: Readonly<Record<string, string>>;
  /** Ids of its living processes. */
  readonly pids: readonly number[];
  /** End it cleanly (SIGTERM, later SIGKILL), and wait until it is gone. */
  stop(): Promise<void>;
  /** SIGKILL, and wait until it is gone. */
  kill(): Promise<void>;
  /** SIGSTOP: it holds its connections and does not answer. */
  freeze(): void;
  /** SIGCONT. */
  thaw(): void;
  /** Start it again, after stop() if it runs, and wait until it answers. */
  restart(): Promise<void>;
}

/** Ports and passwords that a server keeps. */
export type Memory = Readonly<Record<string, string | number>>;

export interface Plan {
  readonly name: string;
  /** Holds the state file, the log and everything else of this server. */
  readonly folder: string;
  readonly memory: Memory;
  readonly settings: Readonly<Record<string, string>>;
  /** Write what it reads, and start it; its output goes to `log`. */
  launch(log: string): Promise<ChildProcess>;
  /** Throws until the server does real work. */
  answers(): Promise<void>;
}

export interface ServerOptions {
  /** Folder of this server alone; made if it is missing. */
  readonly folder: string;
  /** Takes a line for each thing that takes long. */
  readonly tell?: (line: string) => void;
}

interface State {
  readonly process: Identity | null;
  readonly memory: Memory;
}

const START_TIMEOUT_MS = 240_000;
const TERM_PATIENCE_MS = 30_000;
const KILL_PATIENCE_MS = 30_000;
const RETRY_MS = 25;

const stateFile = (folder: string): string => join(folder, "state.json");

function readState(folder: string): State | null {
  try {
    return JSON.parse(readFileSync(stateFile(folder), "utf8")) as State;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw new TocsinError("DATA_DAMAGED", `${stateFile(folder)} cannot be read.`, { cause: error });
  }
}

/** What the server in this folder was given at its first start. */
export const remembered = (folder: string): Memory | null => readState(folder)?.memory ?? null;

/** The living process of the server in this folder. */
export function processIn(folder: string): Identity | null {
  const found = readState(folder)?.process ?? null;
  return found !== null && isAlive(found) ? found : null;
}

/** Mode 600, since passwords stand in it; whole or not at all. */
async function writeState(folder: string, state: State): Promise<void> {
  const draft = `${stateFile(folder)}.new`;
  await writeFile(draft, `${JSON.stringify(state)}\n`, { mode: 0o600 });
  await rename(draft, stateFile(folder));
}

/** Start the planned server, or find it running, and wait until it answers. */
export async function startInBackground(plan: Plan): Promise<Running> {
  const server = new BackgroundServer(plan);
  await server.start();
  return server;
}

/** End the server of this folder, whoever started it. */
export async function stopIn(folder: string): Promise<void> {
  const found = processIn(folder);
  if (found === null) return;
  signal(found, "SIGTERM");
  // One that was frozen would hear of it only when it is thawed.
  signal(found, "SIGCONT");
  if (!(await isGone(found, TERM_PATIENCE_MS))) await killIn(folder);
}

export async function killIn(folder: string): Promise<void> {
  const found = processIn(folder);
  if (found === null) return;
  signal(found, "SIGKILL");
  if (await isGone(found, KILL_PATIENCE_MS)) return;
  throw new TocsinError("ENGINE_UNAVAILABLE", `Process ${found.pid} of ${folder} does not end.`, {
    remedy: "Its disk may hang; look at it with ps.",
  });
}

class BackgroundServer implements Running {
  readonly #plan: Plan;

  constructor(plan: Plan) {
    this.#plan = plan;
  }

  get name(): string {
    return this.#plan.name;
  }

  get settings(): Readonly<Record<string, string>> {
    return this.#plan.settings;
  }

  get pids(): readonly number[] {
    const found = processIn(this.#plan.folder);
    return found === null ? [] : [found.pid];
  }

  async start(): Promise<void> {
    const { folder, memory, launch } = this.#plan;
    const log = join(folder, "server.log");
    const isNew = this.pids.length === 0;
    if (isNew) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await writeState(folder, { process: null, memory });
      await writeFile(log, "", { mode: 0o600 });
      const child = await launch(log);
      // Without an "error" listener a failed spawn would be an uncaught exception; its missing pid tells it as well.
      child.on("error", () => {});
      child.unref();
      await writeState(folder, { process: child.pid === undefined ? null : identify(child.pid), memory });
    }
    try {
      await this.#answers(log);
    } catch (error) {
      // One that others may use is left as it is.
      if (isNew) await this.kill();
      throw error;
    }
  }

  stop(): Promise<void> {
    return stopIn(this.#plan.folder);
  }

  kill(): Promise<void> {
    return killIn(this.#plan.folder);
  }

  freeze(): void {
    this.#signal("SIGSTOP");
  }

  thaw(): void {
    this.#signal("SIGCONT");
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  #signal(name: NodeJS.Signals): void {
    const found = processIn(this.#plan.folder);
    if (found !== null) signal(found, name);
  }

  async #answers(log: string): Promise<void> {
    const deadline = Date.now() + START_TIMEOUT_MS;
    for (;;) {
      try {
        return await this.#plan.answers();
      } catch (cause) {
        const ended = this.pids.length === 0;
        if (!ended && Date.now() < deadline) {
          await delay(RETRY_MS);
          continue;
        }
        const end = (await readFile(log, "utf8").catch(() => "")).slice(-2_000).trim();
        const what = ended ? "ended before it answered" : `did not answer within ${START_TIMEOUT_MS / 1_000} s`;
        throw new TocsinError("ENGINE_UNAVAILABLE", `${this.name} ${what}.\n${end}\n`, {
          remedy: `Read ${log}.`,
          cause,
        });
      }
    }
  }
}
