// GET /cutouts/{survey}/{candid}/{science|template|difference}[.fits|.png]: an alert's images for people and programs.
// Mounted by cli/ through createApp's `routes`; errors are coded by the app.
import { createHash } from "node:crypto";
import { type Request, type Response, Router } from "express";
import { COLOUR_MAPS, type ColourMap, draw } from "../domain/colours.js";
import { TocsinError } from "../domain/errors.js";
import { readFitsImage } from "../domain/fits.js";
import { STRETCHES, type StretchName, stretched } from "../domain/stretch.js";
import type { Survey } from "../domain/survey.js";
import type { Viewer } from "../domain/viewer.js";
import type { CutoutKind, PacketReader } from "../stores/packets.store.js";

const KINDS = ["science", "template", "difference"] as const satisfies readonly CutoutKind[];
const FORMATS = ["fits", "png"] as const;
const PARAMETERS = ["format", "stretch", "size", "cmap"];
const [SMALLEST, LARGEST, USUAL] = [16, 1024, 256];
/** Part of every ETag: raise it when the same parameters draw another picture. */
const RENDERING = 1;
/** For this caller only, and never anything else under this address: a candid's packet does not change. */
const CACHING = "private, max-age=86400, immutable";

export interface CutoutOptions {
  readonly reader: Pick<PacketReader, "cutout">;
  readonly surveys: Iterable<Survey>;
  readonly viewerOf: (request: Request) => Viewer;
}

interface Wanted {
  readonly survey: Survey;
  readonly candid: bigint;
  readonly kind: CutoutKind;
  readonly format: (typeof FORMATS)[number];
  readonly stretch: StretchName;
  readonly cmap: ColourMap;
  /** Length of the picture's longer side. */
  readonly size: number;
}

/**
 * The survey's FITS unchanged, or a PNG. The format is that of the suffix or of `?format=`; without either it is PNG for
 * whoever accepts images or pages (browsers) or asks for a PNG's parameter, and FITS for all others. PNG: `stretch` linear
 * (default), asinh, log or zscale; `size` 16 to 1024 pixels (256); `cmap` gray (default), inverted, heat, viridis, magma,
 * inferno or plasma. Missing and unseen alerts give one and the same NOT_FOUND.
 */
export function cutoutRoutes({ reader, surveys, viewerOf }: CutoutOptions): Router {
  const known = [...surveys];
  const router = Router();
  router.get("/cutouts/:survey/:candid/:file", async (request, response) => {
    const viewer = viewerOf(request);
    const wanted = parse(request, known);
    const fits = await reader.cutout(viewer, wanted.survey, wanted.candid, wanted.kind);
    if (fits === null) {
      const what = `${wanted.survey} ${wanted.candid} has no ${wanted.kind} cutout, or you may not see it.`;
      throw new TocsinError("NOT_FOUND", what);
    }
    await answer(request, response, wanted, fits);
  });
  return router;
}

async function answer(request: Request, response: Response, wanted: Wanted, fits: Uint8Array): Promise<void> {
  const { format, stretch, cmap, size } = wanted;
  const look = format === "png" ? `${RENDERING} ${stretch} ${cmap} ${size}` : format;
  const etag = createHash("sha256").update(fits).update(look).digest("base64url").slice(0, 27);
  response.set("etag", `"${etag}"`).vary("Authorization").vary("Accept");
  if (request.fresh) {
    response.set("cache-control", CACHING).status(304).end();
    return;
  }
  const body = format === "png" ? await png(fits, wanted) : Buffer.from(fits.buffer, fits.byteOffset, fits.length);
  const name = `${wanted.survey}_${wanted.candid}_${wanted.kind}.${format}`;
  response.set("cache-control", CACHING);
  response.set("content-disposition", `${format === "png" ? "inline" : "attachment"}; filename="${name}"`);
  response.type(format === "png" ? "image/png" : "application/fits").send(body);
}

async function png(fits: Uint8Array, { stretch, cmap, size }: Wanted): Promise<Buffer> {
  const image = readFitsImage(fits);
  const { rgba, width, height } = draw(image, stretched(image.pixels, stretch), cmap, size);
  // A large library, which a start need not wait for.
  const { default: sharp } = await import("sharp");
  return sharp(rgba, { raw: { width, height, channels: 4 } })
    .png()
    .toBuffer();
}

function parse(request: Request<{ survey: string; candid: string; file: string }>, known: readonly Survey[]): Wanted {
  const { survey, candid, file } = request.params;
  for (const name of Object.keys(request.query)) {
    if (!PARAMETERS.includes(name)) throw bad(`A cutout has no parameter "${shorten(name)}"`, PARAMETERS);
  }
  const [kind = "", suffix, ...more] = file.toLowerCase().split(".");
  if (more.length > 0) throw bad(`There is no cutout "${shorten(file)}"`, KINDS);
  if (suffix !== undefined && request.query.format !== undefined) {
    throw new TocsinError("BAD_ARGUMENT", "The format is given twice, as a suffix and as a parameter.");
  }
  return {
    survey: choice("survey", survey.toUpperCase(), known),
    candid: long(candid),
    kind: choice("kind of cutout", kind, KINDS),
    format: choice("format", suffix ?? request.query.format ?? usualFormat(request), FORMATS),
    stretch: choice("stretch", request.query.stretch ?? "linear", Object.keys(STRETCHES) as StretchName[]),
    cmap: choice("cmap", request.query.cmap ?? "gray", Object.keys(COLOUR_MAPS) as ColourMap[]),
    size: pixels(request.query.size ?? String(USUAL)),
  };
}

function usualFormat(request: Request): "png" | "fits" {
  const drawn = ["stretch", "size", "cmap"].some((name) => request.query[name] !== undefined);
  return drawn || /image\/(png|\*)|text\/html/i.test(request.get("accept") ?? "") ? "png" : "fits";
}

const shorten = (text: string) => text.slice(0, 40);

function bad(message: string, right: readonly string[]): TocsinError {
  return new TocsinError("BAD_ARGUMENT", `${message}.`, { remedy: `Use one of ${right.join(", ")}.` });
}

function choice<T extends string>(what: string, given: unknown, right: readonly T[]): T {
  const found = right.find((name) => name === given);
  if (found === undefined) throw bad(`There is no ${what} ${shorten(JSON.stringify(given))}`, right);
  return found;
}

function long(text: string): bigint {
  const value = /^-?\d{1,19}$/.test(text) ? BigInt(text) : null;
  if (value === null || BigInt.asIntN(64, value) !== value) {
    throw new TocsinError("BAD_ARGUMENT", `A candid is a 64-bit integer, found "${shorten(text)}".`);
  }
  return value;
}

function pixels(given: unknown): number {
  const value = typeof given === "string" && /^\d{1,5}$/.test(given) ? Number(given) : Number.NaN;
  if (!(value >= SMALLEST && value <= LARGEST)) {
    const found = shorten(JSON.stringify(given));
    throw new TocsinError("BAD_ARGUMENT", `size must be ${SMALLEST} to ${LARGEST} pixels, found ${found}.`);
  }
  return value;
}
