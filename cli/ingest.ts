// `npm run ingest -- PATH…`: files, folders and tars into the running service, or straight into the engines when none
// runs on this DATA_DIR. Called by cli/program.ts.
import { resolve } from "node:path";
import type { Logger } from "pino";
import type { Counts } from "../ingest/pipeline.js";
import { type Progress, sendPaths } from "./control.js";
import { isOpen } from "./datadir.js";
import { printOutcome } from "./outcome.js";
import { showProgress } from "./progress.js";
import { openService } from "./service.js";
import type { Settings } from "./settings.js";

/** Prints the sums as the last line of stdout; exit code 1 where anything became a dead letter. */
export async function ingest(settings: Settings, paths: readonly string[], log: Logger): Promise<void> {
  const absolute = paths.map((path) => resolve(path));
  const view = showProgress("ingest");
  const startedAt = performance.now();
  let waitingFor: string | undefined;
  let reasons: readonly string[] = [];
  const onProgress = (progress: Progress): void => {
    if (progress.waitingFor !== undefined && progress.waitingFor !== waitingFor) {
      process.stderr.write(`Ingest waits: ${progress.waitingFor}\n`);
    }
    waitingFor = progress.waitingFor;
    reasons = progress.reasons;
    const rate = progress.read / ((performance.now() - startedAt) / 1000);
    view.update(
      progress.bytesDone,
      progress.bytesTotal,
      `${progress.read} alerts, ${Math.round(rate)}/s, ${progress.duplicates} duplicates, ${progress.deadLetters} dead letters`,
    );
  };

  let counts: Counts;
  try {
    if (await isOpen(settings.DATA_DIR)) {
      counts = await sendPaths(settings.DATA_DIR, absolute, onProgress);
    } else {
      const service = await openService(settings, log);
      try {
        counts = await service.control!.ingestPaths(absolute, onProgress, new AbortController().signal);
      } finally {
        await service.close();
      }
    }
  } finally {
    view.stop();
  }
  printOutcome(counts, reasons);
}
