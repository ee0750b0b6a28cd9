// One Kafka message as packets or dead letters: an Avro container file (ZTF) or a Confluent frame (Rubin).
// Called by source.ts.
import type { DeadLetter, DeadLetterReason, Origin, Packet } from "../../../domain/packet.js";
import { looksFramed, type SchemaLookup } from "../../avro/confluent.js";
import { keptBytes, readContainer } from "../../avro/container.js";

export type KafkaItem = Packet | DeadLetter;

export interface KafkaMessage {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  /** Origin.since. */
  readonly since?: bigint;
  /** Epoch milliseconds; null where the broker says none. */
  readonly emittedAt: number | null;
  readonly value: Uint8Array | null;
  /** Why the broker's compressed batch could not be unpacked; `value` then holds what there is of it. */
  readonly fault: string | null;
}

/** No message may hold more, unpacked. Packets of today's surveys have 0.05 to 0.3 MB. */
const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;
const MAX_MESSAGE_RECORDS = 10_000;

/** The schema of a frame cannot be asked for now: the message is not at fault. The cause says why. */
export class SchemasUnavailable extends Error {}

/**
 * At least one item. What is wrong with the message is a dead letter that keeps its value (keptBytes). Throws
 * SchemasUnavailable.
 */
export async function itemsOf(
  message: KafkaMessage,
  schemas: SchemaLookup,
  receivedAt: number,
): Promise<readonly KafkaItem[]> {
  const { topic, partition, offset, value, fault } = message;
  const position = `partition ${partition} offset ${offset}`;
  const since = message.since ?? offset;
  const origin: Origin = { source: topic, position, partition, offset, ...(since < offset && { since }) };
  const times = { ...(message.emittedAt !== null && { emittedAt: message.emittedAt }), receivedAt };
  const letter = (reason: DeadLetterReason, text: string, schemaFingerprint: string | null = null): DeadLetter => {
    const bytes = value === null || value.length === 0 ? null : keptBytes(value);
    return { reason, message: text, origin, survey: null, bytes, schemaFingerprint };
  };
  const name = `The message at ${position} of ${topic}`;

  if (fault !== null) return [letter("MALFORMED", `${name} is in a batch that cannot be unpacked: ${fault}.`)];
  if (value === null || value.length === 0) return [letter("EMPTY", `${name} is empty.`)];
  const tooLarge = () => [
    letter("TOO_LARGE", `${name} holds more than ${MAX_MESSAGE_BYTES} bytes or ${MAX_MESSAGE_RECORDS} records.`),
  ];
  if (value.length > MAX_MESSAGE_BYTES) return tooLarge();
  if (looksFramed(value)) {
    const item = await schemas.packet(value, origin).catch((cause: unknown) => {
      throw new SchemasUnavailable("The schema cannot be asked for.", { cause });
    });
    return ["reason" in item ? item : { ...item, ...times }];
  }

  const items: KafkaItem[] = [];
  let bytes = 0;
  let hasLetter = false;
  for (const item of readContainer(value, name)) {
    bytes += "reason" in item ? 0 : item.bytes.length;
    if (bytes > MAX_MESSAGE_BYTES || items.length >= MAX_MESSAGE_RECORDS) return tooLarge();
    if ("reason" in item) {
      const { reason, message: text, schemaFingerprint } = item;
      // The first keeps the whole message: what is to be tried again is that.
      items.push(hasLetter ? { ...item, origin, bytes: null } : letter(reason, text, schemaFingerprint));
      hasLetter = true;
    } else {
      const place = items.length === 0 ? origin : { ...origin, position: `${position} record ${items.length + 1}` };
      items.push({ ...item, origin: place, ...times });
    }
  }
  return items.length > 0 ? items : [letter("EMPTY", `${name} is a container file without records.`)];
}
