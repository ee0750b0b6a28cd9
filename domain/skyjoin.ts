// The join of many positions with many sources on the sky, in memory: which sources have a position within their radius.
// For catalogs (ingest/crossmatch), watch lists and benchmarks. Use: buildSkyJoin({ ra, dec, radiusArcsec }), then
// join(ra, dec[, limit]). 20 bytes a source, 4 more for a radius of its own, and about 4 for the cells.
// Declination zones cut into cells of right ascension about as wide (Gray et al. 2006, MSR-TR-2006-52), sources sorted by
// cell, so that what one zone offers to a circle is one run of rows.
import { normaliseRa, separationArcsec } from "./sky.js";

const RADIANS = Math.PI / 180;
const SKY_DEG2 = 360 * (360 / Math.PI);
/** Degrees by which a cover is widened: far more than rounding takes, asin near 1 included. */
const PAD_DEG = 1e-6;
/** Sources of like radius lie together: one of a degree does not make a million of 2" dear. Upper ends in arcsec. */
const TIERS = [5, 40, 320, 2_560, 20_480, Number.POSITIVE_INFINITY];
/** Rows that are worked on at a time while an index is built: some milliseconds. */
const SLICE = 50_000;
/** Nobody reads more of one position; nearest first. */
export const MAX_MATCHES = 1_000;

/** Degrees ICRS (any turn of ra); radius in arcsec, one for all or one each, as a 32-bit float. */
export interface SkySources {
  readonly ra: Float64Array;
  readonly dec: Float64Array;
  readonly radiusArcsec: number | Float32Array;
}

/** Position i's matches are items ends[i - 1] (0 for the first) up to ends[i]: nearest first, then by row. */
export interface SkyMatches {
  readonly ends: Uint32Array;
  /** Rows of the sources as they were given to buildSkyJoin. */
  readonly rows: Uint32Array;
  /** Vincenty's form, as domain/sky.ts has it. */
  readonly separationArcsec: Float64Array;
  /** Of the sources. */
  readonly ra: Float64Array;
  readonly dec: Float64Array;
}

export interface SkyJoin {
  /** Sources that can match: those without a position or without a radius of 0 or more are left out. */
  readonly size: number;
  /** Memory that it holds, its sources' arrays not counted. */
  readonly bytes: number;
  /** Sources with separation <= their radius from each position, at most `limit` (up to 1,000) of each position. */
  join(ra: ArrayLike<number>, dec: ArrayLike<number>, limit?: number): SkyMatches;
}

/** Let others run between slices of work. */
const pause = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Some 0.2 s a million sources, in slices. The given arrays are read until this resolves and not kept. */
export async function buildSkyJoin(sources: SkySources, breathe: () => Promise<void> = pause): Promise<SkyJoin> {
  const rowsOf: number[] = TIERS.map(() => 0);
  const tierOf = new Uint8Array(sources.ra.length);
  const widest = TIERS.map(() => 0);
  for (let from = 0; from < tierOf.length; from += SLICE) {
    for (let row = from; row < Math.min(tierOf.length, from + SLICE); row++) {
      const radius = typeof sources.radiusArcsec === "number" ? sources.radiusArcsec : sources.radiusArcsec[row]!;
      const dec = sources.dec[row]!;
      const usable = radius >= 0 && radius <= 648_000 && dec >= -90 && dec <= 90 && Number.isFinite(sources.ra[row]!);
      const tier = usable ? TIERS.findIndex((end) => radius <= end) : TIERS.length;
      tierOf[row] = tier;
      if (!usable) continue;
      rowsOf[tier]!++;
      widest[tier] = Math.max(widest[tier]!, radius);
    }
    await breathe();
  }
  const tiers: Tier[] = [];
  for (const [tier, rows] of rowsOf.entries()) {
    if (rows > 0) tiers.push(await buildTier(sources, tierOf, tier, rows, widest[tier]!, breathe));
  }
  return {
    size: rowsOf.reduce((sum, rows) => sum + rows, 0),
    bytes: tiers.reduce((sum, tier) => sum + tier.bytes, 0),
    join: (ra, dec, limit = MAX_MATCHES) => joined(tiers, ra, dec, Math.min(limit, MAX_MATCHES)),
  };
}

