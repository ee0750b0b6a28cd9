// Colour maps, and an image drawn with one. Called by server/cutouts.
import type { FitsImage } from "./fits.js";

/**
 * Colours at equal steps from dark to bright, between them a straight line in RGB. viridis, magma, inferno and plasma are
 * every sixteenth colour of the maps that S. van der Walt and N. Smith gave to the public domain (CC0), good to 8 of 255.
 */
export const COLOUR_MAPS = {
  gray: ["000000", "ffffff"],
  inverted: ["ffffff", "000000"],
  heat: ["000000", "ff0000", "ffff00", "ffffff"],
  viridis:
    "440154 48186a 472d7b 424086 3b528b 33638d 2c728e 26828e 21918c 1fa088 28ae80 3fbc73 5ec962 84d44b addc30 d8e219 fde725".split(
      " ",
    ),
  magma:
    "000004 0a0822 1d1147 36106b 51127c 6a1c81 832681 9c2e7f b73779 d0416f e75263 f56b5c fc8961 fea772 fec488 fde2a3 fcfdbf".split(
      " ",
    ),
  inferno:
    "000004 0b0724 210c4a 3d0965 57106e 71196e 8a226a a32c61 bc3754 d24644 e45a31 f1731d f98e09 fcac11 f9cb35 f2ea69 fcffa4".split(
      " ",
    ),
  plasma:
    "0d0887 310597 4c02a1 6600a7 7e03a8 9511a1 aa2395 bc3587 cc4778 da5a6a e66c5c f0804e f89540 fdac33 fdc527 f8df25 f0f921".split(
      " ",
    ),
} as const satisfies Record<string, readonly string[]>;

export type ColourMap = keyof typeof COLOUR_MAPS;

/** 256 colours, red, green and blue of each. */
export function palette(name: ColourMap): Uint8Array {
  const stops = COLOUR_MAPS[name].map((hex) => [0, 2, 4].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)));
  const colours = new Uint8Array(256 * 3);
  for (let level = 0; level < 256; level++) {
    const place = (level / 255) * (stops.length - 1);
    const stop = Math.min(Math.floor(place), stops.length - 2);
    for (let channel = 0; channel < 3; channel++) {
      const [a, b] = [stops[stop]?.[channel] as number, stops[stop + 1]?.[channel] as number];
      colours[level * 3 + channel] = Math.round(a + (b - a) * (place - stop));
    }
  }
  return colours;
}

export interface Drawing {
  readonly width: number;
  readonly height: number;
  /** Red, green, blue, alpha; the top row first, as screens count. */
  readonly rgba: Uint8Array;
}

/**
 * The image with its longer side `size` pixels long. Pixels are repeated or left out, never mixed: what is seen is what
 * was measured. The sky is not turned. `brightness` is 0 to 1 for each pixel of the image; NaN is transparent.
 */
export function draw(image: FitsImage, brightness: Float64Array, map: ColourMap, size: number): Drawing {
  const scale = size / Math.max(image.width, image.height);
  const [width, height] = [image.width, image.height].map((n) => Math.max(1, Math.round(n * scale))) as [
    number,
    number,
  ];
  const colours = palette(map);
  const rgba = new Uint8Array(width * height * 4);
  for (let y = 0; y < height; y++) {
    const row = Math.floor(((height - 1 - y + 0.5) * image.height) / height);
    for (let x = 0; x < width; x++) {
      const value = brightness[row * image.width + Math.floor(((x + 0.5) * image.width) / width)] as number;
      if (Number.isNaN(value)) continue;
      const colour = Math.round(value * 255) * 3;
      rgba.set(colours.subarray(colour, colour + 3), (y * width + x) * 4);
      rgba[(y * width + x) * 4 + 3] = 255;
    }
  }
  return { width, height, rgba };
}
