// Cutouts as tensors, in the scorer's process: packets are read, images unzipped and made what a model was trained on.
// Called by scorer.child.ts.
import { readFitsImage } from "../../domain/fits.js";
import type { Survey } from "../../domain/survey.js";
import type { CutoutKind } from "../../stores/packets.store.js";
import { readRecord } from "../avro/record.js";
import { parseSchema } from "../avro/schema.js";
import { surveyModule } from "../surveys/index.js";
import type { CutoutsInput } from "./manifest.js";

/** ZTF's templates have the lowest 32-bit float, -3.4e38, beyond their edges. No image is this bright. */
const NO_PIXEL = 1e30;

export interface Stamp {
  readonly width: number;
  readonly height: number;
  /** Missing pixels are NaN, infinite or beyond NO_PIXEL. */
  readonly pixels: Float32Array;
}
/** By kind; null where the packet has none that can be read. */
export type Stamps = ReadonlyMap<CutoutKind, Stamp | null>;

export function readStamps(
  survey: Survey,
  schemas: readonly string[],
  packets: readonly { readonly bytes: Uint8Array; readonly schema: number }[],
  kinds: readonly CutoutKind[],
): Stamps[] {
  const { cutout } = surveyModule(survey);
  const parsed = schemas.map(parseSchema);
  return packets.map(({ bytes, schema }) => {
    const record = orNull(() => readRecord(parsed[schema]!, bytes));
    return new Map(
      kinds.map((kind) => {
        const fits = record && orNull(() => cutout(record, kind));
        return [kind, fits && orNull(() => stampOf(fits))];
      }),
    );
  });
}

/** Damaged images are as good as none; the alert itself has been read before. */
function orNull<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}

function stampOf(fits: Uint8Array): Stamp {
  const { width, height, pixels } = readFitsImage(fits);
  return { width, height, pixels: Float32Array.from(pixels) };
}

/** Writes a row's stamps, all of which are there, into its part of the tensor. */
export function fillRow(input: CutoutsInput, stamps: Stamps, tensor: Float32Array): void {
  const { size, cutouts, layout, place } = input;
  tensor.fill(input.padding ?? Number.NaN);
  // Steps from a pixel to the next one of its row, of its column and of the next stamp.
  const [right, up, next] =
    layout === "channelsFirst" ? [1, size, size * size] : [cutouts.length, cutouts.length * size, 1];
  for (const [channel, kind] of cutouts.entries()) {
    const { width, height, pixels } = normalised(input, stamps.get(kind)!);
    const left = place === "centre" ? Math.floor((size - width) / 2) : 0;
    const low = place === "centre" ? Math.floor((size - height) / 2) : 0;
    for (let y = Math.max(0, -low); y < Math.min(height, size - low); y += 1) {
      const row = channel * next + (y + low) * up + left * right;
      for (let x = Math.max(0, -left); x < Math.min(width, size - left); x += 1) {
        tensor[row + x * right] = pixels[y * width + x]!;
      }
    }
  }
}

function normalised({ fill, normalise }: CutoutsInput, { width, height, pixels }: Stamp): Stamp {
  const filled = new Float32Array(pixels.length);
  let [squares, largest] = [0, 0];
  for (let k = 0; k < filled.length; k += 1) {
    const value = Math.abs(pixels[k]!) < NO_PIXEL ? pixels[k]! : (fill ?? Number.NaN);
    filled[k] = value;
    squares += value * value;
    largest = Math.max(largest, Math.abs(value));
  }
  const scale = { none: 1, l2: Math.sqrt(squares), peak: largest }[normalise];
  if (scale > 0 && scale !== 1) for (let k = 0; k < filled.length; k += 1) filled[k]! /= scale;
  return { width, height, pixels: filled };
}
