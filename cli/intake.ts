// Packets of commands into the pipeline: files and folders by their paths, containers out of memory. Called by cli/writing.ts.
import { readContainer } from "../ingest/avro/container.js";
import { takeIn } from "../ingest/intake.js";
import { noCounts } from "../ingest/pipeline.js";
import { openFiles } from "../ingest/sources/files.js";
import { Slabs } from "../ingest/sources/slabs.js";
import type { Control } from "./control.js";
import type { Ingestion } from "./ingestion.js";
import { schemasNear } from "./schemas.js";
import type { Settings } from "./settings.js";

/** Reasons of dead letters that a command is told; the query deadLetters has all. */
const MOST_REASONS = 5;

export function createControl(settings: Settings, { pipeline, onWaiting }: Ingestion): Control {
  const schemasOf = schemasNear(settings);
  const slabs = new Slabs();
  return {
    async ingestPaths(paths, onProgress, signal) {
      const { items, progress } = await openFiles(paths, schemasOf, slabs);
      let counts = noCounts();
      const reasons: string[] = [];
      const report = (waitingFor?: string): void => {
        const { bytesDone, bytesTotal } = progress;
        onProgress({ ...counts, bytesDone, bytesTotal, reasons, ...(waitingFor !== undefined && { waitingFor }) });
      };
      const ended = onWaiting(report);
      try {
        return await takeIn(items(), pipeline, {
          onBatch(sums, letters) {
            counts = sums;
            reasons.push(...letters.slice(0, MOST_REASONS - reasons.length).map(({ message }) => message));
            report();
          },
          signal,
        });
      } finally {
        ended();
      }
    },
    ingestContainer: (bytes, source) => takeIn(toAsync(readContainer(bytes, source)), pipeline),
  };
}

async function* toAsync<T>(items: Iterable<T>): AsyncGenerator<T> {
  yield* items;
}