/** Zones and cells: cell numbers grow zone by zone, and within a zone with right ascension. */
class Grid {
  readonly zones: number;
  readonly #zoneDeg: number;
  /** First cell of each zone; the last entry is the number of cells. */
  readonly first: Uint32Array;

  constructor(cellDeg: number) {
    this.zones = Math.max(1, Math.floor(180 / cellDeg));
    this.#zoneDeg = 180 / this.zones;
    this.first = new Uint32Array(this.zones + 1);
    for (let zone = 0; zone < this.zones; zone++) {
      const middle = (zone + 0.5) * this.#zoneDeg - 90;
      const cells = Math.max(1, Math.floor((360 * Math.cos(middle * RADIANS)) / this.#zoneDeg));
      this.first[zone + 1] = this.first[zone]! + cells;
    }
  }

  zoneOf(dec: number): number {
    return Math.min(this.zones - 1, Math.max(0, Math.floor((dec + 90) / this.#zoneDeg)));
  }

  cellOf(ra: number, dec: number): number {
    const zone = this.zoneOf(dec);
    const start = this.first[zone]!;
    const cells = this.first[zone + 1]! - start;
    return start + Math.min(cells - 1, Math.floor((normaliseRa(ra) / 360) * cells));
  }
}

async function buildTier(
  { ra, dec, radiusArcsec }: SkySources,
  tierOf: Uint8Array,
  tier: number,
  rows: number,
  widest: number,
  breathe: () => Promise<void>,
): Promise<Tier> {
  // About one source a cell, and no cell much smaller than a circle.
  const grid = new Grid(Math.min(180, Math.max(Math.sqrt(SKY_DEG2 / rows), widest / 3600)));
  const starts = new Uint32Array(grid.first[grid.zones]! + 1);
  const cellOf = new Uint32Array(tierOf.length);
  for (let from = 0; from < tierOf.length; from += SLICE) {
    for (let row = from; row < Math.min(tierOf.length, from + SLICE); row++) {
      if (tierOf[row] !== tier) continue;
      const cell = grid.cellOf(ra[row]!, dec[row]!);
      cellOf[row] = cell;
      starts[cell]!++;
    }
    await breathe();
  }
  // Ends of the cells; filling backwards leaves their starts.
  for (let cell = 1; cell < starts.length; cell++) starts[cell]! += starts[cell - 1]!;
  await breathe();
  const own = typeof radiusArcsec === "number" ? null : new Float32Array(rows);
  const sorted = new Tier(grid, starts, widest, own, rows);
  for (let to = tierOf.length; to > 0; to -= SLICE) {
    for (let row = to - 1; row >= Math.max(0, to - SLICE); row--) {
      if (tierOf[row] !== tier) continue;
      const cell = cellOf[row]!;
      const at = --starts[cell]!;
      sorted.row[at] = row;
      sorted.ra[at] = ra[row]!;
      sorted.dec[at] = dec[row]!;
      if (own !== null) own[at] = (radiusArcsec as Float32Array)[row]!;
    }
    await breathe();
  }
  return sorted;
}

/** Sources of like radius, sorted by cell. */
class Tier {
  readonly row: Uint32Array;
  readonly ra: Float64Array;
  readonly dec: Float64Array;

  constructor(
    readonly grid: Grid,
    readonly starts: Uint32Array,
    /** Arcsec. */
    readonly widest: number,
    readonly radius: Float32Array | null,
    rows: number,
  ) {
    this.row = new Uint32Array(rows);
    this.ra = new Float64Array(rows);
    this.dec = new Float64Array(rows);
  }

  get bytes(): number {
    return this.starts.byteLength + this.row.length * 20 + (this.radius?.byteLength ?? 0);
  }

  collect(ra: number, dec: number, into: Nearest): void {
    const { grid, starts } = this;
    const radius = this.widest / 3600 + PAD_DEG;
    const centre = normaliseRa(ra);
    // The circle's half width in right ascension; around a pole it is everything.
    const sine = Math.sin(Math.min(radius, 90) * RADIANS) / Math.cos(dec * RADIANS);
    const width = Math.abs(dec) + radius < 90 && sine < 1 ? Math.asin(sine) / RADIANS + PAD_DEG : 180;
    const last = grid.zoneOf(dec + radius);
    for (let zone = grid.zoneOf(dec - radius); zone <= last; zone++) {
      const start = grid.first[zone]!;
      const cells = grid.first[zone + 1]! - start;
      const from = Math.floor(((centre - width) / 360) * cells);
      const to = Math.floor(((centre + width) / 360) * cells);
      if (to - from + 1 >= cells) this.#scan(ra, dec, starts[start]!, starts[start + cells]!, into);
      else if (from < 0) {
        this.#scan(ra, dec, starts[start + from + cells]!, starts[start + cells]!, into);
        this.#scan(ra, dec, starts[start]!, starts[start + to + 1]!, into);
      } else if (to >= cells) {
        this.#scan(ra, dec, starts[start + from]!, starts[start + cells]!, into);
        this.#scan(ra, dec, starts[start]!, starts[start + to - cells + 1]!, into);
      } else this.#scan(ra, dec, starts[start + from]!, starts[start + to + 1]!, into);
    }
  }

  #scan(ra: number, dec: number, from: number, to: number, into: Nearest): void {
    for (let at = from; at < to; at++) {
      const radius = this.radius === null ? this.widest : this.radius[at]!;
      // Most are too far in declination already; the margin is more than rounding takes.
      if (Math.abs(this.dec[at]! - dec) * 3600 > radius + 1e-3) continue;
      const separation = separationArcsec(ra, dec, this.ra[at]!, this.dec[at]!);
      if (separation <= radius) into.add(this.row[at]!, separation, this.ra[at]!, this.dec[at]!);
    }
  }
}

/** A growing table of matches. */
class Found {
  count = 0;
  rows = new Uint32Array(1_024);
  separation = new Float64Array(1_024);
  ra = new Float64Array(1_024);
  dec = new Float64Array(1_024);

  add(row: number, separation: number, ra: number, dec: number): void {
    if (this.count === this.rows.length) this.#grow();
    const at = this.count++;
    this.rows[at] = row;
    this.separation[at] = separation;
    this.ra[at] = ra;
    this.dec[at] = dec;
  }

  /** From `start` on: nearest first, then by row, and at most `limit`. */
  arrange(start: number, limit: number): void {
    const count = this.count - start;
    if (count <= 1) return;
    const { rows, separation } = this;
    const order = Array.from({ length: count }, (_, n) => start + n).sort(
      (a, b) => separation[a]! - separation[b]! || rows[a]! - rows[b]!,
    );
    order.length = Math.min(count, limit);
    this.count = start + order.length;
    for (const values of [rows, separation, this.ra, this.dec]) {
      values.set(
        order.map((at) => values[at]!),
        start,
      );
    }
  }

  #grow(): void {
    const [rows, ...others] = [this.rows, this.separation, this.ra, this.dec] as const;
    this.rows = new Uint32Array(2 * rows.length);
    this.rows.set(rows);
    [this.separation, this.ra, this.dec] = others.map((values) => {
      const grown = new Float64Array(2 * values.length);
      grown.set(values);
      return grown;
    }) as [Float64Array<ArrayBuffer>, Float64Array<ArrayBuffer>, Float64Array<ArrayBuffer>];
  }
}

/** The nearest matches of one position: never many more than the limit are held. */
class Nearest {
  #start = 0;

  constructor(
    private readonly found: Found,
    private readonly limit: number,
  ) {}

  add(row: number, separation: number, ra: number, dec: number): void {
    if (this.found.count - this.#start >= 2 * this.limit) this.found.arrange(this.#start, this.limit);
    this.found.add(row, separation, ra, dec);
  }

  /** The position is done: where its matches end. */
  end(): number {
    this.found.arrange(this.#start, this.limit);
    this.#start = this.found.count;
    return this.#start;
  }
}

function joined(tiers: readonly Tier[], ra: ArrayLike<number>, dec: ArrayLike<number>, limit: number): SkyMatches {
  const found = new Found();
  const nearest = new Nearest(found, Math.max(1, limit));
  const ends = new Uint32Array(ra.length);
  for (let at = 0; at < ra.length; at++) {
    for (const tier of tiers) tier.collect(ra[at]!, dec[at]!, nearest);
    ends[at] = nearest.end();
  }
  const { rows, separation, count } = found;
  return {
    ends,
    rows: rows.slice(0, count),
    separationArcsec: separation.slice(0, count),
    ra: found.ra.slice(0, count),
    dec: found.dec.slice(0, count),
  };
}
