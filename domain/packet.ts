// An alert packet as it came, and where it came from. Sources make them, decode reads them, dead letters keep them.
import type { Survey } from "./survey.js";

/** Where a packet was met: a file and the record in it, or a topic, partition and offset. */
export interface Origin {
  /** Path of the file (with "!member" for a tar member) or the topic's name. */
  readonly source: string;
  /** "record 3", "byte 1024" or "partition 2 offset 77". */
  readonly position: string;
  /** Of a Kafka message: its partition, and its offset there. */
  readonly partition?: number;
  readonly offset?: bigint;
}

/** The Avro schema that wrote a packet. */
export interface WriterSchema {
  /** Hex SHA-256 of the schema's JSON text as met, its first 16 characters. Names the schema in the packet store. */
  readonly fingerprint: string;
  /** The JSON text as met. */
  readonly text: string;
}

/** One alert: the body of one Avro record, without container or framing. */
export interface Packet {
  readonly bytes: Uint8Array;
  readonly schema: WriterSchema;
  readonly origin: Origin;
  /** When the survey's broker put it out (Kafka's message timestamp), epoch milliseconds. */
  readonly emittedAt?: number;
  /** When we read it, epoch milliseconds. */
  readonly receivedAt?: number;
}

/** Why a packet was set aside. Codes are stable; messages are for people. */
export type DeadLetterReason =
  | "TRUNCATED"
  | "EMPTY"
  | "NOT_AVRO"
  | "UNSUPPORTED_CODEC"
  | "UNKNOWN_SCHEMA"
  | "UNKNOWN_SURVEY"
  | "MALFORMED"
  | "BAD_VALUE"
  | "CANDID_CONFLICT"
  | "TOO_LARGE"
  | "UNSAFE_PATH"
  | "UNREADABLE";

/** A packet (or a whole file) that could not be taken in. A value, never an exception. */
export interface DeadLetter {
  readonly reason: DeadLetterReason;
  /** One sentence a person understands. */
  readonly message: string;
  readonly origin: Origin;
  readonly survey: Survey | null;
  /** The packet's original bytes where there are any worth keeping (at most 1 MiB are kept). */
  readonly bytes: Uint8Array | null;
  readonly schemaFingerprint: string | null;
}
