// What every benchmark shares: interleaved sides, wall time and CPU-seconds of all our processes, ratios, one table and
// one JSON file in bench/results/. Called by bench/main.ts and the *.bench.ts files.
import { readdirSync, readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { cpus, totalmem } from "node:os";

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export interface BenchResult {
  readonly name: string;
  /** Sizes and settings of the run. */
  readonly sizes: Readonly<Record<string, number | string>>;
  /** One line a side; columns are the benchmark's own. */
  readonly rows: readonly Readonly<Record<string, number | string>>[];
  /** Named ratios, pair by pair over the rounds. */
  readonly ratios: Readonly<Record<string, Spread>>;
  /** Goals of the project with what was reached. */
  readonly goals: readonly { readonly text: string; readonly reached: string; readonly met: boolean }[];
  /** Figures that other programs read, at the top level of the JSON file. */
  readonly figures?: Readonly<Record<string, unknown>>;
  /** Whether a goal that is missed is an error of the run. */
  readonly mustMeet?: boolean;
}

export function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  return { median, min: sorted[0]!, max: sorted.at(-1)! };
}

/** Ratios of two sides round by round. */
export function ratios(a: readonly number[], b: readonly number[]): Spread {
  return spread(a.map((value, round) => value / b[round]!));
}

export interface Timing {
  readonly wallSeconds: number;
  /** user + sys of this process and of `pids`, whatever they did meanwhile. */
  readonly cpuSeconds: number;
}

/** Time `work`, counting the CPU of this process and of others of ours (a database child). */
export async function timed<T>(
  work: () => Promise<T> | T,
  pids: readonly number[] = [],
): Promise<Timing & { value: T }> {
  const cpuBefore = cpuSecondsOf(pids);
  const own = process.cpuUsage();
  const startedAt = performance.now();
  const value = await work();
  const wallSeconds = (performance.now() - startedAt) / 1000;
  const used = process.cpuUsage(own);
  const cpuSeconds = (used.user + used.system) / 1e6 + cpuSecondsOf(pids) - cpuBefore;
  return { wallSeconds, cpuSeconds, value };
}

/** Kernel ticks are 1/100 s on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** user + sys seconds of living processes so far, from /proc (Linux); 0 for those that cannot be read. */
export function cpuSecondsOf(pids: readonly number[]): number {
  let seconds = 0;
  for (const pid of pids) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      seconds += (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
    } catch {
      // The process has ended; what it used is not known any more.
    }
  }
  return seconds;
}

/** Process ids of this process's living children, from /proc (Linux). */
export function childrenOfThis(): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => parentOf(pid) === process.pid);
}

function parentOf(pid: number): number | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
  } catch {
    return null;
  }
}

/** Resident bytes of living processes. */
export function residentBytesOf(pids: readonly number[]): number {
  let bytes = 0;
  for (const pid of pids) {
    try {
      bytes += Number(readFileSync(`/proc/${pid}/statm`, "latin1").split(" ")[1]) * 4096;
    } catch {
      // Ended.
    }
  }
  return bytes;
}

/** Print the table and write bench/results/<name>.json. */
export async function report(result: BenchResult, folder: string): Promise<void> {
  process.stdout.write(`\n${result.name}  ${JSON.stringify(result.sizes)}\n`);
  console.table(result.rows.map((row) => Object.fromEntries(Object.entries(row).map(([k, v]) => [k, short(v)]))));
  for (const [name, r] of Object.entries(result.ratios)) {
    process.stdout.write(`${name}: ${short(r.median)} (${short(r.min)} – ${short(r.max)})\n`);
  }
  for (const goal of result.goals)
    process.stdout.write(`${goal.met ? "met   " : "MISSED"} ${goal.text}: ${goal.reached}\n`);
  await mkdir(folder, { recursive: true });
  const { figures, mustMeet: _, ...rest } = result;
  const machine = {
    cpu: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    memoryBytes: totalmem(),
    node: process.version,
  };
  await writeFile(`${folder}/${result.name}.json`, `${JSON.stringify({ ...figures, ...rest, machine }, null, 2)}\n`);
}

const short = (value: number | string): number | string =>
  typeof value === "number" ? Number(value.toPrecision(4)) : value;
