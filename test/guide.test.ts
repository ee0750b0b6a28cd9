// docs/guide.md as a new user follows it: its commands, in order, against a service of their own, and the answers that
// the page shows. `npm run build` comes first.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { asShown, type Step, shownJson, stepsOf, Terminal } from "./manual.js";
import { until } from "./until.js";

const ROOT = resolve(import.meta.dirname, "..");
const PAGE = "docs/guide.md";
const ADDRESS = "http://127.0.0.1:4000";
const steps = stepsOf(readFileSync(join(ROOT, PAGE), "utf8"));
const withoutTools = ["bash", "curl"].filter((tool) => spawnSync(tool, ["--version"]).status !== 0);

/** From the page's id of the filter to the real one. */
const ids = new Map<string, string>();
const terminals: Terminal[] = [];
let folder: string;
let environment: NodeJS.ProcessEnv;
let url = ADDRESS;
let reader: Terminal;

/** `npm start` and `npm run NAME --` in the page's folder do what package.json says, without a build before each. */
function npmScript(): string {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
    scripts: Record<string, string>;
  };
  const cases = Object.entries(scripts)
    .filter(([, command]) => /^node .*dist\//.test(command))
    .map(([name, command]) => `${name}) exec ${command.replace("dist/", `${join(ROOT, "dist")}/`)} "$@" ;;`);
  return `#!/usr/bin/env bash
if [ "$1" = run ]; then shift; fi
if [ "$1" = --silent ]; then shift; fi
name=$1; shift
if [ "$1" = -- ]; then shift; fi
case "$name" in ${cases.join("\n")}
esac
echo "package.json has no script $name" >&2; exit 1
`;
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tocsin-guide-"));
  symlinkSync(join(ROOT, "clients"), join(folder, "clients"));
  writeFileSync(join(folder, "npm"), npmScript(), { mode: 0o755 });
  const { HOME, TMPDIR, LANG, PATH } = process.env;
  environment = { HOME, TMPDIR, LANG, PATH: `${folder}:${PATH}`, DATA_DIR: join(folder, "data"), PORT: "0" };
});
afterAll(async () => {
  for (const terminal of terminals.toReversed()) await terminal.close();
  rmSync(folder, { recursive: true, force: true });
});

/** The page's words with this service's address and ids. */
const here = (commands: string): string =>
  [...ids].reduce((text, [shown, real]) => text.replaceAll(shown, real), commands.replaceAll(ADDRESS, url));

function terminal(): Terminal {
  const opened = new Terminal(folder, environment);
  terminals.push(opened);
  return opened;
}

function check({ line, shown }: Step, answer: string): void {
  if (shown === null) return;
  const { kind, text } = shown;
  const where = `${PAGE}, line ${line}`;
  if (kind === "text") expect(answer, where).toBe(text.trim());
  else {
    const read = (lines: string, parse: (line: string) => unknown) =>
      (kind === "json" ? [lines] : lines.trim().split("\n")).map(parse);
    const told = read(text, shownJson);
    expect(asShown(told, read(answer, JSON.parse), ids), where).toEqual(told);
  }
}

/** `npm start` in a terminal of its own: the service, which says where it answers. */
async function startService({ commands }: Step): Promise<void> {
  const service = terminal();
  service.begin(here(commands));
  const told = () => service.errors.map((line) => /answers at (\S+)\/graphql/.exec(line)?.[1]).find(Boolean);
  await until("the service to answer", () => told() !== undefined, 90_000);
  url = told()!;
  environment = { ...environment, PORT: new URL(url).port, TOCSIN_URL: url };
  reader = terminal();
}

describe.skipIf(withoutTools.length > 0)(`${PAGE} (skipped without bash or curl)`, () => {
  it("holds, from the first command to the last", { timeout: 600_000 }, async () => {
    /** A program in a terminal of its own that has not shown yet what the page shows. */
    let listener: { step: Step; terminal: Terminal } | null = null;
    for (const step of steps) {
      if (step.commands.includes("npm start")) await startService(step);
      else if (step.stays) {
        listener = { step, terminal: terminal() };
        listener.terminal.begin(here(step.commands));
        const metrics = async () => (await fetch(`${url}/metrics`)).text();
        await expect.poll(metrics, { timeout: 60_000 }).toMatch(/^tocsin_subscriptions 1$/m);
      } else {
        const answer = async () => check(step, await reader.run(here(step.commands)));
        if (step.repeats) await vi.waitFor(answer, { timeout: 30_000, interval: 200 });
        else await answer();
        if (listener === null) continue;
        const { lines, errors } = listener.terminal;
        const wanted = listener.step.shown!.text.trim().split("\n").length;
        await until("the live hits", () => lines.length >= wanted, 60_000);
        check(listener.step, lines.join("\n"));
        expect(errors).toEqual([]);
        listener = null;
      }
    }
  });

  it("shows a funnel, a backtest, live hits and an alert that does not pass", () => {
    const shown = steps.map((step) => step.shown?.text ?? "").join("\n");
    for (const part of ["funnel", "backtest", "passedAt", '"passes": false']) expect(shown).toContain(part);
  });
});
