// Kafka into the pipeline for as long as the service runs. Called by cli/writing.ts.
import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import { takeIn } from "../ingest/intake.js";
import type { Pipeline } from "../ingest/pipeline.js";
import type { KafkaItem } from "../ingest/sources/kafka/message.js";
import { type KafkaOptions, type KafkaSource, openKafka } from "../ingest/sources/kafka/source.js";

const SHORTEST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;

export interface Stream {
  /** The source that is read at present. */
  readonly source: KafkaSource;
  /** Resolves when what was read is stored and bookmarked. */
  close(): Promise<void>;
}

/**
 * Reads until close(). Lost engines are waited for by the pipeline, lost brokers by the source; any other fault stops
 * the reading, is logged, and the topics are read again from their bookmarks.
 */
export function openStream(options: KafkaOptions, pipeline: Pipeline, log: Logger): Stream {
  const closing = new AbortController();
  let source = openKafka(options);

  async function run(): Promise<void> {
    for (let pause = SHORTEST_PAUSE_MS; ; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
      try {
        await takeIn(source.items(), pipeline, {
          onStored(items) {
            source.stored(items as readonly KafkaItem[]);
            pause = SHORTEST_PAUSE_MS;
          },
          signal: closing.signal,
        });
      } catch (error) {
        log.error({ err: error, pause }, "a batch from Kafka could not be taken in; it is read again after a pause");
      }
      await source.close();
      if (closing.signal.aborted) return;
      await delay(pause, undefined, { signal: closing.signal }).catch(() => {});
      if (closing.signal.aborted) return;
      source = openKafka(options);
    }
  }
  const running = run();

  return {
    get source() {
      return source;
    },
    async close() {
      closing.abort();
      await running;
    },
  };
}
