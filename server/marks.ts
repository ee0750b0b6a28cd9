// PUT /watchlists/{name}, /areas/{name}, /skymaps/{name}: files that are too large for a mutation. Mounted by cli/ through
// createApp's `routes`; errors are coded by the app.
import { createGunzip } from "node:zlib";
import { type Request, Router } from "express";
import { TocsinError } from "../domain/errors.js";
import type { Mark, WatchedPositions } from "../domain/mark.js";
import { readMocFits } from "../domain/moc.fits.js";
import { parseMoc } from "../domain/moc.text.js";
import { readSkymapFits } from "../domain/skymap.fits.js";
import type { Survey } from "../domain/survey.js";
import { isoFromJd, parseTime } from "../domain/time.js";
import type { Viewer } from "../domain/viewer.js";
import { shownMark } from "../resolvers/mark/mark.shown.js";
import type { MarkAbout, MarkDesk } from "../stores/marks.store.js";
import { withinRequest } from "../stores/request.js";

const MIB = 1024 ** 2;
/** As they come; unpacked, a sky map of NSIDE 1024 with four columns has 400 MB. */
const MAX_AREA = 32 * MIB;
const MAX_SKYMAP = 50 * MIB;
const MAX_UNPACKED = 512 * MIB;
const UPLOAD_MS = 10 * 60_000;

export interface MarkRoutesParts {
  readonly desk: MarkDesk;
  readonly viewerOf: (request: Request) => Viewer;
  /** ingest/marks/upload.ts. */
  readonly positionsOf: (
    body: AsyncIterable<Uint8Array>,
    options: { readonly radiusArcsec: number; readonly survey: Survey | null },
    viewer: Viewer,
  ) => AsyncIterable<WatchedPositions>;
}

/** Each answers with the mark as JSON. Throws NOT_ALLOWED, BAD_ARGUMENT, BAD_MARK, BAD_CATALOG, TOO_LARGE. */
export function markRoutes({ desk, viewerOf, positionsOf }: MarkRoutesParts): Router {
  const router = Router();
  router.put("/watchlists/:name", async (request, response) => {
    const viewer = changing(viewerOf(request));
    const options = { radiusArcsec: numberOf(request, "radius") ?? 2, survey: textOf(request, "survey") ?? null };
    const blocks = positionsOf(request, options, viewer);
    const mark = await inItsOwnTime(() => desk.putList(viewer, aboutOf(request), blocks));
    response.json(told(mark));
  });
  router.put("/areas/:name", async (request, response) => {
    const viewer = changing(viewerOf(request));
    const bytes = await bodyOf(request, MAX_AREA, MAX_AREA);
    const isFits = bytes.subarray(0, 6).toString("latin1") === "SIMPLE";
    const moc = isFits ? readMocFits(bytes) : parseMoc(bytes.toString("utf8"));
    response.json(told(await inItsOwnTime(() => desk.putArea(viewer, aboutOf(request), moc))));
  });
  router.put("/skymaps/:name", async (request, response) => {
    const viewer = changing(viewerOf(request));
    const time = textOf(request, "time");
    const about = {
      ...aboutOf(request),
      ...given("event", textOf(request, "event")),
      ...given("daysBefore", numberOf(request, "daysBefore")),
      ...given("daysAfter", numberOf(request, "daysAfter")),
      ...given("jd", time === undefined ? undefined : parseTime(time)),
    };
    const map = await readSkymapFits(await bodyOf(request, MAX_SKYMAP, MAX_UNPACKED));
    response.json(told(await inItsOwnTime(() => desk.putSkymap(viewer, about, map))));
  });
  return router;
}

/** A million positions take longer to store than a query may: once the upload is here, it ends by itself. */
const inItsOwnTime = <T>(work: () => Promise<T>): Promise<T> => withinRequest(AbortSignal.timeout(UPLOAD_MS), work);

/** Before anything of the body is read. */
function changing(viewer: Viewer): Viewer {
  if (viewer.mayChange) return viewer;
  throw new TocsinError("NOT_ALLOWED", "The caller may not make or change watch lists, areas and sky maps.");
}

function aboutOf(request: Request<{ name: string }>): MarkAbout {
  const shared = textOf(request, "shared");
  if (shared !== undefined && shared !== "true" && shared !== "false") {
    throw new TocsinError("BAD_ARGUMENT", "shared must be true or false.");
  }
  return {
    name: request.params.name,
    ...given("description", textOf(request, "description")),
    ...given("isShared", shared === undefined ? undefined : shared === "true"),
    ...given("pastDays", numberOf(request, "pastDays")),
  };
}

const given = <K extends string, V>(name: K, value: V | undefined): { [name in K]?: V } =>
  (value === undefined ? {} : { [name]: value }) as { [name in K]?: V };

function textOf(request: Request<{ name: string }>, name: string): string | undefined {
  const value = request.query[name];
  if (value === undefined) return undefined;
  if (typeof value === "string" && value.length <= 1_000) return value;
  throw new TocsinError("BAD_ARGUMENT", `${name} must be given once, with at most 1,000 characters.`);
}

function numberOf(request: Request<{ name: string }>, name: string): number | undefined {
  const value = textOf(request, name);
  if (value === undefined) return undefined;
  const number = Number(value);
  if (value.trim() !== "" && Number.isFinite(number)) return number;
  throw new TocsinError("BAD_ARGUMENT", `${name} must be a number, found ${JSON.stringify(value.slice(0, 40))}.`);
}

/** The whole body, unpacked where it is gzip, as alerts' sky maps are. */
async function bodyOf(request: Request, most: number, mostUnpacked: number): Promise<Buffer> {
  const packed = await bounded(request, most);
  if (packed[0] !== 0x1f || packed[1] !== 0x8b) return packed;
  const gunzip = createGunzip();
  gunzip.end(packed);
  try {
    return await bounded(gunzip, mostUnpacked);
  } catch (error) {
    if (error instanceof TocsinError) throw error;
    throw new TocsinError("BAD_MARK", "The file's compressed data are damaged or end in their middle.");
  } finally {
    gunzip.destroy();
  }
}

async function bounded(stream: AsyncIterable<Buffer>, most: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    bytes += chunk.length;
    if (bytes > most) throw new TocsinError("TOO_LARGE", `The file may have ${most / MIB} MiB.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** As GraphQL shows it. */
function told(mark: Mark): Record<string, unknown> {
  const { content: _, skymap, ...shown } = shownMark(mark);
  const times = skymap && {
    ...skymap,
    time: isoFromJd(skymap.time),
    start: isoFromJd(skymap.start),
    end: isoFromJd(skymap.end),
  };
  return { ...shown, skymap: times, createdAt: isoFromJd(shown.createdAt), changedAt: isoFromJd(shown.changedAt) };
}
