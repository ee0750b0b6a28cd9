// Cutout images: noise, a star field and the source, as FITS. Used by the surveys' packet makers.
// Noise fills the mantissas, so the images compress as little as real ones.
import type { Random } from "./random.js";

export interface Stamps {
  readonly science: Float32Array;
  readonly template: Float32Array;
  readonly difference: Float32Array;
}

/** Square images of `side` pixels; the source of `counts` in the middle, FWHM in pixels, sky noise in counts. */
export function drawStamps(random: Random, side: number, counts: number, fwhm: number, noise: number): Stamps {
  const stars = Array.from({ length: 1 + random.below(5) }, () => ({
    x: random.between(0, side),
    y: random.between(0, side),
    peak: noise * 10 ** random.between(0.7, 2.3),
  }));
  const sigma = fwhm / 2.3548;
  const middle = (side - 1) / 2;
  const peak = counts / (2 * Math.PI * sigma * sigma);
  const science = new Float32Array(side * side);
  const template = new Float32Array(side * side);
  const difference = new Float32Array(side * side);
  for (let y = 0; y < side; y += 1) {
    for (let x = 0; x < side; x += 1) {
      const i = y * side + x;
      let field = 150;
      for (const star of stars) field += star.peak * bell(x - star.x, y - star.y, sigma);
      const source = peak * bell(x - middle, y - middle, sigma);
      science[i] = field + source + random.normal(0, noise);
      template[i] = field + random.normal(0, noise / 3);
      difference[i] = source + random.normal(0, noise);
    }
  }
  return { science, template, difference };
}

const bell = (dx: number, dy: number, sigma: number): number => {
  const r2 = (dx * dx + dy * dy) / (sigma * sigma);
  return r2 > 50 ? 0 : Math.exp(-r2 / 2);
};

/** A single-image FITS file of 32-bit floats (FITS standard 4.0: 80-character cards, 2,880-byte blocks, big-endian). */
export function fitsImage(pixels: Float32Array, side: number): Buffer {
  const cards = [
    card("SIMPLE", "T"),
    card("BITPIX", "-32"),
    card("NAXIS", "2"),
    card("NAXIS1", String(side)),
    card("NAXIS2", String(side)),
    "END".padEnd(80),
  ];
  const header = cards.join("");
  const headerBytes = Math.ceil(header.length / 2880) * 2880;
  const file = Buffer.alloc(headerBytes + Math.ceil((pixels.length * 4) / 2880) * 2880);
  file.write(header.padEnd(headerBytes), "latin1");
  for (let i = 0; i < pixels.length; i += 1) file.writeFloatBE(pixels[i]!, headerBytes + i * 4);
  return file;
}

const card = (keyword: string, value: string): string => `${keyword.padEnd(8)}= ${value.padStart(20)}`.padEnd(80);
