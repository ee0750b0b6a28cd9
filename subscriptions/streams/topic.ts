// Names in Kafka: the topic of a filter's hits, and what the publisher of an archive is known by. Used by the publisher,
// and by resolvers/filter, which shows the topic.
import { createHash } from "node:crypto";
import type { StreamFormat } from "../../domain/filter.js";

/** Its offsets say how far each archive's hits are published. No message is ever in it. */
export const POSITION_TOPIC = "tocsin.hits.position";

/**
 * The filter's id makes the name, so a renamed filter keeps its topic; another format is another topic, so a reader never
 * meets two. Ids are UUIDs: with them the name is 54 of the 249 characters, and all of the characters, that Kafka takes.
 */
export const hitTopic = (filterId: string, format: StreamFormat): string =>
  `tocsin.hits.${filterId}.${format.toLowerCase()}`;

/**
 * Transactional id, and group of the position: fixed for an archive (`key`: HitStore.cursorKey()), so that the broker
 * knows who takes over from whom, and two archives on one broker stay apart. Does not tell the key.
 */
export const publisherId = (key: Uint8Array): string =>
  `tocsin.hits.${createHash("sha256").update("publisher").update(key).digest("hex").slice(0, 16)}`;
