// The first bookmarks of a group that does not begin at the beginning: without them a restart before the first commit would begin
// somewhere else. Called by source.ts.
import { setTimeout as delay } from "node:timers/promises";
import type { Admin } from "kafkajs";
import { bookmarks, offsetsAt, type PartitionOffset } from "./bookmarks.js";
import type { Start } from "./start.js";

const LOOK_EVERY_MS = 200;
const LOOKS = 30;

export interface FirstBookmarks {
  readonly group: string;
  readonly topics: readonly string[];
  readonly start: Start;
  /** The group's leader sets them; the other members wait until it has. */
  readonly isLeader: boolean;
  readonly commit: (offsets: readonly PartitionOffset[]) => Promise<void>;
}

/**
 * Bookmarks for those partitions of the topics that have none; resolves with them. "latest" is where a new group begins:
 * topics that come up later, even while no worker runs, are read from their beginning, so that none of their alerts is lost.
 */
export async function setFirstBookmarks(admin: Admin, options: FirstBookmarks): Promise<PartitionOffset[]> {
  const { group, topics, start, isLeader, commit } = options;
  const before = await bookmarks(admin, group, []);
  const from: Start = start.at === "latest" && before.length > 0 ? { at: "earliest" } : start;
  const missing = without(before, await offsetsAt(admin, from, topics));
  if (missing.length === 0) return [];
  if (isLeader) {
    await commit(missing);
    return missing;
  }
  for (let look = 0; look < LOOKS; look += 1) {
    const now = await bookmarks(admin, group, topics);
    if (without(now, missing).length === 0) return now.filter((at) => missing.some((other) => isSame(at, other)));
    await delay(LOOK_EVERY_MS);
  }
  throw new Error("the leader of the group sets no bookmarks");
}

const isSame = (a: PartitionOffset, b: PartitionOffset): boolean => a.topic === b.topic && a.partition === b.partition;

const without = (known: readonly PartitionOffset[], all: readonly PartitionOffset[]): PartitionOffset[] =>
  all.filter((at) => !known.some((other) => isSame(at, other)));
