#!/usr/bin/env node
// Real servers without Docker: `npm run servers -- up kafka neo4j clickhouse`. Prints settings as KEY=VALUE on stdout,
// everything else on stderr.
import { join } from "node:path";
import { Argument, Command } from "commander";
import { TocsinError } from "../../domain/errors.js";
import { lockDataDir } from "../datadir.js";
import { readSettings } from "../settings.js";
import { down, SERVERS, type ServerName, status, up } from "./commands.js";

const tell = (line: string): void => void process.stderr.write(`${line}\n`);
const folder = (): string => join(readSettings(process.env).DATA_DIR, "servers");

/** One command at a time works on a folder. */
async function alone<T>(work: (root: string) => Promise<T>): Promise<T> {
  const lock = await lockDataDir(folder());
  try {
    return await work(folder());
  } finally {
    await lock.release();
  }
}

const names = (meaning: string): Argument => new Argument("[names...]", meaning).choices(SERVERS);

const program = new Command("servers")
  .description("Kafka, Neo4j, ClickHouse in the background, with their data below DATA_DIR/servers")
  .showHelpAfterError();

program
  .command("up")
  .description("start servers, wait until they answer, print their settings")
  .addArgument(names("which to start").argRequired())
  .action((given: ServerName[]) =>
    alone(async (root) => {
      for (const settings of await up(root, given, tell)) {
        for (const [key, value] of Object.entries(settings)) process.stdout.write(`${key}=${value}\n`);
      }
    }),
  );

program
  .command("down")
  .description("end servers and keep their data")
  .addArgument(names("which to end (default: all)"))
  .action((given: ServerName[]) => alone((root) => down(root, given.length > 0 ? given : SERVERS, tell)));

program
  .command("status")
  .description("which servers run")
  .action(() => {
    for (const line of status(folder())) process.stdout.write(`${line}\n`);
  });

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof TocsinError) tell(`${error.message} ${error.remedy} [${error.code}]`);
  else tell(error instanceof Error ? (error.stack ?? error.message) : String(error));
  process.exit(2);
}
process.exit(0);
