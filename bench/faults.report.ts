// The rounds and the comparison of the benchmark of faults as a block of docs/reliability.md.
import { readFileSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import type { Check } from "./faults.compare.js";
import type { Round } from "./faults.rounds.js";

const [BEGIN, END] = ["<!-- faults: begin -->", "<!-- faults: end -->"];

export interface Told {
  readonly seed: string;
  readonly sizes: Readonly<Record<string, number | string>>;
  readonly rounds: readonly Round[];
  readonly checks: readonly Check[];
  readonly verdict: string;
}

/** Put the block between its markers; where the file or they are missing, nothing is written. */
export function writeBlock(path: string, told: Told): void {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    return;
  }
  const [before, rest] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (before < 0 || rest < before) return;
  writeFileSync(path, `${text.slice(0, before + BEGIN.length)}\n${block(told)}\n${text.slice(rest)}`);
}

function block({ seed, sizes, rounds, checks, verdict }: Told): string {
  const machine = `${cpus().length} cores (${cpus()[0]?.model ?? "unknown"}), ${Math.round(totalmem() / 1024 ** 3)} GB`;
  const all = Object.entries(sizes).map(([name, value]) => `${name} ${value}`);
  return [
    `Seed \`${seed}\`; ${all.join(", ")}; ${machine}, Node ${process.version}. **${verdict}**`,
    "",
    "| round | victim | fault | mended after | everything flows again | seen |",
    "|---|---|---|---|---|---|",
    ...rounds.map(({ round, victim, fault, seconds, recovery, seen }) => {
      const flows = recovery === null ? "not in time" : `${recovery.toFixed(1)} s`;
      return `| ${round} | ${victim} | ${fault} | ${seconds.toFixed(1)} s | ${flows} | ${seen.replaceAll("|", "\\|")} |`;
    }),
    "",
    "| at the end | due | found | lost | doubled | |",
    "|---|---|---|---|---|---|",
    ...checks.map(({ what, due, found, lost, doubled, wrong }) => {
      return `| ${what} | ${due} | ${found} | ${lost} | ${doubled} | ${wrong.slice(0, 3).join("; ").replaceAll("|", "\\|")} |`;
    }),
  ].join("\n");
}
