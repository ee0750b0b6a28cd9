// A page of the manual as a reader follows it: its commands, run in order by a shell, and the answers it shows beside
// them. Called by guide.test.ts.
import { type ChildProcess, spawn } from "node:child_process";
import { on, once } from "node:events";
import { createInterface, type Interface } from "node:readline";

/** A fenced `sh` block with the answer that is shown below it. */
export interface Step {
  /** Of the fence in the page, from 1. */
  readonly line: number;
  readonly commands: string;
  /** Begins with "# a terminal of its own": it runs until the reader ends it. */
  readonly stays: boolean;
  /** Stands below "again until it holds": the reader repeats it. */
  readonly repeats: boolean;
  readonly shown: Shown | null;
}
export interface Shown {
  readonly kind: "json" | "jsonl" | "text";
  readonly text: string;
}

const FENCE = /^(<!-- again until it holds -->\n)?```(\w+)\n(.*?)^```$/gms;

/** The blocks of a page, in order. A `json`, `jsonl` or `text` block belongs to the last `sh` block that has none. */
export function stepsOf(page: string): Step[] {
  const steps: Step[] = [];
  const open: number[] = [];
  for (const { 1: again, 2: language, 3: text, index } of page.matchAll(FENCE)) {
    const line = page.slice(0, index).split("\n").length + (again === undefined ? 0 : 1);
    if (language === "sh") {
      const stays = text!.startsWith("# a terminal of its own\n");
      open.push(steps.push({ line, commands: text!, stays, repeats: again !== undefined, shown: null }) - 1);
    } else if (language === "json" || language === "jsonl" || language === "text") {
      const step = open.pop();
      if (step === undefined) throw new Error(`The answer in line ${line} has no command.`);
      steps[step] = { ...steps[step]!, shown: { kind: language, text: text! } };
    } else throw new Error(`A block of ${language} in line ${line} is neither a command nor an answer.`);
  }
  return steps;
}

/** JSON in which … stands for any value, or for further elements of a list. */
export const shownJson = (text: string): unknown =>
  JSON.parse(text.replaceAll(/"(?:[^"\\]|\\.)*"|…/g, (token) => (token === "…" ? '"…"' : token)));

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * What was answered, with everything that the page leaves open (… and ids of filters) as the page has it: equal to what
 * is shown if the page is right. Ids that differ are noted in `ids`, from the page's to the real one.
 */
export function asShown(shown: unknown, answered: unknown, ids: Map<string, string>): unknown {
  if (typeof shown === "string") {
    if (shown === "…" && answered !== undefined) return shown;
    if (UUID.test(shown) && typeof answered === "string" && UUID.test(answered)) {
      ids.set(shown, answered);
      return shown;
    }
    return answered;
  }
  if (Array.isArray(shown) && Array.isArray(answered)) {
    const more = shown.at(-1) === "…" && answered.length >= shown.length;
    const told = more ? answered.slice(0, shown.length - 1) : answered;
    return [...told.map((element, n) => asShown(shown[n], element, ids)), ...(more ? ["…"] : [])];
  }
  if (isObject(shown) && isObject(answered)) {
    return Object.fromEntries(
      Object.entries(answered).map(([name, value]) => [name, asShown(shown[name], value, ids)]),
    );
  }
  return answered;
}
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const END = "--- end of the commands ---";

/** A terminal: bash, which keeps variables and functions from one block to the next. */
export class Terminal {
  readonly lines: string[] = [];
  readonly errors: string[] = [];
  readonly #shell: ChildProcess;
  readonly #output: Interface;

  constructor(folder: string, environment: NodeJS.ProcessEnv) {
    // A group of its own, so that what it has started ends with it.
    this.#shell = spawn("bash", { cwd: folder, env: environment, stdio: "pipe", detached: true });
    this.#output = createInterface({ input: this.#shell.stdout! }).on("line", (line) => this.lines.push(line));
    createInterface({ input: this.#shell.stderr! }).on("line", (line) => this.errors.push(line));
  }

  /** Begins commands that stay; what they print comes in `lines` and `errors`. */
  begin(commands: string): void {
    this.#shell.stdin!.write(`${commands}\n`);
  }

  /** What commands print. Throws where the last of them fails. */
  async run(commands: string): Promise<string> {
    const before = this.lines.length;
    // An answer need not end with a line's end; the end of it is a line of its own all the same.
    this.begin(`${commands}\nprintf '\\n%s %s\\n' '${END}' $?`);
    for await (const [line] of on(this.#output, "line", { close: ["close"] })) {
      if (!String(line).startsWith(END)) continue;
      const said = this.lines.slice(before, this.lines.indexOf(line, before));
      if (line === `${END} 0`) return said.join("\n").trim();
      throw new Error([commands, ...said, ...this.errors].join("\n"));
    }
    throw new Error([`The shell ended in: ${commands}`, ...this.errors].join("\n"));
  }

  /** Ends the shell and all that runs in it. */
  async close(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    const { pid, exitCode, signalCode } = this.#shell;
    if (pid === undefined || exitCode !== null || signalCode !== null) return;
    const ended = once(this.#shell, "close");
    process.kill(-pid, signal);
    await ended;
  }
}
