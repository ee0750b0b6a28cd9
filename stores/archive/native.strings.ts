// Strings out of the Native format: the costly part of reading an answer. Used by native.decode.ts only.

/** Strings up to this length are remembered; object ids, bands and class names are shorter. */
const REMEMBERED_LENGTH = 32;
const SLOTS = 2048;

/** Reads length-prefixed UTF-8. Recurring short values become one and the same JavaScript string. */
export class StringReader {
  /** Position of the next byte. */
  at = 0;
  readonly #bytes: Buffer;
  readonly #texts: string[] = new Array(SLOTS).fill("");
  /** Where the text of a slot stands in the bytes: start and end. */
  readonly #places = new Uint32Array(SLOTS * 2);

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  varint(): number {
    const bytes = this.#bytes;
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[this.at++];
      if (byte === undefined) throw new Error("The archive's answer ends too early.");
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }

  many(count: number): string[] {
    const texts = new Array<string>(count);
    for (let i = 0; i < count; i++) texts[i] = this.one();
    return texts;
  }

  one(): string {
    const length = this.varint();
    const start = this.at;
    const end = start + length;
    if (end > this.#bytes.length) throw new Error("The archive's answer ends too early.");
    this.at = end;
    if (length === 0) return "";
    return length <= REMEMBERED_LENGTH ? this.#short(start, end) : this.#bytes.toString("utf8", start, end);
  }

  #short(start: number, end: number): string {
    const bytes = this.#bytes;
    let hash = end - start;
    let seen = 0;
    for (let i = start; i < end; i++) {
      const byte = bytes[i]!;
      seen |= byte;
      hash = (Math.imul(hash, 31) + byte) | 0;
    }
    const slot = (hash ^ (hash >>> 15)) & (SLOTS - 1);
    const places = this.#places;
    let known = places[2 * slot]!;
    if (places[2 * slot + 1]! - known === end - start) {
      let i = start;
      while (i < end && bytes[i] === bytes[known]) {
        i++;
        known++;
      }
      if (i === end) return this.#texts[slot]!;
    }
    const text = bytes.toString(seen < 0x80 ? "latin1" : "utf8", start, end);
    this.#texts[slot] = text;
    places[2 * slot] = start;
    places[2 * slot + 1] = end;
    return text;
  }
}
