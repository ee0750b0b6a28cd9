// Strings out of the Native format: the costly part of reading an answer. Used by native.decode.ts only.

/** Strings up to this length are remembered; object ids, bands and class names are shorter. */
const REMEMBERED_LENGTH = 32;
const MOST_SLOTS = 8192;

/** What Buffer.toString ends in; called 100,000 times an answer, its detour shows. */
interface Slices {
  latin1Slice(start: number, end: number): string;
  utf8Slice(start: number, end: number): string;
}

/** Reads length-prefixed UTF-8. Recurring short values become one and the same JavaScript string. */
export class StringReader {
  /** Position of the next byte. */
  at = 0;
  readonly #bytes: Buffer & Slices;
  readonly #slots: number;
  readonly #texts: string[];
  /** Where the text of a slot stands in the bytes: start and end. */
  readonly #places: Uint32Array;

  constructor(bytes: Buffer) {
    this.#bytes = bytes as Buffer & Slices;
    // A power of two, small for small answers: most have a few rows.
    this.#slots = Math.min(MOST_SLOTS, 2 ** Math.ceil(Math.log2(16 + bytes.length / 64)));
    this.#texts = new Array<string>(this.#slots).fill("");
    this.#places = new Uint32Array(this.#slots * 2);
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
    return length <= REMEMBERED_LENGTH ? this.#short(start, end) : this.#bytes.utf8Slice(start, end);
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
    const slot = (hash ^ (hash >>> 15)) & (this.#slots - 1);
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
    const text = seen < 0x80 ? bytes.latin1Slice(start, end) : bytes.utf8Slice(start, end);
    this.#texts[slot] = text;
    places[2 * slot] = start;
    places[2 * slot + 1] = end;
    return text;
  }
}
