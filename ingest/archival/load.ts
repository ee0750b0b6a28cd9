// Files into an archive of light curves: checked, read in pieces, stored, shown when all is there. Called by
// cli/lightcurves.ts and the service.
import { basename } from "node:path";
import type { ArchivalProgress, LightCurveArchive } from "../../domain/archival.js";
import type { ElementType } from "../../domain/columns.js";
import { TocsinError } from "../../domain/errors.js";
import type { ArchivalStore } from "../../stores/archival.store.js";
import { checkedFiles, withTable } from "../catalogs/files.js";
import { SAMPLED_ROWS } from "../catalogs/rows.js";
import { badCatalog } from "../catalogs/table.js";
import type { ArchivalDefinition } from "./definition.js";
import { type ArchivalPlan, archivalPlan } from "./plan.js";
import { type ArchivalPiece, archivalPieces } from "./rows.js";

export interface LightCurveLoad {
  readonly definition: ArchivalDefinition;
  /** Absolute; read one after the other. */
  readonly paths: readonly string[];
}

export interface LightCurvesTold {
  /** Of both readings: for the checksum, and for the rows. */
  readonly bytesDone: number;
  readonly bytesTotal: number;
  readonly points: number;
  readonly rejected: number;
}

export interface LoadedLightCurves {
  readonly archive: LightCurveArchive;
  /** Points that had been read by an earlier try. */
  readonly resumedAt: number;
}

/**
 * Load, and put in the place of the archive of this name. What died half-way goes on where it was, if it is asked for again
 * with the same files and definition.
 * @throws TocsinError NOT_FOUND, BAD_CATALOG (then nothing of it stays), and what the store throws (then it can go on).
 */
export async function loadLightCurves(
  store: ArchivalStore,
  { definition, paths }: LightCurveLoad,
  onProgress: (told: LightCurvesTold) => void = () => {},
  signal: AbortSignal = new AbortController().signal,
): Promise<LoadedLightCurves> {
  const files = await checkedFiles(paths, signal, (done, total) => {
    onProgress({ bytesDone: done, bytesTotal: 2 * total, points: 0, rejected: 0 });
  });
  const twice = files.find(({ sha256 }, n) => files.findIndex((other) => other.sha256 === sha256) < n);
  if (twice !== undefined) {
    const message = `${twice.name} is named twice, or another file is the same: its points would be there twice.`;
    throw new TocsinError("BAD_ARGUMENT", message, { remedy: "Name each file once." });
  }
  const plan = await withTable(paths[0]!, NO_TYPES, async ({ columns }) => {
    return archivalPlan(definition, columns, basename(paths[0]!));
  });
  const archive = await store.begin(plan.description, files);
  const resumedAt = archive.progress.pointsRead;
  let { progress } = archive;
  let bytesDone = files.reduce((sum, { bytes }) => sum + bytes, 0);
  const bytesTotal = 2 * bytesDone;
  try {
    for (const [n, path] of paths.entries()) {
      if (n >= progress.files) {
        const load = { store, archive, definition, path, signal };
        const before = bytesDone;
        progress = await loadFile(load, progress, (bytes, { pointsRead, pointsRejected, rejected }) => {
          onProgress({ bytesDone: before + bytes, bytesTotal, points: pointsRead - pointsRejected, rejected });
        });
      }
      bytesDone += files[n]!.bytes;
    }
    refuseEmpty(progress, files[0]!.name);
    return { archive: await store.activate(archive, progress), resumedAt };
  } catch (error) {
    if (error instanceof TocsinError && error.code === "BAD_CATALOG") await store.abandon(archive);
    throw error;
  }
}

const NO_TYPES: ReadonlyMap<string, ElementType> = new Map();

interface FileLoad {
  readonly store: ArchivalStore;
  readonly archive: LightCurveArchive;
  readonly definition: ArchivalDefinition;
  readonly path: string;
  readonly signal: AbortSignal;
}

async function loadFile(
  { store, archive, definition, path, signal }: FileLoad,
  from: ArchivalProgress,
  onProgress: (bytesRead: number, progress: ArchivalProgress) => void,
): Promise<ArchivalProgress> {
  const file = basename(path);
  return withTable(path, NO_TYPES, async (reader) => {
    // Each file for itself: the next one may have its columns in another order or of another width.
    const plan = archivalPlan(definition, reader.columns, file);
    let progress = from;
    // The archive stores one piece while the next one is made.
    let storing: Promise<void> = Promise.resolve();
    const { names, lists } = columnsOf(plan);
    for await (const block of reader.blocks(names, from.rowsOfFile, lists)) {
      for (const piece of archivalPieces(plan, block, file, progress.rowsOfFile + 1, progress.pointsRead)) {
        signal.throwIfAborted();
        progress = after(progress, piece);
        await storing;
        const now = progress;
        storing = store.append(archive, piece.rows, now);
        // Awaited with the next piece, or below.
        storing.catch(() => {});
        onProgress(reader.bytesRead(), now);
      }
    }
    await storing;
    return { ...progress, files: progress.files + 1, rowsOfFile: 0 };
  });
}

function columnsOf(plan: ArchivalPlan): { names: string[]; lists: string[] } {
  const { id, ra, dec, band, fields } = plan;
  const ofSource = [id, ra, dec, ...(band === null ? [] : [band]), ...fields];
  const ofPoint = [plan.time, plan.magnitude, plan.magnitudeError, plan.colorCoefficient, plan.flags];
  const points = ofPoint.filter((name) => name !== null);
  if (plan.layout === "lists") return { names: [...new Set(ofSource)], lists: [...new Set(points)] };
  return { names: [...new Set([...ofSource, ...points])], lists: [] };
}

function after(progress: ArchivalProgress, piece: ArchivalPiece): ArchivalProgress {
  return {
    files: progress.files,
    rowsOfFile: progress.rowsOfFile + piece.rowsRead,
    rowsRead: progress.rowsRead + piece.rowsRead,
    rejected: progress.rejected + piece.rejected,
    rejectedRows: [...progress.rejectedRows, ...piece.sample].slice(0, SAMPLED_ROWS),
    pointsRead: progress.pointsRead + piece.pointsRead,
    pointsRejected: progress.pointsRejected + piece.pointsRejected,
  };
}

/** A fault that only all rows together show. */
function refuseEmpty({ rowsRead, rejected, rejectedRows, pointsRead, pointsRejected }: ArchivalProgress, file: string) {
  if (pointsRead > pointsRejected) return;
  const [first] = rejectedRows;
  const why =
    first !== undefined && rowsRead === rejected
      ? `no row can be used; row ${first.row}: ${first.reason}`
      : "it has no point with a time and a magnitude";
  throw badCatalog(`${why}.`, { file }, "Say by a definition which columns hold what: docs/lightcurves.md.");
}
