// The cursor of a hit: what `after` takes. Made by the hub and by resolvers of hits; opaque to clients.
import { TocsinError } from "../domain/errors.js";

const LARGEST_SEQ = 2n ** 63n - 1n;

/** Opaque text of a hit's seq: base64url of "hit:" and the decimal digits. */
export function hitCursor(seq: bigint): string {
  return Buffer.from(`hit:${seq}`).toString("base64url");
}

/** The seq that a cursor names. Throws BAD_CURSOR for any text that hitCursor() cannot have made. */
export function parseHitCursor(cursor: string): bigint {
  const digits =
    cursor.length <= 64 ? /^hit:(0|[1-9]\d{0,18})$/.exec(Buffer.from(cursor, "base64url").toString())?.[1] : undefined;
  const seq = digits === undefined ? null : BigInt(digits);
  if (seq === null || seq > LARGEST_SEQ || hitCursor(seq) !== cursor) {
    throw new TocsinError("BAD_CURSOR", "The argument after is not a cursor of hits.");
  }
  return seq;
}
