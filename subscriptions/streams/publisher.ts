// Hits of filters with a stream go to their Kafka topics, each once, in the order of seq. Made by cli/; the process that
// numbers hits calls catchUp.
import type { Logger } from "pino";
import { TocsinError } from "../../domain/errors.js";
import type { FilterStream, Hit } from "../../domain/filter.js";
import { maySee, type Viewer } from "../../domain/viewer.js";
import type { AlertStore } from "../../stores/alerts.store.js";
import type { FilterStore } from "../../stores/filters.store.js";
import type { HitStore } from "../../stores/hits.store.js";
import type { LinkStore } from "../../stores/links.store.js";
import { createHitCursors, type HitCursors } from "../cursor.js";
import { withAlerts } from "../log.js";
import { type Broker, type BrokerSettings, type TopicMessage, takeOver } from "./broker.js";
import { avroHeader } from "./framing.js";
import { hitMessage } from "./message.js";
import { hitTopic, publisherId } from "./topic.js";

/** Hits of one transaction at most. */
const PAGE = 1_000;
/** After a failure, calls within this time fail at once. */
const PAUSE_MS = 1_000;

export interface HitPublisherParts {
  readonly kafka: BrokerSettings;
  /** A Confluent schema registry; null where there is none. */
  readonly registryUrl: string | null;
  readonly hits: Pick<HitStore, "since" | "page" | "lastSeq" | "cursorKey">;
  readonly alerts: Pick<AlertStore, "byCandid">;
  readonly filters: Pick<FilterStore, "streams">;
  /** Knows the position too, for brokers that have forgotten it: they do so after a week without a commit. */
  readonly links: Pick<LinkStore, "checkpoint" | "setCheckpoint">;
  /** What it may not see is not published: a topic's readers are not known by their rights. */
  readonly viewer: Viewer;
  readonly log: Pick<Logger, "info" | "warn">;
}

export interface HitPublisher {
  /**
   * Publishes every hit numbered so far. Calls while one is at work wait for one more round, together. Throws
   * ENGINE_UNAVAILABLE, with nothing lost: call again. Do not let numbering wait for it: a broker that hangs takes seconds.
   */
  catchUp(): Promise<void>;
  /** Hits numbered and not yet looked at; 0n where no filter has a stream. */
  behind(): bigint;
  close(): Promise<void>;
}

export function createHitPublisher(parts: HitPublisherParts): HitPublisher {
  const { hits, filters, links, viewer, log } = parts;
  const avroHeaders = new Map<string, Buffer>();
  let broker: Broker | null = null;
  let identity: { readonly id: string; readonly cursors: HitCursors } | null = null;
  let streams: ReadonlyMap<string, FilterStream> = new Map();
  /** Every hit up to here is published or not wanted. */
  let position = 0n;
  let latest = 0n;
  let closed = false;
  let running: Promise<void> | null = null;
  let next: Promise<void> | null = null;
  let failed: { readonly error: unknown; readonly until: number } | null = null;

  async function open(): Promise<Broker> {
    if (identity === null) {
      const key = await hits.cursorKey();
      identity = { id: publisherId(key), cursors: createHitCursors(key) };
    }
    const opened = await takeOver(parts.kafka, identity.id);
    const known = await links.checkpoint(identity.id);
    position = opened.position !== null && opened.position > known ? opened.position : known;
    latest = await hits.lastSeq();
    if (position > latest) {
      log.warn(
        { published: position.toString(), stored: latest.toString() },
        "hits are published beyond the archive's end, as if it came from a backup: none is published until it is there again",
      );
    }
    return opened;
  }

  async function publishAll(): Promise<void> {
    streams = await filters.streams();
    if (streams.size === 0) return;
    latest = await hits.lastSeq();
    broker ??= await open();
    let page: readonly Hit[];
    do {
      const began = [...streams.values()].reduce((least, { after }) => (after < least ? after : least), latest);
      if (began > position) position = began;
      await broker.create([...streams].map(([filterId, { format }]) => hitTopic(filterId, format)));
      page = await hits.since(position, PAGE);
      if (page.length === 0) return;
      // After the page: whatever was switched on before one of these hits was numbered is among them.
      streams = await filters.streams();
      const upTo = page.at(-1)!.seq;
      const messages = await messagesOf(page);
      if (messages.length > 0) await broker.publish(messages, upTo);
      position = upTo;
      await links.setCheckpoint(identity!.id, upTo);
    } while (page.length === PAGE && !closed);
  }

  async function messagesOf(page: readonly Hit[]): Promise<TopicMessage[]> {
    const wanted = page.filter(({ filterId, seq, survey, programid }) => {
      const stream = streams.get(filterId);
      return stream !== undefined && seq > stream.after && maySee(viewer, survey, programid);
    });
    const messages: TopicMessage[] = [];
    for (const hit of await withAlerts({ hits, alerts: parts.alerts }, viewer, wanted)) {
      const { format } = streams.get(hit.filterId)!;
      const topic = hitTopic(hit.filterId, format);
      const header = format === "AVRO" ? await headerOf(topic) : null;
      messages.push({ topic, message: hitMessage(hit, identity!.cursors.text(hit.seq), header) });
    }
    return messages;
  }

  async function headerOf(topic: string): Promise<Buffer> {
    const header = avroHeaders.get(topic) ?? (await avroHeader(topic, parts.registryUrl));
    avroHeaders.set(topic, header);
    return header;
  }

  async function run(): Promise<void> {
    if (closed) throw new TocsinError("ENGINE_UNAVAILABLE", "The publisher of hits is closed.");
    if (failed !== null && Date.now() < failed.until) throw failed.error;
    try {
      await publishAll();
      if (failed !== null) log.info({ behind: behind().toString() }, "hits are published to Kafka again");
      failed = null;
    } catch (error) {
      if (failed === null) log.warn({ err: error }, "hits are not published to Kafka; they will be, none is lost");
      failed = { error, until: Date.now() + PAUSE_MS };
      void broker?.close();
      broker = null;
      throw error;
    }
  }

  function behind(): bigint {
    return streams.size > 0 && latest > position ? latest - position : 0n;
  }

  function catchUp(): Promise<void> {
    if (running === null) {
      running = run().finally(() => {
        running = null;
      });
      return running;
    }
    next ??= running
      .catch(() => {})
      .then(() => {
        next = null;
        return catchUp();
      });
    return next;
  }

  return {
    catchUp,
    behind,
    async close() {
      closed = true;
      await running?.catch(() => {});
      await broker?.close();
    },
  };
}
