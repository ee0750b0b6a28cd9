// Where the packets of a batch came from, in few words. Called by watching.batches.ts.
import type { Origin } from "../domain/packet.js";

/** Files of a batch that are named at most. */
const MOST_FILES = 8;

/** "topic/partition: first-last" for each partition of Kafka, and files by their paths. */
export function originsOf(items: readonly { readonly origin: Origin }[]): string[] {
  const ranges = new Map<string, { first: bigint; last: bigint }>();
  const files = new Set<string>();
  for (const { origin } of items) {
    const { source, partition, offset } = origin;
    if (partition === undefined || offset === undefined) {
      if (files.size < MOST_FILES) files.add(source);
      continue;
    }
    const key = `${source}/${partition}`;
    const range = ranges.get(key);
    if (range === undefined) ranges.set(key, { first: offset, last: offset });
    else if (offset > range.last) range.last = offset;
    else if (offset < range.first) range.first = offset;
  }
  return [...[...ranges].map(([key, { first, last }]) => `${key}: ${first}-${last}`), ...files];
}
