// Moves the bookmarks of a group that nobody reads with. Called by cli/kafka.ts.
import type { Kafka } from "kafkajs";
import { TocsinError } from "../../../domain/errors.js";
import type { PartitionOffset } from "./bookmarks.js";
import { sentence, withAdmin } from "./client.js";
import { openSession } from "./session.js";

/** Kafka lets only members commit: this joins, commits and leaves. Throws GROUP_IN_USE, ENGINE_UNAVAILABLE. */
export async function moveBookmarks(kafka: Kafka, group: string, moves: readonly PartitionOffset[]): Promise<void> {
  const { groups } = await withAdmin(kafka, (admin) => admin.describeGroups([group]));
  const members = groups[0]?.members.length ?? 0;
  if (members > 0) {
    const workers = members === 1 ? "One worker reads" : `${members} workers read`;
    throw new TocsinError("GROUP_IN_USE", `${workers} as group ${group}.`, {
      remedy: "Stop all of them; one that was killed is given up by Kafka after 10 s.",
    });
  }
  let told: () => void = () => {};
  const moved = new Promise<null>((resolve) => {
    told = () => resolve(null);
  });
  const session = await openSession({
    kafka,
    group,
    topics: [...new Set(moves.map(({ topic }) => topic))],
    onJoin() {},
    onBeat() {},
    onCommitted: () => told(),
    prepare: (joined) => joined.commit(moves),
    onBatch: async () => {},
  });
  const crash = await Promise.race([moved, session.crashed]);
  await session.end();
  if (crash === null) return;
  throw new TocsinError("ENGINE_UNAVAILABLE", `The bookmarks were not moved: ${sentence(crash)}.`, { cause: crash });
}
