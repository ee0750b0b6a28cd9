// The compiled commands as processes of their own, for tests that kill them; and what /proc tells of them (Linux).
// `npm run build` comes first.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { layArchive } from "./firststart.js";
import { until } from "./until.js";

const MAIN = resolve(import.meta.dirname, "../dist/cli/main.js");

export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface CommandProcess {
  readonly pid: number;
  readonly child: ChildProcess;
  /** Lines of stderr so far. */
  readonly errors: string[];
  /** Lines of stdout so far. */
  readonly output: string[];
  /** Resolves once the process is gone and all it said has been read. */
  readonly ended: Promise<Ending>;
  /** Null while it runs. */
  ending(): Ending | null;
  /** SIGKILL, and wait for its end. */
  kill(): Promise<void>;
}

/** Settings come from `environment` alone, not from the test's own environment. */
export function startCommand(args: readonly string[], environment: Record<string, string>): CommandProcess {
  if (!existsSync(MAIN)) throw new Error("There is no dist/cli/main.js; run `npm run build` first.");
  const { PATH, HOME, TMPDIR } = process.env;
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { PATH, HOME, ...(TMPDIR !== undefined && { TMPDIR }), ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [errors, output]: [string[], string[]] = [[], []];
  createInterface({ input: child.stderr }).on("line", (line) => errors.push(line));
  createInterface({ input: child.stdout }).on("line", (line) => output.push(line));
  let ending: Ending | null = null;
  const ended = once(child, "close").then(([code, signal]) => {
    ending = { code, signal };
    return ending;
  });
  return {
    pid: child.pid!,
    child,
    errors,
    output,
    ended,
    ending: () => ending,
    async kill() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

export interface ServiceProcess extends CommandProcess {
  readonly url: string;
  /** Process id of the embedded archive; null while there is none. */
  engine(): number | null;
}

/** `serve` on a free port; resolves when it answers. Throws with what it said if it ends before. */
export async function startServiceProcess(
  environment: Record<string, string> & { readonly DATA_DIR: string },
): Promise<ServiceProcess> {
  await layArchive(join(environment.DATA_DIR, "archive"), "surveys");
  const service = startCommand(["serve"], { PORT: "0", ...environment });
  let url: string | undefined;
  await until(
    "the service to answer",
    () => {
      url = service.errors.map((line) => /Tocsin answers at (\S+)\/graphql/.exec(line)?.[1]).find(Boolean);
      return url !== undefined || service.ending() !== null;
    },
    90_000,
  );
  if (url === undefined) throw new Error(`The service ended: ${service.errors.join("\n")}`);
  return { ...service, url, engine: () => childrenOf(service.pid)[0] ?? null };
}

/** The state letter and the parent of a living process; null where there is none. A zombie is dead. */
function statOf(pid: number): { parent: number } | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const [state, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return state === "Z" || state === "X" ? null : { parent: Number(parent) };
  } catch {
    return null;
  }
}

export const isAlive = (pid: number): boolean => statOf(pid) !== null;

const processes = (): number[] =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);

export const childrenOf = (pid: number): number[] => processes().filter((other) => statOf(other)?.parent === pid);

/** Living processes with this text among their arguments: whoever works on a folder names it. */
export function processesNaming(text: string): number[] {
  return processes().filter((pid) => {
    try {
      return isAlive(pid) && readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(text);
    } catch {
      return false;
    }
  });
}
