// Real cutouts out of ../shared/data and made-up FITS files, with their pixels as astropy reads them. Called by tests.
import { join } from "node:path";
import { python } from "./python.js";
import { SHARED } from "./shared.js";

export interface TrueCutout {
  readonly name: string;
  /** The FITS file. */
  readonly bytes: Buffer;
  readonly width: number;
  readonly height: number;
  /** Row by row from the bottom; null is NaN. */
  readonly pixels: readonly (number | null)[];
  /** Limits by astropy.visualization. */
  readonly zscale: readonly [number, number];
  readonly percentile: readonly [number, number];
  /** Brightness by astropy.visualization between the percentile limits. */
  readonly asinh: readonly (number | null)[];
  readonly log: readonly (number | null)[];
}

const SCRIPT = `
import base64, glob, gzip, io, warnings
import fastavro, numpy as np
from astropy.io import fits
from astropy.visualization import ZScaleInterval, PercentileInterval, AsinhStretch, LogStretch
warnings.simplefilter("ignore")
np.seterr(all="ignore")
data = input["data"]
files = []
for f in sorted(glob.glob(data + "/ztf/*/*.avro"))[::5]:
    record = next(fastavro.reader(open(f, "rb")))
    for kind in ("Science", "Template", "Difference"):
        files.append((f"ZTF {record['candid']} {kind}", gzip.decompress(record["cutout" + kind]["stampData"])))
schema = fastavro.schema.load_schema(data + "/lsst/v9_0/lsst.v9_0.alert.avsc")
packet = open(data + "/lsst/7912941781254298.avro", "rb").read()
record = fastavro.schemaless_reader(io.BytesIO(packet[5:]), schema)
for kind in ("Science", "Template", "Difference"):
    files.append((f"LSST {kind}", record["cutout" + kind]))

rng = np.random.default_rng(4)
def made(name, hdus):
    out = io.BytesIO(); fits.HDUList(hdus).writeto(out); files.append((name, out.getvalue()))
made("8 bits", [fits.PrimaryHDU(rng.integers(0, 255, (7, 12), dtype=np.uint8))])
made("16 bits", [fits.PrimaryHDU(rng.integers(-30000, 30000, (40, 31), dtype=np.int16))])
made("unsigned 16 bits by BZERO", [fits.PrimaryHDU(rng.integers(0, 65535, (20, 20), dtype=np.uint16))])
blank = fits.PrimaryHDU(rng.integers(-5, 5, (9, 9), dtype=np.int32)); blank.header["BLANK"] = -5
made("32 bits with BLANK", [blank])
made("64-bit floats, many pixels", [fits.PrimaryHDU(rng.normal(100, 5, (150, 170)) + (rng.random((150, 170)) > 0.99) * 1e4)])
holes = rng.normal(0, 1, (30, 25)).astype(np.float32); holes[:, :5] = np.nan; holes[3, 9] = np.inf
made("NaN and infinity", [fits.PrimaryHDU(holes)])
made("image in an extension after a table", [fits.PrimaryHDU(), fits.BinTableHDU.from_columns([fits.Column("a", "J", array=np.arange(1000))]), fits.ImageHDU(rng.random((16, 8)))])
made("third axis of one plane", [fits.PrimaryHDU(rng.random((1, 5, 6)).astype(np.float32))])
made("one value", [fits.PrimaryHDU(np.full((8, 8), 3.5, np.float32))])
scaled = fits.PrimaryHDU(rng.integers(0, 1000, (6, 6), dtype=np.int16)); scaled.header["BSCALE"] = 0.25; scaled.header["BZERO"] = -7.5
made("BSCALE", [scaled])

def plain(a): return [float(v) if np.isfinite(v) else ("Infinity" if v > 0 else None) for v in np.asarray(a, dtype=np.float64).ravel()]
def stretch(x, lo, hi, s):
    y = np.where(np.isnan(x), np.nan, np.clip((x - lo) / (hi - lo), 0, 1)) if hi > lo else np.zeros_like(x)
    return plain(s(y, clip=False))
out = []
for name, b in files:
    hdus = fits.open(io.BytesIO(b))
    image = np.asarray(next(h.data for h in hdus if getattr(h, "is_image", False) and h.data is not None), dtype=np.float64)
    image = image.reshape(image.shape[-2:])
    finite = image[np.isfinite(image)]
    lo, hi = PercentileInterval(99).get_limits(image)
    out.append(dict(name=name, bytes=base64.b64encode(b).decode(), width=image.shape[1], height=image.shape[0], pixels=plain(image),
        zscale=[float(v) for v in ZScaleInterval().get_limits(image)], percentile=[float(lo), float(hi)],
        asinh=stretch(image, lo, hi, AsinhStretch()), log=stretch(image, lo, hi, LogStretch())))
print(json.dumps(out))
`;

/** Needs Python with fastavro and astropy. */
export function trueCutouts(): TrueCutout[] {
  type Raw = Omit<TrueCutout, "bytes" | "pixels"> & { bytes: string; pixels: (number | string | null)[] };
  return python<Raw[]>(SCRIPT, { data: join(SHARED, "data") }).map((raw) => ({
    ...raw,
    bytes: Buffer.from(raw.bytes, "base64"),
    pixels: raw.pixels.map((value) => (value === null ? null : Number(value))),
  }));
}

/** A FITS file out of header cards and data, padded as the standard wants. For files that no library would write. */
export function rawFits(cards: readonly string[], data = new Uint8Array()): Buffer {
  const text = [...cards, "END"].map((card) => card.padEnd(80)).join("");
  const padded = (length: number) => Math.ceil(length / 2880) * 2880;
  const bytes = Buffer.alloc(padded(text.length) + padded(data.length));
  bytes.fill(" ", 0, padded(text.length));
  bytes.write(text, 0, "latin1");
  bytes.set(data, padded(text.length));
  return bytes;
}
