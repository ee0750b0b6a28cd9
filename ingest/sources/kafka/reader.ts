// From fetched batches to the queue that the pipeline reads, and from what is stored to the bookmarks: the state that outlives a
// consumer. Called by source.ts.
import type { KafkaMessage as FetchedMessage } from "kafkajs";
import type { SchemaLookup } from "../../avro/confluent.js";
import type { PartitionOffset } from "./bookmarks.js";
import { itemsOf, type KafkaItem, type KafkaMessage, SchemasUnavailable } from "./message.js";
import { type Delivery, PartitionOffsets } from "./offsets.js";
import { ByteQueue } from "./queue.js";
import type { Assignment, BatchInHand } from "./session.js";
import { faultOf } from "./unreadable.js";

/** What an item costs besides its bytes. */
const ITEM_BYTES = 512;
/** A partition whose schema cannot be asked for is left alone so long; the others go on. */
const SCHEMA_PAUSE_MS = 2_000;

export interface ReaderOptions {
  readonly schemas: SchemaLookup;
  readonly maxWaitingBytes: number;
  /** Schemas cannot be asked for (told once), or can again (null). */
  readonly onSchemas: (fault: Error | null) => void;
}

const keyOf = (topic: string, partition: number): string => `${topic}/${partition}`;
const partsOf = (key: string): [string, number] => {
  const [topic, partition] = key.split("/") as [string, string];
  return [topic, Number(partition)];
};

export class Reader {
  readonly queue: ByteQueue<KafkaItem>;
  readonly #schemas: SchemaLookup;
  readonly #onSchemas: (fault: Error | null) => void;
  readonly #partitions = new Map<string, PartitionOffsets>();
  readonly #deliveries = new WeakMap<KafkaItem, Delivery>();
  readonly #withoutSchema = new Set<string>();
  #assignment: Assignment = {};

  constructor({ schemas, maxWaitingBytes, onSchemas }: ReaderOptions) {
    this.queue = new ByteQueue(maxWaitingBytes);
    this.#schemas = schemas;
    this.#onSchemas = onSchemas;
  }

  get assignment(): Assignment {
    return this.#assignment;
  }

  /**
   * Partitions that are no longer ours are remembered: when they come back, what is still on its way through the pipeline
   * is not read a second time. That stays true while others have them: they began at a bookmark of ours.
   */
  assign(assignment: Assignment): void {
    this.#assignment = assignment;
    for (const offsets of this.#partitions.values()) offsets.rejoin();
    for (const key of this.#withoutSchema) if (!this.#isOurs(...partsOf(key))) this.#schemaFound(key);
  }

  /** Topics that are there; what is known of others is forgotten. */
  keep(topics: readonly string[]): void {
    for (const [key, { topic }] of this.#partitions) if (!topics.includes(topic)) this.#partitions.delete(key);
  }

  /** Hand on a batch, waiting for room where there is none. */
  async read({ batch, resolveOffset, pause, waitFor }: BatchInHand): Promise<void> {
    const receivedAt = Date.now();
    const offsets = this.#offsetsOf(batch.topic, batch.partition, BigInt(batch.messages[0]!.offset));
    const key = keyOf(batch.topic, batch.partition);
    // What Kafka leaves out between two messages of a batch is no message.
    let next: bigint | null = null;
    for (const fetched of batch.messages) {
      const offset = BigInt(fetched.offset);
      const since: bigint = next ?? offset;
      next = offset + 1n;
      // After a rebalance a batch begins at the bookmark, and what is in flight comes a second time.
      if (offsets.lookAt(offset)) {
        let items: readonly KafkaItem[];
        try {
          items = await waitFor(itemsOf({ ...messageOf(batch, fetched, offset), since }, this.#schemas, receivedAt));
        } catch (error) {
          if (!(error instanceof SchemasUnavailable)) throw error;
          this.#schemaMissing(key, error.cause as Error);
          setTimeout(pause(), SCHEMA_PAUSE_MS).unref();
          return;
        }
        this.#schemaFound(key);
        const bytes = items.map((item) => ITEM_BYTES + (item.bytes?.length ?? 0));
        const total = bytes.reduce((sum, size) => sum + size, 0);
        while (!this.queue.hasRoom(total)) await waitFor(this.queue.taken());
        // While this waited, an end of the session may have given the partition to somebody else, or to us again.
        if (this.#partitions.get(key) !== offsets || offset < offsets.next) return;
        const delivery = offsets.handOn(offset, items.length);
        for (const [i, item] of items.entries()) {
          this.#deliveries.set(item, delivery);
          this.queue.push(item, bytes[i]!);
        }
      }
      resolveOffset(fetched.offset);
    }
    offsets.passTo(BigInt(batch.lastOffset()) + 1n);
  }

  stored(items: readonly KafkaItem[]): void {
    for (const item of items) {
      const delivery = this.#deliveries.get(item);
      if (delivery === undefined) continue;
      this.#deliveries.delete(item);
      delivery.of.stored(delivery);
    }
  }

  /** Bookmarks that are ahead of what the broker has confirmed. */
  toCommit(): PartitionOffset[] {
    return [...this.#partitions.values()].flatMap(({ topic, partition, toCommit: offset }) =>
      offset === null || !this.#isOurs(topic, partition) ? [] : [{ topic, partition, offset }],
    );
  }

  confirm(committed: readonly PartitionOffset[]): void {
    for (const { topic, partition, offset } of committed) {
      const offsets = this.#partitions.get(keyOf(topic, partition));
      if (offsets !== undefined && offset > offsets.confirmed) offsets.confirmed = offset;
    }
  }

  #offsetsOf(topic: string, partition: number, first: bigint): PartitionOffsets {
    const key = keyOf(topic, partition);
    const known = this.#partitions.get(key);
    if (known?.goesOnAt(first)) {
      known.readAt(first);
      return known;
    }
    const fresh = new PartitionOffsets(topic, partition, first);
    this.#partitions.set(key, fresh);
    return fresh;
  }

  #isOurs(topic: string, partition: number): boolean {
    return this.#assignment[topic]?.includes(partition) ?? false;
  }

  #schemaMissing(key: string, fault: Error): void {
    if (this.#withoutSchema.size === 0) this.#onSchemas(fault);
    this.#withoutSchema.add(key);
  }

  #schemaFound(key: string): void {
    if (this.#withoutSchema.delete(key) && this.#withoutSchema.size === 0) this.#onSchemas(null);
  }
}

function messageOf(batch: BatchInHand["batch"], fetched: FetchedMessage, offset: bigint): KafkaMessage {
  const { topic, partition } = batch;
  const time = Number(fetched.timestamp);
  const emittedAt = time > 0 ? time : null;
  return { topic, partition, offset, emittedAt, value: fetched.value, fault: faultOf(fetched.headers) };
}
