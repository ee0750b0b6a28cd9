// What names a dead letter. Called by deadletters.ts and receipts.ts.
import { createHash } from "node:crypto";
import type { DeadLetter } from "../../domain/packet.js";

/** As many of its bytes tell it from others. */
const HASHED_BYTES = 1024 ** 2;

/** The first 64 bits of a SHA-256 over origin, reason and bytes. */
export function letterId({ origin, reason, bytes }: DeadLetter): bigint {
  const hash = createHash("sha256").update(JSON.stringify([origin.source, origin.position, reason, bytes !== null]));
  if (bytes !== null) hash.update(bytes.subarray(0, HASHED_BYTES));
  return hash.digest().readBigUInt64BE();
}
