// Cutouts as tensors, in the scorer's process: packets are read, images unzipped and made what a model was trained on.
// Called by scorer.child.ts.
import { readFitsImage } from "../../domain/fits.js";
import type { Survey } from "../../domain/survey.js";
import type { CutoutKind } from "../../stores/packets.store.js";
import { readRecord } from "../avro/record.js";
import { parseSchema } from "../avro/schema.js";
import { surveyModule } from "../surveys/index.js";
import type { CutoutsInput } from "./manifest.js";

export interface Stamp {
  readonly width: number;
  readonly height: number;
  /** Missing pixels are NaN. */
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
  const { size, cutouts } = input;
  const first = input.layout === "channelsFirst";
  for (const [channel, kind] of cutouts.entries()) {
    const stamp = normalised(input, stamps.get(kind)!);
    const left = input.place === "centre" ? Math.floor((size - stamp.width) / 2) : 0;
    const low = input.place === "centre" ? Math.floor((size - stamp.height) / 2) : 0;
    for (let y = 0; y < size; y += 1) {
      for (let x = 0; x < size; x += 1) {
        const to = first ? (channel * size + y) * size + x : (y * size + x) * cutouts.length + channel;
        const inside = x >= left && x < left + stamp.width && y >= low && y < low + stamp.height;
        tensor[to] = inside ? stamp.pixels[(y - low) * stamp.width + x - left]! : (input.padding ?? Number.NaN);
      }
    }
  }
}

function normalised({ fill, normalise }: CutoutsInput, { width, height, pixels }: Stamp): Stamp {
  const filled = pixels.map((value) => (Number.isFinite(value) ? value : (fill ?? Number.NaN)));
  let scale = 0;
  if (normalise === "none") return { width, height, pixels: filled };
  for (const value of filled) {
    if (normalise === "l2") scale += value * value;
    else scale = Math.max(scale, Math.abs(value));
  }
  if (normalise === "l2") scale = Math.sqrt(scale);
  return { width, height, pixels: scale > 0 ? filled.map((value) => value / scale) : filled };
}
