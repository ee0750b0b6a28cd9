// What became of packets, as the last line of stdout and as the exit code. Called by cli/ingest.ts and cli/simulate.ts.
import type { Counts } from "../ingest/pipeline.js";

/** `reasons` tells of some dead letters why they are that. Exit code 1 where there are any. */
export function printOutcome({ read, stored, duplicates, deadLetters }: Counts, reasons: readonly string[] = []): void {
  if (deadLetters > 0) {
    const lines = deadLetters > reasons.length && reasons.length > 0 ? [...reasons, "…"] : reasons;
    for (const line of lines) process.stderr.write(`  ${line}\n`);
    const packets = deadLetters === 1 ? "1 packet was" : `${deadLetters} packets were`;
    process.stderr.write(
      `${packets} set aside; the query deadLetters { edges { node { reason message source } } } lists all.\n`,
    );
    process.exitCode = 1;
  } else if (read === 0) {
    process.stderr.write("Nothing to read there: folders are searched for .avro, .avro.gz, .tar, .tar.gz and .tgz.\n");
  }
  process.stdout.write(`${JSON.stringify({ read, stored, duplicates, deadLetters })}\n`);
}
