// Everything put together: engines by the settings, stores on them, the pipeline and the feed of hits. The only place
// that knows which engine stands behind which interface. Called by cli/serve.ts, cli/ingest.ts, cli/demo.ts and tests.
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import { TocsinError } from "../domain/errors.js";
import { createActiveFilters } from "../filters/active.js";
import { createFilterDesign } from "../filters/design/design.js";
import { fieldsOfSurveys } from "../filters/fields.js";
import { createFilterLanguage } from "../filters/language.js";
import { createClaims } from "../ingest/claims.js";
import { createPacketReader } from "../ingest/packetreader.js";
import { persistently } from "../ingest/persistently.js";
import { createRecentHits } from "../ingest/recent.js";
import { SURVEYS } from "../ingest/surveys/index.js";
import type { Services } from "../resolvers/services.js";
import { anonymousViewer } from "../server/auth.js";
import { createInFlightQuery } from "../stores/archive/inflight.js";
import { createArchiveStores } from "../stores/archive/stores.js";
import type { DeadLetterStore } from "../stores/deadletters.store.js";
import { createLease, soleLease } from "../stores/graph/lease.js";
import { createGraphStores } from "../stores/graph/stores.js";
import type { PacketReader } from "../stores/packets.store.js";
import { createCorrectionFeed } from "../subscriptions/corrections.js";
import { createHitHub } from "../subscriptions/hub.js";
import { createHitPublisher, type HitPublisher } from "../subscriptions/streams/publisher.js";
import { sharedClaims } from "./alone.js";
import { createCatalogs } from "./catalogs.js";
import { createKeeper } from "./catalogs.keeper.js";
import { createUploads } from "./catalogs.uploads.js";
import { type Control, handleControl } from "./control.js";
import { createCorrections } from "./corrections.js";
import { lockDataDir } from "./datadir.js";
import { isShared, openArchive, openGraph, openPackets } from "./engines.js";
import { createEnriching } from "./enriching.js";
import { type Ingestion, openIngestion } from "./ingestion.js";
import { createControl } from "./intake.js";
import { kafkaConnection, kafkaReading } from "./kafka.settings.js";
import { createLightCurveKeeper } from "./lightcurves.keeper.js";
import { createLightCurves } from "./lightcurves.loaded.js";
import { hubLimits } from "./limits.settings.js";
import { openMarks } from "./marks.js";
import { createMatching } from "./matching.js";
import { openModels } from "./models.js";
import { loggedOutages } from "./outages.js";
import { createRecords, type Records } from "./records.js";
import { letterReplayer } from "./replays.js";
import { schemasOfSettings } from "./schemas.js";
import type { Settings } from "./settings.js";
import { openStream, type Stream } from "./stream.js";
import { createWatching, type Watching } from "./watching.js";

/** Subscribers see hits of other processes after this long at most. */
const WAKE_MS = 200;
/** A later insert may be seen before an earlier one on a replica, for moments. */
const REPLICA_LAG_MS = 5_000;
/**
 * What waits for an engine that is away is given up so long after the service began to close: the next start finishes it,
 * as after a crash. What comes behind it is still closed, each in a moment.
 */
