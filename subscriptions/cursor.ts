// The cursor of a hit: what `after` takes. The hub owns them; groups and resolvers of hits make and read them. Corrections,
// which are numbered too, have the same kind under a key of their own.
import { createCipheriv, createDecipheriv } from "node:crypto";
import { TocsinError } from "../domain/errors.js";

const BLOCK_BYTES = 16;
const SEQ_BYTES = 8;
const CURSOR_LENGTH = 22;
/** Half of every block: text that nobody enciphered with this key shows it with a chance of 2^-64. */
const CHECK = Buffer.from("hitseq 1");

export interface HitCursors {
  /** The cursor of a seq from 0 (the start, before the first hit) to 2^64 - 1: 22 characters. */
  text(seq: bigint): string;
  /** The seq that a cursor names. Throws BAD_CURSOR for any text that text() has not made with the same key. */
  seq(text: string): bigint;
}

/**
 * Seqs are numbered over the whole archive, so a caller who could read them would count hits that it may not see. A
 * cursor is therefore one block of AES-128, [8 bytes seq, big-endian | 8 bytes CHECK] in base64url: the same seq has the
 * same text, and nothing else is told, neither a number nor an order. `key`: 16 bytes, HitStore.cursorKey();
 * `of`: what is numbered, for messages.
 */
export function createHitCursors(key: Uint8Array, of = "hits"): HitCursors {
  // One block at a time and no padding: no state passes from one call to the next, so both serve for all of them.
  const cipher = createCipheriv("aes-128-ecb", key, null).setAutoPadding(false);
  const decipher = createDecipheriv("aes-128-ecb", key, null).setAutoPadding(false);
  return {
    text(seq) {
      const block = Buffer.allocUnsafe(BLOCK_BYTES);
      block.writeBigUInt64BE(seq);
      CHECK.copy(block, SEQ_BYTES);
      return cipher.update(block).toString("base64url");
    },
    seq(text) {
      const bytes = text.length === CURSOR_LENGTH ? Buffer.from(text, "base64url") : null;
      // What Buffer.from passes over, and bits that the last character has to spare, make no second cursor.
      if (bytes?.length === BLOCK_BYTES && bytes.toString("base64url") === text) {
        const block = decipher.update(bytes);
        if (block.subarray(SEQ_BYTES).equals(CHECK)) return block.readBigUInt64BE();
      }
      throw new TocsinError("BAD_CURSOR", `The argument after is not a cursor of this archive's ${of}.`);
    },
  };
}
