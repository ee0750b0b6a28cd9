// Where every object is, in memory: cones and neighbours in microseconds. Kept by objects.indexed.ts.
// Declination zones of 3 arcmin, each cut into cells of right ascension about as wide (Gray et al. 2006, MSR-TR-2006-52).
import { normaliseRa, separationArcsec } from "../../domain/sky.js";
import type { ConeMatch, ObjectPlace } from "../../domain/skyobject.js";
import type { Survey } from "../../domain/survey.js";

const ZONES = 3_600;
const ZONE_DEG = 180 / ZONES;
const RADIANS = Math.PI / 180;
/** Degrees by which a cover is widened: far more than rounding takes, asin near 1 included. */
const PAD_DEG = 1e-6;

/** First cell of each zone; the last entry is the number of cells. */
const CELLS = new Int32Array(ZONES + 1);
for (let zone = 0; zone < ZONES; zone++) {
  const middle = (zone + 0.5) * ZONE_DEG - 90;
  CELLS[zone + 1] = CELLS[zone]! + Math.max(1, Math.floor((360 * Math.cos(middle * RADIANS)) / ZONE_DEG));
}
const CELL_COUNT = CELLS[ZONES]!;

const zoneOf = (dec: number): number => Math.min(ZONES - 1, Math.max(0, Math.floor((dec + 90) / ZONE_DEG)));
const cellOf = (ra: number, dec: number): number => {
  const zone = zoneOf(dec);
  const cells = CELLS[zone + 1]! - CELLS[zone]!;
  return CELLS[zone]! + Math.min(cells - 1, Math.floor((normaliseRa(ra) / 360) * cells));
};

/** Text of an objectId in the pool: ids of today's surveys have 12 to 20 characters. */
const KEY_BYTES = 20;
/** A row of every array below, with the hash slots at their sparsest. */
const ROW_BYTES = 4 * 8 + 2 * 4 + 1 + KEY_BYTES + 12;
const MOST_CLASSES = 255;

/** Rows of one survey and programid. */
interface RowClass {
  readonly survey: Survey;
  readonly programid: number;
}

/**
 * A row is the latest alert of an object with one programid. Whatever a viewer may see, the latest of an object's visible
 * rows is its latest visible alert. Memory is reserved once and only taken as rows come.
 */
export class SkyIndex {
  readonly #capacity: number;
  /** First row + 1 of each cell, 0 for none; the further rows of a cell follow by #next. */
  readonly #first = new Int32Array(CELL_COUNT);
  readonly #next: Int32Array;
  readonly #ra: Float64Array;
  readonly #dec: Float64Array;
  readonly #jd: Float64Array;
  readonly #candid: BigInt64Array;
  readonly #class: Uint8Array;
  /** Where a row's objectId begins in the pool; the next row's begins where it ends. */
  readonly #key: Uint32Array;
  readonly #pool: Buffer;
  /** Open addressing by class and objectId: row + 1, 0 for none. */
  readonly #slots: Int32Array;
  readonly #classes: RowClass[] = [];
  #rows = 0;

  /** Throws RangeError where the system does not give so much memory. */
  constructor(bytes: number) {
    this.#capacity = Math.max(0, Math.floor((bytes - 4 * CELL_COUNT) / ROW_BYTES));
    const rows = this.#capacity;
    this.#next = new Int32Array(rows);
    this.#ra = new Float64Array(rows);
    this.#dec = new Float64Array(rows);
    this.#jd = new Float64Array(rows);
    this.#candid = new BigInt64Array(rows);
    this.#class = new Uint8Array(rows);
    this.#key = new Uint32Array(rows + 1);
    this.#pool = Buffer.from(new ArrayBuffer(rows * KEY_BYTES));
    this.#slots = new Int32Array(2 ** Math.ceil(Math.log2(Math.max(1, rows) * 1.4)));
  }

