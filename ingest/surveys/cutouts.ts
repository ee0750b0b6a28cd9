// Cutouts as plain FITS bytes. Called by the surveys.
import { gunzipSync } from "node:zlib";
import type { RecordValue } from "../avro/record.js";

/** A cutout is some 20 KB; 63 x 63 or 30 x 30 pixels. */
const MAX_CUTOUT_BYTES = 16 * 1024 * 1024;

/**
 * The image, unzipped where it is zipped; null where there is none. What does not unpack is given as it came: whoever draws
 * it finds that it is no image.
 */
export function plainFits(value: RecordValue | undefined): Uint8Array | null {
  if (!(value instanceof Uint8Array) || value.length === 0) return null;
  if (value[0] !== 0x1f || value[1] !== 0x8b) return new Uint8Array(value);
  try {
    return gunzipSync(value, { maxOutputLength: MAX_CUTOUT_BYTES });
  } catch {
    return new Uint8Array(value);
  }
}