const CLOSE_MS = 6_000;
const CLOSE_LATE_MS = 500;
/** How long the others wait for a process that numbers hits and does not answer any more. */
const LEASE_SECONDS = 6;

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
  const shared = isShared(settings);
  const role = settings.TOCSIN_ROLE;
  if (role !== "all" && !shared) throw needsServers(role);
  const closers: (() => Promise<unknown> | unknown)[] = [];
  const closing = <T>(opened: T, close: (opened: T) => Promise<unknown> | unknown): T => {
    closers.unshift(() => close(opened));
    return opened;
  };
  const close = async (): Promise<void> => {
    const patience = delay(CLOSE_MS, undefined, { ref: false });
    for (const closer of closers.splice(0)) {
      await Promise.race([closer(), patience.then(() => delay(CLOSE_LATE_MS, undefined, { ref: false }))]);
    }
  };
  try {
    // The other roles keep nothing there and take no commands: any number of them may share a folder.
    const lock = role === "all" ? closing(await lockDataDir(settings.DATA_DIR), (opened) => opened.release()) : null;
    const watching = closing(await createWatching(settings, log), (opened) => opened.close());
    // A server may come later than we do; an engine of our own that does not start is a fault.
    const outages = loggedOutages(watching, log);
    const onServers = shared || settings.CLICKHOUSE_URL.length > 0 || settings.NEO4J_URL !== undefined;
    const patiently = <T>(work: () => Promise<T>): Promise<T> => (onServers ? persistently(work, outages) : work());
    const archive = closing(await patiently(() => openArchive(settings, log)), (opened) => opened.close());
    const client = watching.archive(archive.client);
    const graph = watching.graph(closing(openGraph(settings), (opened) => opened.close()));
    const descriptions = new Map(SURVEYS.map(({ description }) => [description.id, description]));
    const archived = await patiently(() =>
      createArchiveStores(client, [...descriptions.values()], {
        // The positions that other processes write are not heard of.
        skyIndexBytes: shared ? 0 : settings.SKY_INDEX_MB * 1024 ** 2,
        log: (line) => log.warn(line),
      }),
    );
    const packets = closing(await patiently(() => openPackets(settings, client)), (opened) => opened.close());
    const linked = await patiently(() => createGraphStores(graph));
    if (shared) closing(linked.filters.follow(), (stop) => stop());
    if (shared) closing(archived.catalogs.follow(), (stop) => stop());
    const hub = closing(
      await patiently(() =>
        createHitHub({
          hits: archived.hits,
          alerts: archived.alerts,
          onFault: outages.failed,
          onBack: outages.over,
          onHit: (hit) => watching.sequence.delivered(hit),
          gapMs: settings.CLICKHOUSE_URL.length > 0 ? REPLICA_LAG_MS : 0,
          limits: hubLimits(settings),
        }),
      ),
      (opened) => opened.close(),
    );
    watching.hub(hub);
    watching.batches.expect(descriptions.keys());
    watching.skyIndex(archived.skyPositions);
    if (shared && role !== "ingest") closing(setInterval(hub.wake, WAKE_MS).unref(), clearInterval);
    const warn = (line: string) => log.warn(line);
    const models = closing(await openModels(settings, warn), (opened) => opened.close());
    const enriching = createEnriching({ settings, surveys: descriptions, stores: archived, models, log });
    const fieldsOf = fieldsOfSurveys([...descriptions.values()], enriching.operands);
    const active = closing(createActiveFilters(linked.filters, fieldsOf), (opened) => opened.close());
    const connection = kafkaConnection(settings);
    const publisher =
      connection === null || role === "serve"
        ? null
        : closing(
            createHitPublisher({
              kafka: connection,
              registryUrl: settings.SCHEMA_REGISTRY_URL ?? null,
              hits: archived.hits,
              alerts: archived.alerts,
              ...linked,
              viewer: anonymousViewer(descriptions.values()),
              log,
            }),
            (opened) => opened.close(),
          );
    if (publisher !== null) watching.publisher(publisher);
    const holder = `${hostname()} ${process.pid}`;
    const enrichments = role === "serve" ? null : closing(await enriching.open(active), (opened) => opened.close());
    if (enrichments !== null) watching.catalogs(enrichments.catalogs.held);
    const feed = closing(
      createCorrectionFeed({
        corrections: archived.corrections,
        key: await patiently(() => archived.hits.cursorKey()),
        gapMs: settings.CLICKHOUSE_URL.length > 0 ? REPLICA_LAG_MS : 0,
        maxListeners: settings.MAX_SUBSCRIPTIONS,
      }),
      (opened) => opened.close(),
    );
    const corrections = createCorrections({
      ...{ filters: linked.filters, active, surveys: descriptions, feed, shared, log },
      stores: { ...archived, corrections: watching.corrections(archived.corrections, feed) },
      isBusy: () => archive.client.writing(),
    });
    const recent = createRecentHits(archived.hits);
    const matching =
      enrichments &&
      createMatching({
        tell: corrections.tell,
        stores: { ...archived, ...linked },
        hits: recent,
        catalogs: enrichments.catalogs,
        surveys: [...descriptions.keys()],
        scope: settings.GRAPH_SCOPE,
        log,
      });
    const ingestion =
      enrichments === null || matching === null
        ? null
        : closing(
            await openIngestion({
              stores: { ...archived, packets, links: linked.links },
              inFlight: createInFlightQuery(client),
              active,
              enrichments: enrichments.steps,
              lease: shared
                ? createLease(graph, "sequencer", { holder, seconds: LEASE_SECONDS })
                : soleLease(graph, "sequencer"),
              shared,
              scope: settings.GRAPH_SCOPE,
              hub,
              recent,
              onEntered: matching.follower.enter,
              // Neither a broker that hangs nor links to catalogs must hold up a batch.
              followers: [matching.follower, ...(publisher === null ? [] : [publisher])].map(({ catchUp }) => {
                return { catchUp, isAwaited: false };
              }),
              outages,
              watching,
              log,
            }),
            (opened) => opened.close(),
          );
    const marks = closing(
      openMarks({
        stores: archived,
        surveys: [...descriptions.keys()],
        held: enrichments?.marks ?? null,
        shared,
        mayRun: () => ingestion !== null && ingestion.sequencer.epoch !== null,
        isBusy: () => archive.client.writing(),
        tell: corrections.tell,
        log,
      }),
      (opened) => opened.close(),
    );
    if (ingestion && matching)
      closing(
        matching.start(() => ingestion.sequencer.epoch !== null),
        (stop) => stop(),
      );
    if (ingestion)
      closing(
        corrections.start(() => ingestion.sequencer.epoch !== null),
        (stop) => stop(),
      );
    // A new stream's topic is made at once, not with the next hit.
    if (ingestion && publisher) closing(linked.filters.onChange(ingestion.sequencer.nudge), (stop) => stop());
    const reading = ingestion && kafkaReading(settings);
    const stream =
      ingestion === null || reading === null
        ? null
        : closing(
            openStream(
              { ...reading, schemas: schemasOfSettings(settings), log: (line) => log.warn(line) },
              ingestion.pipeline,
              log,
            ),
            (opened) => opened.close(),
          );
    if (ingestion !== null) watching.receipts(archived.receipts, () => ingestion.sequencer.epoch !== null);
    if (stream !== null) watching.kafka(() => stream.source);
    const control = ingestion && createControl(settings, ingestion);
    const replay = ingestion && letterReplayer(settings, archived.deadLetters, ingestion.pipeline);
    const records = replay && createRecords({ ...archived, surveys: descriptions, replay, ...corrections });
    const claims = shared ? sharedClaims(graph) : createClaims(null);
    const catalogs = createCatalogs(archived.catalogs, claims);
    const catalogFolder = settings.CATALOG_DIR ?? join(settings.DATA_DIR, "catalogs");
    const keeper =
      role === "serve"
        ? null
        : closing(createKeeper(catalogs, catalogFolder, createUploads(join(settings.DATA_DIR, "uploads"))), (opened) =>
            opened.close(),
          );
    const lightCurves = createLightCurves(archived.archival, claims);
    const lightCurveKeeper =
      role === "serve" ? null : closing(createLightCurveKeeper(lightCurves, catalogFolder), (opened) => opened.close());
    if (lock && control && records) {
      handleControl(lock, { control, records, catalogs, lightCurves });
      closing(lock, () => lock.hangUp());
    }
    const packetReader = createPacketReader({ alerts: archived.alerts, packets });
    return {
      control,
      ingestion,
      stream,
      publisher,
      packetReader,
      records,
      letters: archived.deadLetters,
      services: {
        stores: { ...archived, ...linked, packets: packetReader },
        surveys: descriptions,
        language: createFilterLanguage(fieldsOf),
        design: createFilterDesign(fieldsOf),
        costLimit: settings.FILTER_COST_LIMIT,
        hub,
        corrections: feed,
        models,
        marks,
        matchedCatalogs: () => archived.catalogs.active(),
        streams: connection !== null,
        ...(keeper !== null && { catalogs: keeper }),
        ...(lightCurveKeeper !== null && { lightCurves: lightCurveKeeper }),
        ...(replay !== null && { replay }),
      },
      watching,
      busy: () => archive.client.writing(),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function needsServers(role: string): TocsinError {
  return new TocsinError("BAD_SETTING", `TOCSIN_ROLE=${role} works on servers that all processes share.`, {
    remedy: "Set CLICKHOUSE_URL and NEO4J_URL, or leave TOCSIN_ROLE at all.",
  });
}