  /** An alert of an object: kept where no later one with its programid is. False where there is no room for it. */
  put(place: ObjectPlace, programid: number): boolean {
    const { survey, objectId, lastJd, latestCandid, ra, dec } = place;
    const rowClass = this.#classOf(survey, programid);
    const start = this.#key[this.#rows]!;
    // UTF-16 takes at most 3 bytes of UTF-8 for each of its units.
    if (rowClass === MOST_CLASSES || start + 3 * objectId.length > this.#pool.length) return false;
    const length = this.#pool.write(objectId, start);
    const slot = this.#slot(rowClass, start, length);
    const known = this.#slots[slot]! - 1;
    if (known >= 0) {
      if (!this.#isLater(lastJd, latestCandid, known)) return true;
      this.#unlink(known);
      this.#fill(known, place);
      return true;
    }
    if (this.#rows >= this.#capacity) return false;
    const row = this.#rows++;
    this.#key[row + 1] = start + length;
    this.#class[row] = rowClass;
    this.#slots[slot] = row + 1;
    this.#fill(row, { lastJd, latestCandid, ra, dec });
    return true;
  }

  get rows(): number {
    return this.#rows;
  }

  /** The surveys and programids that have rows. */
  get classes(): readonly RowClass[] {
    return this.#classes;
  }

  /** Objects whose latest alert among those of the `seen` programids lies within the radius, in no order. */
  within(ra: number, dec: number, radiusArcsec: number, seen: (rows: RowClass) => boolean): ConeMatch[] {
    const matches: ConeMatch[] = [];
    const visible = this.#classes.map(seen);
    if (!visible.includes(true)) return matches;
    // The other programids of the same survey, whose rows may be later.
    const rivals = this.#classes.map(({ survey }, own) =>
      this.#classes.flatMap((other, n) => (n !== own && visible[n] && other.survey === survey ? [n] : [])),
    );
    const radius = radiusArcsec / 3600 + PAD_DEG;
    const reach = Math.abs(dec) + radius;
    const centre = normaliseRa(ra);
    // The circle's half width in right ascension; around a pole it is everything.
    const sine = Math.sin(radius * RADIANS) / Math.cos(dec * RADIANS);
    const width = reach < 90 && sine < 1 ? Math.asin(sine) / RADIANS + PAD_DEG : 180;
    for (let zone = zoneOf(dec - radius); zone <= zoneOf(dec + radius); zone++) {
      const start = CELLS[zone]!;
      const cells = CELLS[zone + 1]! - start;
      const from = Math.floor(((centre - width) / 360) * cells);
      const to = Math.min(Math.floor(((centre + width) / 360) * cells), from + cells - 1);
      for (let cell = from; cell <= to; cell++) {
        const turned = cell % cells;
        for (let row = this.#first[start + (turned < 0 ? turned + cells : turned)]! - 1; row >= 0; ) {
          const own = this.#class[row]!;
          if (visible[own]) {
            const separation = separationArcsec(ra, dec, this.#ra[row]!, this.#dec[row]!);
            if (separation <= radiusArcsec && !this.#hasLater(row, rivals[own]!)) {
              matches.push({ object: this.#place(row), separationArcsec: separation });
            }
          }
          row = this.#next[row]! - 1;
        }
      }
    }
    return matches;
  }

  #place(row: number): ObjectPlace {
    return {
      survey: this.#classes[this.#class[row]!]!.survey,
      objectId: this.#pool.toString("utf8", this.#key[row], this.#key[row + 1]),
      ra: this.#ra[row]!,
      dec: this.#dec[row]!,
      lastJd: this.#jd[row]!,
      latestCandid: this.#candid[row]!,
    };
  }

  #hasLater(row: number, rivals: readonly number[]): boolean {
    const start = this.#key[row]!;
    return rivals.some((rival) => {
      const other = this.#slots[this.#slot(rival, start, this.#key[row + 1]! - start)]! - 1;
      return other >= 0 && this.#isLater(this.#jd[other]!, this.#candid[other]!, row);
    });
  }

  #isLater(jd: number, candid: bigint, row: number): boolean {
    return jd > this.#jd[row]! || (jd === this.#jd[row] && candid > this.#candid[row]!);
  }

  #fill(row: number, { lastJd, latestCandid, ra, dec }: Omit<ObjectPlace, "survey" | "objectId">): void {
    this.#jd[row] = lastJd;
    this.#candid[row] = latestCandid;
    this.#ra[row] = ra;
    this.#dec[row] = dec;
    const cell = cellOf(ra, dec);
    this.#next[row] = this.#first[cell]!;
    this.#first[cell] = row + 1;
  }

  #unlink(row: number): void {
    const cell = cellOf(this.#ra[row]!, this.#dec[row]!);
    let before = this.#first[cell]! - 1;
    if (before === row) {
      this.#first[cell] = this.#next[row]!;
      return;
    }
    while (this.#next[before] !== row + 1) before = this.#next[before]! - 1;
    this.#next[before] = this.#next[row]!;
  }

  /** Slot of the row with this class and the objectId that stands there in the pool, or the free one that it would take. */
  #slot(rowClass: number, start: number, length: number): number {
    let hash = 0x811c9dc5 ^ rowClass;
    for (let i = 0; i < length; i++) hash = Math.imul(hash ^ this.#pool[start + i]!, 0x01000193);
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
    const mask = this.#slots.length - 1;
    for (let slot = (hash ^ (hash >>> 13)) & mask; ; slot = (slot + 1) & mask) {
      const row = this.#slots[slot]! - 1;
      if (row < 0 || (this.#class[row] === rowClass && this.#sameKey(row, start, length))) return slot;
    }
  }

  #sameKey(row: number, start: number, length: number): boolean {
    const own = this.#key[row]!;
    if (this.#key[row + 1]! - own !== length) return false;
    for (let i = 0; i < length; i++) if (this.#pool[own + i] !== this.#pool[start + i]) return false;
    return true;
  }

  #classOf(survey: Survey, programid: number): number {
    const known = this.#classes.findIndex((one) => one.survey === survey && one.programid === programid);
    if (known >= 0 || this.#classes.length === MOST_CLASSES) return known >= 0 ? known : MOST_CLASSES;
    return this.#classes.push({ survey, programid }) - 1;
  }
}
