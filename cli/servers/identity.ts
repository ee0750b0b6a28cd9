// Which process a remembered id means: an id alone may have gone to somebody else. Called by background.ts.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

export interface Identity {
  readonly pid: number;
  /** When it was started, in whatever way the system tells it; the same for as long as it lives. */
  readonly started: string;
}

const GLANCE_MS = 10;

/** The living process with this id; null where there is none. A zombie is dead: it only waits to be counted. */
export function identify(pid: number): Identity | null {
  try {
    const [state, started] = process.platform === "linux" ? fromProc(pid) : fromPs(pid);
    return /^[ZX]/.test(state) ? null : { pid, started };
  } catch {
    return null;
  }
}

/** State and start in clock ticks since boot: fields 3 and 22 of proc(5), counted after the name, which may hold anything. */
function fromProc(pid: number): [state: string, started: string] {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return [fields[0]!, fields[19]!];
}

function fromPs(pid: number): [state: string, started: string] {
  const line = execFileSync("ps", ["-o", "stat=,lstart=", "-p", String(pid)], { encoding: "utf8" }).trim();
  return [line, line.slice(line.indexOf(" ")).trim()];
}

export const isAlive = (who: Identity): boolean => identify(who.pid)?.started === who.started;

/** Send a signal to this process and to no other. False where it is dead. */
export function signal(who: Identity, name: NodeJS.Signals): boolean {
  if (!isAlive(who)) return false;
  try {
    return process.kill(who.pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
    throw error;
  }
}

/** True as soon as it is dead, false if it lives after `withinMs`. */
export async function isGone(who: Identity, withinMs: number): Promise<boolean> {
  const deadline = Date.now() + withinMs;
  while (isAlive(who)) {
    if (Date.now() > deadline) return false;
    await delay(GLANCE_MS);
  }
  return true;
}
