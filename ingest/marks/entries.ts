// Positions of a watch list as they are checked before they are kept: bounds, names, and how many stand on one spot. Called
// by desk.ts.
import { HEALPIX_ORDER, nestedPixels, pixelCentre } from "../../domain/healpix.js";
import { MAX_ENTRY_NAME, MAX_POSITIONS, MAX_WATCH_RADIUS_ARCSEC, type WatchedPositions } from "../../domain/mark.js";
import { badMark } from "../../domain/moc.js";
import { normaliseRa } from "../../domain/sky.js";

/** Cells of 3.2 arcsec: the finest in which positions are counted. */
const FINEST = 16;
/** Positions in one cell as wide as their radius: each alert there costs as much as there are. */
const MAX_ON_A_SPOT = 200;

/** Counts rows over all blocks, and names the first that cannot be used. */
export class EntryCheck {
  #rows = 0;
  readonly #cells: Float64Array[] = [];

  get rows(): number {
    return this.#rows;
  }

  /** The block with right ascensions in [0, 360). Throws BAD_MARK. */
  take(block: WatchedPositions): WatchedPositions {
    const { names, dec, radiusArcsec } = block;
    const ra = block.ra.slice();
    const cells = new Float64Array(ra.length);
    const pixels = new BigUint64Array(ra.length);
    for (let n = 0; n < ra.length; n++) {
      const at = `Position ${this.#rows + n + 1}`;
      if (this.#rows + n >= MAX_POSITIONS) throw badMark(`A watch list may have ${MAX_POSITIONS} positions.`);
      if (!(ra[n]! >= -360 && ra[n]! <= 360)) throw badMark(`${at}: ra must be degrees from 0 to 360, found ${ra[n]}.`);
      if (!(dec[n]! >= -90 && dec[n]! <= 90)) throw badMark(`${at}: dec must be from -90 to 90, found ${dec[n]}.`);
      const radius = radiusArcsec[n]!;
      if (!(radius > 0 && radius <= MAX_WATCH_RADIUS_ARCSEC)) {
        throw badMark(
          `${at}: the radius must be above 0 and at most ${MAX_WATCH_RADIUS_ARCSEC} arcsec, found ${radius}.`,
        );
      }
      const name = names[n]!;
      if (name.length > MAX_ENTRY_NAME || /[\0\n\r]/.test(name)) {
        throw badMark(`${at}: its name must have at most ${MAX_ENTRY_NAME} characters of one line.`);
      }
      ra[n] = normaliseRa(ra[n]!);
    }
    nestedPixels(ra, dec, pixels);
    for (let n = 0; n < ra.length; n++) {
      const order = orderFor(radiusArcsec[n]!);
      // Cells of one order lie apart from those of another: 12 * 4^16 < 2^36.
      cells[n] = order * 2 ** 37 + Number(pixels[n]! >> BigInt(2 * (HEALPIX_ORDER - order)));
    }
    this.#cells.push(cells);
    this.#rows += ra.length;
    return { names, ra, dec, radiusArcsec };
  }

  /** Throws BAD_MARK where there are none, or too many on one spot. */
  end(): void {
    if (this.#rows === 0) throw badMark("The watch list has no positions.");
    const all = new Float64Array(this.#rows);
    let at = 0;
    for (const part of this.#cells) {
      all.set(part, at);
      at += part.length;
    }
    all.sort();
    for (let from = 0; from < all.length; ) {
      let to = from + 1;
      while (to < all.length && all[to] === all[from]) to++;
      if (to - from > MAX_ON_A_SPOT) {
        const order = Math.floor(all[from]! / 2 ** 37);
        const width = Math.round(211_000 / 2 ** order);
        const { ra, dec } = pixelCentre(BigInt(all[from]! % 2 ** 37), order);
        throw badMark(
          `${to - from} positions stand within about ${width} arcsec of each other near ra ${ra.toFixed(3)}, ` +
            `dec ${dec.toFixed(3)}; at most ${MAX_ON_A_SPOT} may.`,
        );
      }
      from = to;
    }
  }
}

/** The order whose pixels (58.6 degrees / nside) are just wider than the radius. */
const orderFor = (radiusArcsec: number): number =>
  Math.max(0, Math.min(FINEST, Math.floor(Math.log2((58.6 * 3600) / radiusArcsec))));
