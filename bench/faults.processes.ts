// Our own processes under the benchmark of faults: killed, frozen and started again on the same port, with all they say.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { until } from "../test/until.js";

const compiled = import.meta.url.endsWith(".js");
const MAIN = fileURLToPath(new URL(compiled ? "../cli/main.js" : "../dist/cli/main.js", import.meta.url));
const START_MS = 120_000;
const STOP_MS = 60_000;

/** Something is away, and it is back. */
export const LOST = /\(tried again\)| is away: /;
export const BACK = /It goes on\.| is back after /;

/** None of ours outlives the benchmark, however it ends. */
const living = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of living) child.kill("SIGKILL");
});

export class OurProcess {
  /** All lines of all its lives. */
  readonly lines: string[] = [];
  /** Ends that nobody asked for. */
  readonly crashes: string[] = [];
  #child: ChildProcess | null = null;
  #isEnding = false;
  /** Index of the first line of its present life. */
  #began = 0;

  constructor(
    readonly name: string,
    readonly environment: Readonly<Record<string, string>>,
    /** File to which its lines are added. */
    readonly log: string | null = null,
  ) {}

  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  /** Outages that its present life has told of and not told the end of. */
  get openOutages(): number {
    const life = this.lines.slice(this.#began);
    const told = (what: RegExp) => life.filter((line) => what.test(line)).length;
    return told(LOST) - told(BACK);
  }

  /** Resolves when it says that it is at work. Starts it once more where it ends before: as a supervisor would. */
  async start(): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      const from = this.lines.length;
      this.#launch();
      const child = this.#child;
      const isReady = () => this.lines.slice(from).some((line) => /Tocsin (answers at|ingests)/.test(line));
      await until(`${this.name} to start`, () => isReady() || this.#child !== child, START_MS);
      if (isReady()) return;
      if (tries === 3) throw new Error(`${this.name} does not start: ${this.lines.slice(from).join("\n")}`);
    }
  }

  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  /** In good order. */
  async stop(): Promise<void> {
    await this.#end("SIGTERM");
  }

  freeze(): void {
    this.#child?.kill("SIGSTOP");
  }

  thaw(): void {
    this.#child?.kill("SIGCONT");
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === null) return;
    this.#isEnding = true;
    child.kill(signal);
    await until(`${this.name} to end`, () => this.#child === null, STOP_MS);
  }

  #launch(): void {
    const { PATH, HOME, TMPDIR } = process.env;
    this.#isEnding = false;
    this.#began = this.lines.length;
    const child = spawn(process.execPath, [MAIN, "serve"], {
      env: { PATH, HOME, ...(TMPDIR !== undefined && { TMPDIR }), ...this.environment },
      stdio: ["ignore", "ignore", "pipe"],
    });
    this.#child = child;
    living.add(child);
    createInterface({ input: child.stderr }).on("line", (line) => {
      this.lines.push(line);
      if (this.log !== null) appendFileSync(this.log, `${this.name} ${line}\n`);
    });
    void once(child, "close").then(([code, signal]) => {
      living.delete(child);
      this.#child = null;
      if (!this.#isEnding) this.crashes.push(`${this.name} ended by itself: code ${code}, signal ${signal}`);
    });
  }
}
