// `npm run cli -- receipt SURVEY NIGHT`: what was received of a night, and what became of it. Called by cli/program.ts.
import type { Command } from "commander";
import type { Logger } from "pino";
import { adds, type NightReceipt, nightAdds, type SourceReceipt } from "../domain/receipt.js";
import { withRecords } from "./records.ask.js";
import type { Settings } from "./settings.js";
import { tableOf } from "./table.js";

const HEAD = ["source", "partition", "offsets", "received", "stored", "duplicates", "dead letters", "adds"];

export function addReceiptCommand(
  program: Command,
  settings: () => Settings,
  logger: (level: Settings["LOG_LEVEL"]) => Logger,
): void {
  program
    .command("receipt")
    .description("what was received of a night, and what became of it; exit code 1 where it does not add up")
    .argument("<survey>", "ZTF, LSST")
    .argument("<night>", "YYYYMMDD: ZTF's the UTC date, LSST's day_obs")
    .action(async (survey: string, night: string) => {
      const receipt = await withRecords(settings(), logger("warn"), (records) =>
        records.receipt(survey.toUpperCase(), night),
      );
      process.stdout.write(receiptText(receipt));
      if (!nightAdds(receipt)) process.exitCode = 1;
    });
}

export function receiptText(receipt: NightReceipt): string {
  const { survey, night, sources, sourceCount, unattributed, archived, hits } = receipt;
  const sums = { ...receipt, source: `${survey} ${night}`, partition: null, offsets: null, gaps: [] };
  const lines = [tableOf(HEAD, [...sources.map(row), row(sums)])];
  if (sourceCount > sources.length) lines.push(`… and ${sourceCount - sources.length} more sources\n`);
  lines.push(`${archived} distinct alerts in the archive, ${hits} hits.\n`);
  for (const { source, partition, gaps } of sources) {
    const named = gaps.slice(0, 20).map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`));
    if (gaps.length > named.length) named.push("…");
    if (gaps.length > 0) lines.push(`Never had of ${source} partition ${partition}: ${named.join(", ")}\n`);
  }
  if (unattributed.length > 0) {
    lines.push("\nOf no known survey, received on this date:\n", tableOf(HEAD, unattributed.map(row)));
  }
  if (!nightAdds(receipt)) lines.push("THE NUMBERS DO NOT ADD UP.\n");
  return lines.join("");
}

const row = (of: SourceReceipt): string[] => [
  of.source,
  of.partition === null ? "" : `${of.partition}`,
  of.offsets === null ? "" : `${of.offsets.first}-${of.offsets.last}`,
  ...[of.received, of.stored, of.duplicates, of.deadLetters].map(String),
  adds(of) ? "yes" : "NO",
];
