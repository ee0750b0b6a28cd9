// The archive without a server of its own: ClickHouse as a child process, restarted when it dies. Called by cli/.
import type { ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { TocsinError } from "../../../domain/errors.js";
import { spawnEngine } from "./child.js";
import { backupAccess, writeConfig } from "./config.js";
import { folderFault, startFault, trimLog } from "./faults.js";
import { engineLibrary } from "./library.js";

const USER = "tocsin";
const START_TIMEOUT_MS = 60_000;
/** How long a predecessor that is just dying may hold the data directory. */
const LOCK_PATIENCE_MS = 2_000;
const TRIM_LOG_MS = 60_000;
const SHORTEST_BACKOFF_MS = 100;
const LONGEST_BACKOFF_MS = 30_000;

export interface EmbeddedOptions {
  /** Folder of the archive alone; made if it is missing. Holds store/, engine.log and a run folder. */
  readonly dataDir: string;
  /** Takes one line for each thing worth telling: a death, a restart, a missing terminal. */
  readonly log?: (line: string) => void;
  /** Let it write backups to its folder backups/, and read them. Default: it may not. */
  readonly backups?: boolean;
  /** Tests name a missing one to exercise the fallback. */
  readonly terminalPath?: string;
}

export interface EmbeddedArchive {
  /** The same for as long as this lives: a restarted child gets the same port, user and password. */
  readonly url: string;
  readonly user: string;
  readonly password: string;
  /** Process id of the running child; null while there is none. */
  pid(): number | null;
  /** End the child. Everything acknowledged is kept. */
  stop(): Promise<void>;
}

/**
 * Start the server and wait until it answers.
 * @throws TocsinError ENGINE_UNSUPPORTED, DATA_DIR_IN_USE, DISK_FULL, BAD_SETTING (dataDir cannot be written), or
 * ENGINE_UNAVAILABLE with the log's end as cause.
 */
export async function startEmbeddedArchive(options: EmbeddedOptions): Promise<EmbeddedArchive> {
  const engine = new Engine(engineLibrary(), options);
  await engine.start();
  return engine;
}

class Engine implements EmbeddedArchive {
  readonly user = USER;
  readonly password = randomBytes(24).toString("hex");
  readonly #library: string;
  readonly #dataDir: string;
  readonly #logFile: string;
  readonly #tell: (line: string) => void;
  readonly #terminalPath: string;
  readonly #backups: boolean;
  readonly #stopping = new AbortController();
  #runDir = "";
  #port = 0;
  #child: ChildProcess | null = null;
  #keeping: Promise<void> = Promise.resolve();
  #trimming: NodeJS.Timeout | undefined;

  constructor(library: string, { dataDir, log, terminalPath, backups }: EmbeddedOptions) {
    this.#library = library;
    this.#dataDir = dataDir;
    this.#logFile = join(dataDir, "engine.log");
    this.#tell = log ?? (() => {});
    this.#terminalPath = terminalPath ?? "/dev/ptmx";
    this.#backups = backups ?? false;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  pid(): number | null {
    return this.#child?.pid ?? null;
  }

  async start(): Promise<void> {
    try {
      await mkdir(join(this.#dataDir, "store"), { recursive: true, mode: 0o700 });
      this.#runDir = await mkdtemp(join(this.#dataDir, "run-"));
      const child = await this.#launchPatiently();
      await this.#removeOldRunFolders();
      this.#keeping = this.#keep(child);
      this.#trimming = setInterval(() => void trimLog(this.#logFile).catch(() => {}), TRIM_LOG_MS).unref();
    } catch (error) {
      if (this.#runDir !== "") await rm(this.#runDir, { recursive: true, force: true });
      throw folderFault(error, this.#dataDir);
    }
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    clearInterval(this.#trimming);
    this.#child?.kill("SIGKILL");
    await this.#keeping;
    await rm(this.#runDir, { recursive: true, force: true });
  }

  /** Wait for the child's death and replace it, until stop(). */
  async #keep(first: ChildProcess): Promise<void> {
    let child: ChildProcess | null = first;
    let backoff = SHORTEST_BACKOFF_MS;
    while (!this.#stopping.signal.aborted) {
      if (child !== null) {
        const born = Date.now();
        const end = await ended(child);
        if (this.#stopping.signal.aborted) break;
        this.#tell(`The embedded archive ended (${end}); it is being restarted.`);
        if (Date.now() - born > LONGEST_BACKOFF_MS) backoff = SHORTEST_BACKOFF_MS;
      }
      await delay(backoff, undefined, { signal: this.#stopping.signal }).catch(() => {});
      backoff = Math.min(backoff * 2, LONGEST_BACKOFF_MS);
      if (this.#stopping.signal.aborted) break;
      child = await this.#launch().catch((error: unknown) => {
        if (!this.#stopping.signal.aborted) this.#tell(`The embedded archive did not restart: ${String(error)}`);
        return null;
      });
    }
    child?.kill("SIGKILL");
    if (child !== null) await ended(child);
  }

  /** A service that follows one killed a moment ago must not be told that the directory is in use. */
  async #launchPatiently(): Promise<ChildProcess> {
    const patience = Date.now() + LOCK_PATIENCE_MS;
    for (;;) {
      try {
        return await this.#launch();
      } catch (error) {
        const locked = error instanceof TocsinError && error.code === "DATA_DIR_IN_USE";
        if (!locked || Date.now() > patience) throw error;
        await delay(SHORTEST_BACKOFF_MS);
      }
    }
  }

  /** Start one child and resolve when it answers; a child that does not is gone when this rejects. */
  async #launch(): Promise<ChildProcess> {
    const files = await writeConfig(this.#runDir, {
      user: this.user,
      password: this.password,
      port: this.#port,
      ...(this.#backups ? backupAccess(join(this.#dataDir, "backups")) : {}),
    });
    await rm(files.port, { force: true });
    const logStart = await trimLog(this.#logFile);
    const terminal = this.#openTerminal();
    const child = spawnEngine({
      library: this.#library,
      files,
      path: join(this.#dataDir, "store"),
      log: this.#logFile,
      terminal,
    });
    if (terminal !== null) closeSync(terminal);
    this.#child = child;
    const end = ended(child).finally(() => {
      if (this.#child === child) this.#child = null;
    });
    const failure = await Promise.race([this.#answers(files.port, child), end]);
    if (failure === null) return child;
    child.kill("SIGKILL");
    await end;
    throw await startFault(`did not start (${failure})`, this.#dataDir, this.#logFile, logStart);
  }

  #openTerminal(): number | null {
    try {
      return openSync(this.#terminalPath, "r+");
    } catch {
      this.#tell(`There is no ${this.#terminalPath}: requests that are cut off may restart the embedded archive.`);
      return null;
    }
  }

  /** Null as soon as the child answers an authenticated query; the reason if it never does. */
  async #answers(portFile: string, child: ChildProcess): Promise<string | null> {
    const deadline = Date.now() + START_TIMEOUT_MS;
    const headers = { "X-ClickHouse-User": this.user, "X-ClickHouse-Key": this.password };
    while (Date.now() < deadline && child.exitCode === null && child.signalCode === null) {
      const port = /^(\d+)\n$/.exec(await readFile(portFile, "utf8").catch(() => ""))?.[1];
      if (port !== undefined) {
        this.#port = Number(port);
        const answer = await fetch(`${this.url}/?query=SELECT+1`, { headers }).catch(() => null);
        if (answer?.ok) return null;
      }
      await delay(10);
    }
    return `no answer within ${START_TIMEOUT_MS / 1000} s`;
  }

  /** Left by services that were killed. Only the holder of the lock may do this. */
  async #removeOldRunFolders(): Promise<void> {
    for (const entry of await readdir(this.#dataDir)) {
      const folder = join(this.#dataDir, entry);
      if (entry.startsWith("run-") && folder !== this.#runDir) await rm(folder, { recursive: true, force: true });
    }
  }
}

/** How a child ended, or will end. */
async function ended(child: ChildProcess): Promise<string> {
  if (child.exitCode === null && child.signalCode === null) {
    // Without an "error" listener a failed spawn would be an uncaught exception.
    const end = await Promise.race([once(child, "exit"), once(child, "error")]).catch((error: unknown) => [error]);
    if (end[0] instanceof Error) return end[0].message;
  }
  return child.signalCode ?? `exit code ${child.exitCode}`;
}
