// The commands of Tocsin: `npm run cli -- help`. Reads the environment, prints errors as a sentence with its remedy.
// Loaded by cli/main.ts.
import "reflect-metadata";
import { Command, InvalidArgumentError } from "commander";
import { TocsinError } from "../domain/errors.js";
import { addBackupCommands } from "./backup.js";
import { addCatalogCommands } from "./catalog.js";
import { addDeadLetterCommands } from "./deadletters.js";
import { demo } from "./demo.js";
import { addEnrichCommand } from "./enrich.js";
import { addGraphCommands } from "./graph.js";
import { ingest } from "./ingest.js";
import { addKafkaCommands } from "./kafka.commands.js";
import { addLightCurveCommands } from "./lightcurves.js";
import { createLogger } from "./logger.js";
import { addMissingCommand } from "./missing.js";
import { addModelCommands } from "./models.js";
import { addReceiptCommand } from "./receipt.js";
import { serve } from "./serve.js";
import { describeSettings, readSettings, type Settings } from "./settings.js";
import { simulateCommand } from "./simulate.js";
import { addWatchCommands } from "./watch.js";

const settings = (): Settings => readSettings(process.env);

function count(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 10_000_000) {
    throw new InvalidArgumentError("It must be a whole number from 1 to 10,000,000.");
  }
  return value;
}
function rate(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 10_000)) throw new InvalidArgumentError("It must be a number up to 10,000.");
  return value;
}

function date(text: string): string {
  const year = Number(text.slice(0, 4));
  if (!/^\d{4}-\d\d-\d\d$/.test(text) || Number.isNaN(Date.parse(text)) || year < 2018 || year > 2100) {
    throw new InvalidArgumentError("It must be a date like 2026-11-01, from 2018 to 2100.");
  }
  return text;
}

const program = new Command("tocsin")
  .description("Alert data service for time-domain astronomy")
  .showHelpAfterError()
  .addHelpText("after", () => `\nSettings (environment variables):\n${settingsHelp()}`);

program
  .command("serve")
  .description("start the service: GraphQL, live hits and cutouts on PORT")
  .action(async () => {
    const read = settings();
    await serve(read, createLogger(read.LOG_LEVEL));
  });

program
  .command("ingest")
  .description("read alert packets from files, folders, .tar and .tar.gz")
  .argument("<paths...>", "files and folders")
  .action(async (paths: string[]) => {
    const read = settings();
    await ingest(read, paths, createLogger(read.LOG_LEVEL === "info" ? "warn" : read.LOG_LEVEL));
  });

program
  .command("simulate")
  .description("make a seeded sky: files of packets with their truth, or live alerts for the running service")
  .option("--alerts <n>", "number of alerts", count, 1_000)
  .option("--nights <k>", "length of the survey in nights", count, 30)
  .option("--seed <s>", "seed; the same options make the same sky all day (UTC), another seed one with other ids", "1")
  .option("--until <date>", "UTC date at whose midnight it ends: makes the same sky on any day (default: today)", date)
  .option("--survey <id...>", "surveys to simulate (default: all)")
  .option("--out <dir>", "folder for the files (default: simulated)")
  .option("--live <rate>", "send to the running service, this many alerts a second", rate)
  .action(async (options) => {
    await simulateCommand(settings(), { ...options, survey: options.survey ?? [] });
  });

program
  .command("demo")
  .description("a service on a simulated sky with a filter, printing live hits")
  .action(async () => {
    const read = settings();
    await demo(read, createLogger(read.LOG_LEVEL === "info" ? "warn" : read.LOG_LEVEL));
  });

addKafkaCommands(program, settings);
addGraphCommands(program, settings);
addBackupCommands(program, settings, createLogger);
addModelCommands(program, settings);
addCatalogCommands(program, settings, createLogger);
addLightCurveCommands(program, settings, createLogger);
addEnrichCommand(program, settings, createLogger);
addWatchCommands(program, settings);
addMissingCommand(program, settings, createLogger);
addReceiptCommand(program, settings, createLogger);
addDeadLetterCommands(program, settings, createLogger);

function settingsHelp(): string {
  return describeSettings()
    .map(({ name, description, usual }) => `  ${name.padEnd(22)} ${description}${usual && ` (default: ${usual})`}`)
    .join("\n");
}

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof TocsinError) process.stderr.write(`${error.message} ${error.remedy} [${error.code}]\n`);
  else process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exit(2);
}
// Engines may leave handles behind that keep the process alive after its work is done.
process.exit(process.exitCode ?? 0);
