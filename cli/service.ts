// Everything put together: engines by the settings, stores on them, the pipeline and the feed of hits. The only place
// that knows which engine stands behind which interface. Called by cli/serve.ts, cli/ingest.ts, cli/demo.ts and tests.
import { join } from "node:path";
import type { Logger } from "pino";
import type { TocsinError } from "../domain/errors.js";
import { createActiveFilters } from "../filters/active.js";
import { fieldsOfSurveys } from "../filters/fields.js";
import { createFilterLanguage } from "../filters/language.js";
import { createFilterRun } from "../filters/run.js";
import { readContainer } from "../ingest/avro/container.js";
import { createGraphFollower } from "../ingest/follow.js";
import { BATCH_ALERTS, takeIn } from "../ingest/intake.js";
import { createPacketReader } from "../ingest/packetreader.js";
import { createPipeline, noCounts, recover } from "../ingest/pipeline.js";
import { openFiles } from "../ingest/sources/files.js";
import { SURVEYS } from "../ingest/surveys/index.js";
import type { Services } from "../resolvers/services.js";
import type { ArchiveClient } from "../stores/archive/client.js";
import { createInFlightQuery } from "../stores/archive/inflight.js";
import { createArchiveStores } from "../stores/archive/stores.js";
import { createGraphStores } from "../stores/graph/stores.js";
import { openPacketStore } from "../stores/packets/segments.js";
import type { PacketReader } from "../stores/packets.store.js";
import { createHitHub } from "../subscriptions/hub.js";
import { type Control, handleControl } from "./control.js";
import { lockDataDir } from "./datadir.js";
import { openArchive, openGraph } from "./engines.js";
import { schemasNear } from "./schemas.js";
import type { Settings } from "./settings.js";

export interface Service {
  readonly control: Control;
  /** What the API stands on. */
  readonly services: Services;
  readonly packetReader: PacketReader;
  /** Whether the archive answers now. */
  healthy(): Promise<boolean>;
  close(): Promise<void>;
}

/**
 * Lock DATA_DIR, open the engines, finish what a crash interrupted. Throws DATA_DIR_IN_USE, ENGINE_UNSUPPORTED, DISK_FULL
 * and what else keeps an engine from starting; whatever was opened before the failure is closed again.
 */
export async function openService(settings: Settings, log: Logger): Promise<Service> {
  const closers: (() => Promise<unknown> | unknown)[] = [];
  const closing = <T>(opened: T, close: (opened: T) => Promise<unknown> | unknown): T => {
    closers.unshift(() => close(opened));
    return opened;
  };
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0)) await closer();
  };
  try {
    const lock = closing(await lockDataDir(settings.DATA_DIR), (opened) => opened.release());
    const archive = closing(await openArchive(settings, log), (opened) => opened.close());
    const graph = closing(openGraph(settings), (opened) => opened.close());
    const packets = closing(await openPacketStore({ dir: join(settings.DATA_DIR, "packets") }), (opened) =>
      opened.close(),
    );
    const descriptions = new Map(SURVEYS.map(({ description }) => [description.id, description]));
    const archived = await createArchiveStores(archive.client, [...descriptions.values()], {
      skyIndexBytes: settings.SKY_INDEX_MB * 1024 ** 2,
      log: (line) => log.warn(line),
    });
    const linked = await createGraphStores(graph);
    const hub = closing(
      await createHitHub({
        hits: archived.hits,
        alerts: archived.alerts,
        onFault: (error) => log.warn({ err: error }, "hits cannot be read; they are sent when they can"),
      }),
      (opened) => opened.close(),
    );
    const fieldsOf = fieldsOfSurveys([...descriptions.values()]);
    const active = closing(createActiveFilters(linked.filters, fieldsOf), (opened) => opened.close());
    const stores = { ...archived, packets };
    const follower = createGraphFollower({ ...archived, links: linked.links, scope: settings.GRAPH_SCOPE });
    const waiting = new Set<(why: string) => void>();
    const pipeline = createPipeline({
      stores,
      filters: createFilterRun(createInFlightQuery(archive.client), active),
      follower,
      publish: hub.publish,
      onBroken: (broken) => log.error({ broken }, "active filters could not run"),
      onRetry(error) {
        const { code, remedy = "", cause } = error as Partial<TocsinError> & Error;
        const sentence = `${error.message} ${remedy}`.trim();
        log.warn({ code, cause: cause instanceof Error ? cause.message : undefined }, `${sentence} (tried again)`);
        for (const tell of waiting) tell(sentence);
      },
    });
    await follower.catchUp();
    const recovered = await recover(pipeline, stores, BATCH_ALERTS);
    if (recovered > 0) log.info({ alerts: recovered }, "finished the batches that a crash had interrupted");

    const packetReader = createPacketReader({ alerts: archived.alerts, packets });
    const control = createControl(settings, pipeline, waiting);
    handleControl(lock, control);
    closing(lock, () => lock.hangUp());
    return {
      control,
      packetReader,
      services: {
        stores: { ...archived, ...linked, packets: packetReader },
        surveys: descriptions,
        language: createFilterLanguage(fieldsOf),
        hub,
      },
      healthy: () => answers(archive.client),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function answers(client: ArchiveClient): Promise<boolean> {
  const block = await client.query("SELECT 1 AS one", {}, { timeoutMs: 2_000 });
  return block.rows === 1;
}

/** Reasons of dead letters that a command is told; the query deadLetters has all. */
const MOST_REASONS = 5;

/** `waiting` is told why a batch waits, while it does. */
function createControl(
  settings: Settings,
  pipeline: Parameters<typeof takeIn>[1],
  waiting: Set<(why: string) => void>,
): Control {
  const schemasOf = schemasNear(settings);
  return {
    async ingestPaths(paths, onProgress, signal) {
      const { items, progress } = await openFiles(paths, schemasOf);
      let counts = noCounts();
      const reasons: string[] = [];
      const report = (waitingFor?: string): void => {
        const { bytesDone, bytesTotal } = progress;
        onProgress({ ...counts, bytesDone, bytesTotal, reasons, ...(waitingFor !== undefined && { waitingFor }) });
      };
      waiting.add(report);
      try {
        return await takeIn(
          items(),
          pipeline,
          (sums, letters) => {
            counts = sums;
            reasons.push(...letters.slice(0, MOST_REASONS - reasons.length).map(({ message }) => message));
            report();
          },
          signal,
        );
      } finally {
        waiting.delete(report);
      }
    },
    ingestContainer: (bytes, source) => takeIn(toAsync(readContainer(bytes, source)), pipeline),
  };
}

async function* toAsync<T>(items: Iterable<T>): AsyncGenerator<T> {
  yield* items;
}
