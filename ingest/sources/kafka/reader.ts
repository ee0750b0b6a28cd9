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

  /** What is no longer ours is forgotten: its items in flight are stored, and its new reader stores them again. */
  assign(assignment: Assignment): void {
    this.#assignment = assignment;
    const ours = new Set(Object.entries(assignment).flatMap(([topic, ids]) => ids.map((id) => keyOf(topic, id))));
    for (const key of this.#partitions.keys()) if (!ours.has(key)) this.#partitions.delete(key);
    for (const key of this.#withoutSchema) if (!ours.has(key)) this.#schemaFound(key);
  }

  /** Hand on a batch, waiting for room where there is none. */
  async read({ batch, resolveOffset, pause, waitFor }: BatchInHand): Promise<void> {
    const receivedAt = Date.now();
    const offsets = this.#offsetsOf(batch.topic, batch.partition, BigInt(batch.messages[0]!.offset));
    const key = keyOf(batch.topic, batch.partition);
    for (const fetched of batch.messages) {
      const offset = BigInt(fetched.offset);
      // After a rebalance a batch begins at the bookmark, and what is in flight comes a second time.
      if (offset >= offsets.next) {
        let items: readonly KafkaItem[];
        try {
          items = await waitFor(itemsOf(messageOf(batch, fetched, offset), this.#schemas, receivedAt));
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
    return [...this.#partitions.values()]
      .filter(({ bookmark, confirmed }) => bookmark > confirmed)
      .map(({ topic, partition, bookmark }) => ({ topic, partition, offset: bookmark }));
  }

  confirm(committed: readonly PartitionOffset[]): void {
    for (const { topic, partition, offset } of committed) {
      const offsets = this.#partitions.get(keyOf(topic, partition));
      if (offsets !== undefined && offset > offsets.confirmed) offsets.confirmed = offset;
    }
  }

  /** A batch that begins before the confirmed bookmark is of a topic that was deleted and made anew. */
  #offsetsOf(topic: string, partition: number, first: bigint): PartitionOffsets {
    const key = keyOf(topic, partition);
    const known = this.#partitions.get(key);
    if (known !== undefined && first >= known.confirmed) return known;
    const fresh = new PartitionOffsets(topic, partition, first);
    this.#partitions.set(key, fresh);
    return fresh;
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
