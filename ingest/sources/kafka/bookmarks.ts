// A group's bookmarks in topics: where it reads next, and where the topics begin and end. Called by source.ts and cli/kafka.ts.
import type { Admin } from "kafkajs";
import type { Start } from "./start.js";

export interface PartitionLag {
  readonly topic: string;
  readonly partition: number;
  /** The first offset that is not stored yet; null where the group has no bookmark. */
  readonly committed: bigint | null;
  /** The oldest offset that the broker still has. */
  readonly begin: bigint;
  /** The offset after the newest message. */
  readonly end: bigint;
}

export interface PartitionOffset {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
}

/** Messages that wait: from the bookmark, or from the beginning where there is none or what it points to is deleted. */
export const lagOf = ({ committed, begin, end }: PartitionLag): bigint =>
  end - (committed === null || committed < begin ? begin : committed);

/** All partitions of the topics, in order. */
export async function lags(admin: Admin, group: string, topics: readonly string[]): Promise<PartitionLag[]> {
  const committed = await bookmarks(admin, group, topics);
  const found: PartitionLag[] = [];
  for (const topic of topics) {
    const partitions = await admin.fetchTopicOffsets(topic);
    for (const { partition, low, high } of partitions.sort((a, b) => a.partition - b.partition)) {
      const bookmark = committed.find((at) => at.topic === topic && at.partition === partition);
      found.push({ topic, partition, committed: bookmark?.offset ?? null, begin: BigInt(low), end: BigInt(high) });
    }
  }
  return found;
}

/** The bookmarks that there are. An empty list of topics means all topics that the group has any in. */
export async function bookmarks(admin: Admin, group: string, topics: readonly string[]): Promise<PartitionOffset[]> {
  const found = await admin.fetchOffsets({ groupId: group, topics: [...topics] });
  return found
    .flatMap(({ topic, partitions }) =>
      partitions.map(({ partition, offset }) => ({ topic, partition, offset: BigInt(offset) })),
    )
    .filter(({ offset }) => offset >= 0n);
}

/** Where to begin in every partition of the topics. A time after the last message is the end. */
export async function offsetsAt(admin: Admin, start: Start, topics: readonly string[]): Promise<PartitionOffset[]> {
  const found: PartitionOffset[] = [];
  for (const topic of topics) {
    if (start.at === "time") {
      const partitions = await admin.fetchTopicOffsetsByTimestamp(topic, start.time);
      found.push(...partitions.map(({ partition, offset }) => ({ topic, partition, offset: BigInt(offset) })));
    } else {
      for (const { partition, low, high } of await admin.fetchTopicOffsets(topic)) {
        found.push({ topic, partition, offset: BigInt(start.at === "earliest" ? low : high) });
      }
    }
  }
  return found.sort((a, b) => (a.topic < b.topic ? -1 : a.topic > b.topic ? 1 : a.partition - b.partition));
}
