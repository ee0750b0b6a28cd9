// Everything put together: the plan of a service, from its engines to what the API stands on. Each part is opened by a file
// of its own; engines are picked in engines.ts. Called by cli/serve.ts, cli/ingest.ts, cli/records.ask.ts and tests.
import type { Logger } from "pino";
import { TocsinError } from "../domain/errors.js";
import { createActiveFilters } from "../filters/active.js";
import { createFilterDesign } from "../filters/design/design.js";
import { fieldsOfSurveys } from "../filters/fields.js";
import { createFilterLanguage } from "../filters/language.js";
import { createPacketReader } from "../ingest/packetreader.js";
import { SURVEYS } from "../ingest/surveys/index.js";
import type { Services } from "../resolvers/services.js";
import type { DeadLetterStore } from "../stores/deadletters.store.js";
import type { PacketReader } from "../stores/packets.store.js";
import type { HitPublisher } from "../subscriptions/streams/publisher.js";
import { type Control, handleControl } from "./control.js";
import { lockDataDir } from "./datadir.js";
import { isShared } from "./engines.js";
import { createEnriching } from "./enriching.js";
import type { Ingestion } from "./ingestion.js";
import { kafkaConnection } from "./kafka.settings.js";
import { openKeepers } from "./keepers.js";
import { openLive } from "./live.js";
import { openMarks } from "./marks.js";
import { openModels } from "./models.js";
import { Opened } from "./opened.js";
import { loggedOutages } from "./outages.js";
import type { Records } from "./records.js";
import type { Settings } from "./settings.js";
import { openStores } from "./stores.js";
import type { Stream } from "./stream.js";
import { createWatching, type Watching } from "./watching.js";
import { openWriting } from "./writing.js";

export interface Service {
  /** Null in a process that only serves. */
  readonly control: Control | null;
  /** Null in a process that only serves. */
  readonly ingestion: Ingestion | null;
  /** Null where no topics are read. */
  readonly stream: Stream | null;
  /** Null where no hits are published. */
  readonly publisher: HitPublisher | null;
  /** What the API stands on. */
  readonly services: Services;
  readonly packetReader: PacketReader;
  /** Null in a process that only serves. */
  readonly records: Records | null;
  readonly letters: DeadLetterStore;
  readonly watching: Watching;
  /** Whether ingest is at work: then heavy queries go slower. */
  readonly busy: () => boolean;
  close(): Promise<void>;
}

/**
 * Lock DATA_DIR, open the engines, finish what a crash interrupted. Throws DATA_DIR_IN_USE, ENGINE_UNSUPPORTED, DISK_FULL
 * and what else keeps an engine from starting; whatever was opened before the failure is closed again.
 */
export async function openService(settings: Settings, log: Logger): Promise<Service> {
  const role = settings.TOCSIN_ROLE;
  if (role !== "all" && !isShared(settings)) throw needsServers(role);
  const opened = new Opened();
  try {
    return { ...(await openParts(settings, opened, log)), close: () => opened.close() };
  } catch (error) {
    await opened.close();
    throw error;
  }
}

async function openParts(settings: Settings, opened: Opened, log: Logger): Promise<Omit<Service, "close">> {
  const role = settings.TOCSIN_ROLE;
  const surveys = new Map(SURVEYS.map(({ description }) => [description.id, description]));

  // The other roles keep nothing there and take no commands: any number of them may share a folder.
  const lock = role === "all" ? await lockDataDir(settings.DATA_DIR) : null;
  if (lock !== null) opened.onClose(() => lock.release());
  const watching = opened.keep(await createWatching(settings, log));
  watching.batches.expect(surveys.keys());

  const ground = { settings, surveys, opened, watching, outages: loggedOutages(watching, log), log };
  const stores = await openStores(ground);
  const { archived, linked, isBusy } = stores;
  const live = await openLive({ ...ground, stores });

  const models = opened.keep(await openModels(settings, (line) => log.warn(line)));
  watching.models(models.paces);
  const enriching = createEnriching({ settings, surveys, stores: archived, models, log });
  const fieldsOf = fieldsOfSurveys([...surveys.values()], enriching.operands);
  const active = opened.keep(createActiveFilters(linked.filters, fieldsOf));

  const writing = role === "serve" ? null : await openWriting({ ...ground, stores, live, active, enriching });
  const past = writing && { ...writing, isBusy };
  const marks = opened.keep(
    openMarks({ stores: archived, surveys: [...surveys.keys()], shared: isShared(settings), past, log }),
  );
  const { catalogs, lightCurves, api } = openKeepers({ settings, opened, stores });

  if (lock !== null && writing !== null) {
    handleControl(lock, { control: writing.control, records: writing.records, catalogs, lightCurves });
    opened.onClose(() => lock.hangUp());
  }
  const packetReader = createPacketReader({ alerts: archived.alerts, packets: stores.packets });
  return {
    control: writing?.control ?? null,
    ingestion: writing?.ingestion ?? null,
    stream: writing?.stream ?? null,
    publisher: live.publisher,
    packetReader,
    records: writing?.records ?? null,
    letters: archived.deadLetters,
    services: {
      stores: { ...archived, ...linked, packets: packetReader },
      surveys,
      language: createFilterLanguage(fieldsOf),
      design: createFilterDesign(fieldsOf),
      costLimit: settings.FILTER_COST_LIMIT,
      hub: live.hub,
      corrections: live.feed,
      models,
      marks,
      matchedCatalogs: () => archived.catalogs.active(),
      streams: kafkaConnection(settings) !== null,
      ...api,
      ...(writing !== null && { replay: writing.replay }),
    },
    watching,
    busy: isBusy,
  };
}

function needsServers(role: string): TocsinError {
  return new TocsinError("BAD_SETTING", `TOCSIN_ROLE=${role} works on servers that all processes share.`, {
    remedy: "Set CLICKHOUSE_URL and NEO4J_URL, or leave TOCSIN_ROLE at all.",
  });
}
