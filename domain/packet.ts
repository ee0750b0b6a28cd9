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
  /** The first offset that this one accounts for: what Kafka has from there to `offset` is known to be no message. */
  readonly since?: bigint;
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
  /** The dead letter that it was until now: it is taken in again, and is no delivery. */
  readonly replayOf?: bigint;
  /** Where its bytes lie in memory that is used again: called, once, when nobody reads them any more. */
  readonly release?: () => void;
}

/** Why a packet was set aside. Codes are stable; messages are for people. */
export const LETTER_REASONS = [
  "TRUNCATED",
  "EMPTY",
  "NOT_AVRO",
  "UNSUPPORTED_CODEC",
  "UNKNOWN_SCHEMA",
  "UNKNOWN_SURVEY",
  "MALFORMED",
  "BAD_VALUE",
  "CANDID_CONFLICT",
  "TOO_LARGE",
  "UNSAFE_PATH",
  "UNREADABLE",
  "FAILED",
] as const;
export type DeadLetterReason = (typeof LETTER_REASONS)[number];

/** A packet (or a whole file) that could not be taken in. A value, never an exception. */
export interface DeadLetter {
  readonly reason: DeadLetterReason;
  /** One sentence a person understands. */
  readonly message: string;
  readonly origin: Origin;
  readonly survey: Survey | null;
  /** The original bytes where there are any worth keeping (at most 16 MiB are kept). */
  readonly bytes: Uint8Array | null;
  readonly schemaFingerprint: string | null;
  /** What wrote the bytes, where they are a bare record; else they are a container or a frame as it came. */
  readonly schema?: WriterSchema;
  /** The dead letter that failed once more: it stays as it is. */
  readonly replayOf?: bigint;
}
