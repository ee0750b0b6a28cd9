// `npm run cli -- missing`: what archived alerts lack of their enrichment, and why. Called by cli/program.ts.
import type { Command } from "commander";
import type { Logger } from "pino";
import type { MissingCount } from "../stores/missing.store.js";
import { withRecords } from "./records.ask.js";
import type { Settings } from "./settings.js";
import { tableOf } from "./table.js";

const HEAD = ["survey", "step", "of", "batches", "alerts", "first", "last", "reason"];

export function addMissingCommand(
  program: Command,
  settings: () => Settings,
  logger: (level: Settings["LOG_LEVEL"]) => Logger,
): void {
  program
    .command("missing")
    .description("what archived alerts lack of their enrichment, and why")
    .action(async () => {
      const missing = await withRecords(settings(), logger("warn"), (records) => records.missing());
      process.stdout.write(missingText(missing));
    });
}

export const missingText = (missing: readonly MissingCount[]): string =>
  missing.length === 0 ? "Nothing is missing.\n" : tableOf(HEAD, missing.map(row));

const row = ({ survey, step, part, batches, alerts, first, last, reason }: MissingCount): string[] => [
  ...[survey, step, part ?? "all", String(batches), String(alerts)],
  ...[first, last].map((ms) => new Date(ms).toISOString()),
  reason,
];
