// Hits of filters with a stream go to their Kafka topics, each once, in the order of seq. Made by cli/; the process that
// numbers hits calls catchUp.
import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import { TocsinError } from "../../domain/errors.js";
import type { FilterStream, Hit } from "../../domain/filter.js";
import { maySee, type Viewer } from "../../domain/viewer.js";
import type { AlertStore } from "../../stores/alerts.store.js";
import type { FilterStore } from "../../stores/filters.store.js";
import type { HitStore } from "../../stores/hits.store.js";
import type { LinkStore } from "../../stores/links.store.js";
import { createHitCursors, type HitCursors } from "../cursor.js";
import { consecutive, withAlerts } from "../log.js";
import type { Broker, BrokerSettings, TopicMessage } from "./broker.js";
import { avroHeader } from "./framing.js";
import { hitMessage } from "./message.js";
import { hitTopic, publisherId } from "./topic.js";

/** Hits of one transaction at most. */
const PAGE = 1_000;
/** Replicas further behind are not asked by ClickHouse: what they all do not show after this time was never given. */
const GAP_MS = 5 * 60_000;
/** A part that a replica is about to fetch is looked for so often before the call fails. */
const LOOKS = 5;
const LOOK_MS = 200;

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
  readonly log: Pick<Logger, "warn">;
  /** For tests: how long a missing seq is waited for. */
  readonly gapMs?: number;
}

export interface HitPublisher {
  /**
   * Publishes every hit numbered so far. Calls while one is at work wait for one more round, together. Throws what the
   * stores throw, and ENGINE_UNAVAILABLE where Kafka or the registry does not answer; nothing is lost: call again. Do not
   * let numbering wait for it: a broker that hangs takes seconds.
   */
  catchUp(): Promise<void>;
  /** Hits numbered and not yet looked at; 0n where no filter has a stream. */
  behind(): bigint;
  close(): Promise<void>;
}

export function createHitPublisher(parts: HitPublisherParts): HitPublisher {
  const { hits, filters, links, viewer, log, gapMs = GAP_MS } = parts;
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
  /** performance.now() at which the hit after `position` was first found missing before later ones. */
  let missingSince: number | null = null;

  async function begin(): Promise<Broker> {
    if (identity === null) {
      const key = await hits.cursorKey();
      identity = { id: publisherId(key), cursors: createHitCursors(key) };
    }
    // Kafka's client is loaded only where something is published.
    const { takeOver } = await import("./broker.js");
    broker = await takeOver(parts.kafka, identity.id);
    const known = await links.checkpoint(identity.id);
    position = broker.position !== null && broker.position > known ? broker.position : known;
    latest = await hits.lastSeq();
    if (position > latest) {
      log.warn(
        { published: position.toString(), stored: latest.toString() },
        "hits are published beyond the archive's end, as if it came from a backup: none is published until it is there again",
      );
    }
    return broker;
  }

  async function publishAll(): Promise<void> {
    streams = await filters.streams();
    if (streams.size === 0) return;
    latest = await hits.lastSeq();
    const to = broker ?? (await begin());
    while (!closed) {
      const began = [...streams.values()].reduce((least, { after }) => (after < least ? after : least), latest);
      if (began > position) position = began;
      await to.create(topics());
      const page = await nextPage();
      if (page.length === 0) return;
      // After the page: whatever was switched on before one of these hits was numbered is among them.
      streams = await filters.streams();
      await to.create(topics());
      const upTo = page.at(-1)!.seq;
      const messages = await messagesOf(page);
      if (messages.length > 0) await to.publish(messages, upTo);
      position = upTo;
      await links.setCheckpoint(identity!.id, upTo);
    }
  }

  /**
   * The next hits, without a gap before or between them: a replica may show later ones first, and what is passed over is
   * never published.
   */
  async function nextPage(): Promise<readonly Hit[]> {
    for (let look = 1; ; look += 1) {
      const page = await hits.since(position, PAGE);
      const ready = consecutive(position, page);
      if (ready.length > 0 || page.length === 0) {
        missingSince = null;
        return ready;
      }
      missingSince ??= performance.now();
      const first = page[0]!.seq;
      const gap = { from: String(position + 1n), to: String(first - 1n) };
      if (performance.now() - missingSince > gapMs) {
        log.warn(gap, "the archive has no hits of these numbers, and none were published");
        missingSince = null;
        return consecutive(first - 1n, page);
      }
      if (look === LOOKS) {
        throw new TocsinError("ENGINE_UNAVAILABLE", `The archive does not show hits ${gap.from} to ${gap.to} yet.`, {
          engine: "archive",
        });
      }
      await delay(LOOK_MS);
    }
  }

  const topics = () => [...streams].map(([filterId, { format }]) => hitTopic(filterId, format));

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
    try {
      await publishAll();
    } catch (error) {
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
