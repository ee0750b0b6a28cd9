// A world of hits for the publisher's tests: any number of publishers of one archive, and what readers find in Kafka.
import { randomBytes, randomUUID } from "node:crypto";
import type { DeliveredHit, FilterStream, StreamFormat } from "../../domain/filter.js";
import type { Viewer } from "../../domain/viewer.js";
import { MemoryHits } from "../../test/memoryhits.js";
import { python } from "../../test/python.js";
import { createHitPublisher, type HitPublisher } from "./publisher.js";
import { hitTopic } from "./topic.js";

const ANYBODY: Viewer = { scope: "anonymous", programids: new Map([["ZTF", [1]]]), mayChange: false };
const OBJECTS = 17;

export class World {
  readonly memory = new MemoryHits();
  readonly streams = new Map<string, FilterStream>();
  readonly checkpoints = new Map<string, bigint>();
  readonly lines: string[] = [];

  /** `key`: of the archive's cursors; publishers of one key take over from each other. */
  constructor(
    readonly brokers: string,
    readonly key: Uint8Array = randomBytes(16),
  ) {}

  /** A filter whose hits go to a topic from now on. */
  filter(format: StreamFormat): string {
    const id = randomUUID();
    this.switchOn(id, format);
    return id;
  }

  switchOn(filterId: string, format: StreamFormat): void {
    this.streams.set(filterId, { format, after: this.memory.stored.at(-1)?.seq ?? 0n });
  }

  /** Further hits of these filters, several of each object, every tenth of a partnership's alert. */
  store(count: number, filterIds: readonly string[]): DeliveredHit[] {
    const { stored } = this.memory;
    const from = stored.length;
    const drafts = Array.from({ length: count }, (_, i) => ({
      filterId: filterIds[(from + i) % filterIds.length]!,
      programid: (from + i) % 10 === 9 ? 2 : 1,
      annotations: i % 2 === 0 ? null : JSON.stringify({ mag: i / 3, id: "9007199254740993", real: true, none: null }),
    }));
    this.memory.store(...drafts);
    for (let i = from; i < stored.length; i += 1) {
      const hit = stored[i]!;
      const objectId = `ZTF26${String(i % OBJECTS)}`;
      stored[i] = { ...hit, objectId, alert: { ...hit.alert, objectId } };
    }
    return stored.slice(from);
  }

  /** `alone`: it shares no graph with the others, so that Kafka alone knows the position. */
  publisher(more: { brokers?: string; registryUrl?: string; alone?: boolean; gapMs?: number } = {}): HitPublisher {
    const line = (...of: unknown[]) => void this.lines.push(String(of[1]));
    const checkpoints = more.alone ? new Map<string, bigint>() : this.checkpoints;
    return createHitPublisher({
      kafka: { brokers: [more.brokers ?? this.brokers] },
      registryUrl: more.registryUrl ?? null,
      hits: { ...this.memory.hits, cursorKey: async () => this.key },
      alerts: this.memory.alerts,
      filters: { streams: async () => new Map(this.streams) },
      links: {
        checkpoint: async (feed) => checkpoints.get(feed) ?? 0n,
        setCheckpoint: async (feed, seq) => void checkpoints.set(feed, seq),
      },
      viewer: ANYBODY,
      log: { warn: line },
      ...(more.gapMs !== undefined && { gapMs: more.gapMs }),
    });
  }

  /** Candids that the topic of a filter has to hold, by key, in their order. */
  due(filterId: string, after = 0n): Record<string, string[]> {
    const hits = this.memory.stored.filter(
      (hit) => hit.filterId === filterId && hit.programid === 1 && hit.seq > after,
    );
    const byKey: Record<string, string[]> = {};
    for (const { survey, objectId, candid } of hits) {
      const key = `${survey}:${objectId}`;
      byKey[key] = [...(byKey[key] ?? []), candid.toString()];
    }
    return byKey;
  }
}

/** Candids in a topic by key, in the order in which a reader of committed messages gets them. */
export function readTopics(
  brokers: string,
  topics: readonly string[],
  client: keyof typeof READ = "confluent-kafka",
): Record<string, string[]>[] {
  const found = python<Record<string, Record<string, string[]>>>(READ[client], {
    brokers,
    topics,
    group: randomUUID(),
  });
  return topics.map((topic) => found[topic] ?? {});
}

export const topicOf = (filterId: string, format: StreamFormat): string => hitTopic(filterId, format);

const READ = {
  "confluent-kafka": `
from confluent_kafka import Consumer, KafkaError
consumer = Consumer({"bootstrap.servers": input["brokers"], "group.id": input["group"], "auto.offset.reset": "earliest",
  "enable.partition.eof": True, "enable.auto.commit": False, "isolation.level": "read_committed"})
consumer.subscribe(input["topics"])
found, ended = {}, set()
while len(ended) < 4 * len(input["topics"]):
    message = consumer.poll(30)
    if message is None: raise TimeoutError(str(ended))
    if message.error():
        if message.error().code() == KafkaError._PARTITION_EOF: ended.add((message.topic(), message.partition()))
        elif not message.error().retriable(): raise Exception(message.error())
        continue
    headers = {name: text.decode() for name, text in message.headers()}
    found.setdefault(message.topic(), {}).setdefault(message.key().decode(), []).append(headers["candid"])
consumer.close()
print(json.dumps(found))
`,
  "kafka-python": `
from kafka import KafkaConsumer
found = {}
for message in KafkaConsumer(*input["topics"], bootstrap_servers=input["brokers"], group_id=input["group"],
        auto_offset_reset="earliest", isolation_level="read_committed", consumer_timeout_ms=10000):
    headers = {name: text.decode() for name, text in message.headers}
    found.setdefault(message.topic, {}).setdefault(message.key.decode(), []).append(headers["candid"])
print(json.dumps(found))
`,
};
