// `npm run cli -- deadletters list|fetch|replay`: what was set aside, its bytes, and another try. Called by cli/program.ts.
import { writeFile } from "node:fs/promises";
import { type Command, InvalidArgumentError } from "commander";
import type { Logger } from "pino";
import { TocsinError } from "../domain/errors.js";
import { type DeadLetterReason, LETTER_REASONS } from "../domain/packet.js";
import { epochMsFromJd, isoFromJd, jdFromEpochMs, parseTime } from "../domain/time.js";
import type { LetterConditions } from "../stores/deadletters.store.js";
import { withRecords } from "./records.ask.js";
import type { Settings } from "./settings.js";
import { tableOf } from "./table.js";

interface Options {
  readonly id?: bigint[];
  readonly reason?: DeadLetterReason;
  readonly survey?: string;
  readonly source?: string;
  readonly from?: number;
  readonly to?: number;
  readonly first: number;
}

const END_MS = 1e13;

export function addDeadLetterCommands(
  program: Command,
  settings: () => Settings,
  logger: (level: Settings["LOG_LEVEL"]) => Logger,
): void {
  const letters = program.command("deadletters").description("packets and files that could not be taken in");
  const log = () => logger("warn");
  choosing(letters.command("list").description("newest first; those that were replayed too")).action(
    async (options: Options) => {
      const found = await withRecords(settings(), log(), (records) => records.letters(whereOf(options), options.first));
      const rows = found.map((letter) => [
        `${letter.id}`,
        isoFromJd(jdFromEpochMs(letter.receivedAt)),
        letter.survey ?? "",
        letter.reason,
        `${letter.bytesKept}`,
        letter.replayedAt === null ? "" : isoFromJd(jdFromEpochMs(letter.replayedAt)),
        `${letter.origin.source} ${letter.origin.position}`,
      ]);
      process.stdout.write(tableOf(["id", "received", "survey", "reason", "bytes", "replayed", "where"], rows));
    },
  );
  letters
    .command("fetch")
    .description("the original bytes into a file")
    .argument("<id>", "of the list", long)
    .requiredOption("--out <file>", "file to write")
    .action(async (id: bigint, { out }: { out: string }) => {
      const bytes = await withRecords(settings(), log(), (records) => records.bytes(id));
      if (bytes === null) throw new TocsinError("NOT_FOUND", `Nothing is kept of a dead letter ${id}.`);
      await writeFile(out, Buffer.from(bytes, "base64"));
    });
  choosing(letters.command("replay").description("take those in again that were not yet, after a fix")).action(
    async (options: Options) => {
      const sums = await withRecords(settings(), log(), (records) => records.replay(whereOf(options), options.first));
      for (const reason of sums.reasons) process.stderr.write(`  ${reason}\n`);
      const { replayed, failed, stored, duplicates } = sums;
      process.stdout.write(`${JSON.stringify({ replayed, failed, stored, duplicates })}\n`);
      if (failed > 0) process.exitCode = 1;
    },
  );
}

const choosing = (command: Command): Command =>
  command
    .option("--id <id...>", "only these", (text: string, before: bigint[] = []) => [...before, long(text)])
    .option("--reason <code>", `only of this reason: ${LETTER_REASONS.join(", ")}`, reason)
    .option("--survey <id>", "only of this survey")
    .option("--source <start>", "only of topics or files whose name begins so")
    .option("--from <time>", "received then or later", moment)
    .option("--to <time>", "received before then", moment)
    .option("--first <n>", "at most so many", count, 100);

const whereOf = ({ id, reason, survey, source, from, to }: Options): LetterConditions => ({
  ...(id !== undefined && { ids: id }),
  ...(reason !== undefined && { reason }),
  ...(survey !== undefined && { survey: survey.toUpperCase() }),
  ...(source !== undefined && { source }),
  ...((from ?? to) !== undefined && { received: { from: from ?? 0, to: to ?? END_MS } }),
});

function long(text: string): bigint {
  if (!/^\d{1,20}$/.test(text)) throw new InvalidArgumentError("It must be an id of the list.");
  return BigInt.asUintN(64, BigInt(text));
}
function reason(text: string): DeadLetterReason {
  const found = LETTER_REASONS.find((code) => code === text.toUpperCase());
  if (found === undefined) throw new InvalidArgumentError(`It must be one of ${LETTER_REASONS.join(", ")}.`);
  return found;
}
function moment(text: string): number {
  try {
    return epochMsFromJd(parseTime(text));
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}
function count(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 1_000) {
    throw new InvalidArgumentError("It must be a whole number from 1 to 1,000.");
  }
  return value;
}
