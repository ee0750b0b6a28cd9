// What only a process that takes alerts in has: steps, pipeline and sequencer, the work on what is archived already, and
// where packets come from. Called by cli/service.ts.
import type { ActiveFilters } from "../filters/active.js";
import type { Tell } from "../ingest/corrections/teller.js";
import type { HeldMarks } from "../ingest/marks/held.js";
import type { Pipeline } from "../ingest/pipeline.js";
import { createRecentHits } from "../ingest/recent.js";
import type { Replayer } from "../ingest/replay.js";
import type { Control } from "./control.js";
import { createCorrections } from "./corrections.js";
import { isShared } from "./engines.js";
import type { Enriching } from "./enriching.js";
import { type Ingestion, openIngestion } from "./ingestion.js";
import { createControl } from "./intake.js";
import { kafkaReading } from "./kafka.settings.js";
import type { Live, LiveParts } from "./live.js";
import { createMatching } from "./matching.js";
import { createRecords, type Records } from "./records.js";
import { letterReplayer } from "./replays.js";
import { schemasOfSettings } from "./schemas.js";
import type { Stream } from "./stream.js";

export interface WritingParts extends LiveParts {
  readonly live: Live;
  readonly active: ActiveFilters;
  readonly enriching: Enriching;
}

export interface Writing {
  readonly control: Control;
  readonly ingestion: Ingestion;
  /** Null where no topics are read. */
  readonly stream: Stream | null;
  readonly records: Records;
  readonly replay: Replayer;
  /** What the step of marks holds in memory. */
  readonly held: HeldMarks;
  readonly tell: Tell;
  /** Whether this process numbers hits; it does for all what one process does. */
  readonly mayRun: () => boolean;
}

/** Finishes what a crash interrupted before it resolves. */
export async function openWriting(parts: WritingParts): Promise<Writing> {
  const { settings, surveys, opened, watching, outages, log, active, enriching } = parts;
  const { archived, linked, packets, inFlight, lease, isBusy } = parts.stores;
  const { hub, feed, publisher } = parts.live;
  const [shared, scope] = [isShared(settings), settings.GRAPH_SCOPE];

  const enrichments = opened.keep(await enriching.open(active));
  watching.catalogs(enrichments.catalogs.held);
  const corrections = createCorrections({
    ...{ filters: linked.filters, active, surveys, feed, shared, isBusy, log },
    stores: { ...archived, corrections: parts.live.corrections },
  });
  const recent = createRecentHits(archived.hits);
  const { catalogs } = enrichments;
  const matching = createMatching({
    ...{ tell: corrections.tell, hits: recent, catalogs, surveys: [...surveys.keys()], scope, log },
    stores: { ...archived, ...linked },
  });
  const ingestion = opened.keep(
    await openIngestion({
      ...{ inFlight, active, lease, shared, scope, hub, recent, outages, watching, log },
      stores: { ...archived, packets, links: linked.links },
      enrichments: enrichments.steps,
      onEntered: matching.follower.enter,
      // Neither a broker that hangs nor links to catalogs must hold up a batch.
      followers: [matching.follower, ...(publisher === null ? [] : [publisher])].map(({ catchUp }) => {
        return { catchUp, isAwaited: false };
      }),
    }),
  );
  const { pipeline, sequencer } = ingestion;
  const mayRun = (): boolean => sequencer.epoch !== null;
  watching.receipts(archived.receipts, mayRun);
  opened.onClose(matching.start(mayRun));
  opened.onClose(corrections.start(mayRun));
  // A new stream's topic is made at once, not with the next hit.
  if (publisher !== null) opened.onClose(linked.filters.onChange(sequencer.nudge));

  const replay = letterReplayer(settings, archived.deadLetters, pipeline);
  return {
    control: createControl(settings, ingestion),
    ingestion,
    stream: await openTopics(parts, pipeline),
    records: createRecords({ ...archived, surveys, replay, ...corrections }),
    replay,
    held: enrichments.marks,
    tell: corrections.tell,
    mayRun,
  };
}

async function openTopics(
  { settings, opened, watching, log }: WritingParts,
  pipeline: Pipeline,
): Promise<Stream | null> {
  const reading = kafkaReading(settings);
  if (reading === null) return null;
  const options = { ...reading, schemas: schemasOfSettings(settings), log: (line: string) => log.warn(line) };
  // Kafka's client is loaded only where topics are read.
  const { openStream } = await import("./stream.js");
  const stream = opened.keep(openStream(options, pipeline, log));
  watching.kafka(() => stream.source);
  return stream;
}
