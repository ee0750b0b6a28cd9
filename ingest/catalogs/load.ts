// Files into a catalog: checked, read in blocks, stored, shown when all is there. Called by cli/catalog.ts and the service.
import { basename } from "node:path";
import type { Catalog, LoadProgress } from "../../domain/catalog.js";
import type { ElementType } from "../../domain/columns.js";
import { TocsinError } from "../../domain/errors.js";
import type { CatalogStore } from "../../stores/catalogs.store.js";
import type { CatalogDefinition } from "./definition.js";
import { checkedFiles, sizesOf, withTable } from "./files.js";
import { type Plan, planOf } from "./plan.js";
import { type CatalogRows, catalogRows, SAMPLED_ROWS } from "./rows.js";
import { badCatalog } from "./table.js";

export interface LoadRequest {
  readonly definition: CatalogDefinition;
  /** Absolute; read one after the other. */
  readonly paths: readonly string[];
  /** Columns to keep, by the definition's or the file's names; null: the definition's, else all. */
  readonly columns: readonly string[] | null;
  /** Types of columns of text files. */
  readonly types: Readonly<Record<string, ElementType>>;
}

export interface LoadTold {
  /** Of both readings: for the checksum, and for the rows. */
  readonly bytesDone: number;
  readonly bytesTotal: number;
  readonly rows: number;
  readonly rejected: number;
}

export interface Loaded {
  readonly catalog: Catalog;
  /** Columns of the definition that the files do not have. */
  readonly leftOut: readonly string[];
  /** Rows that had been stored by an earlier try. */
  readonly resumedAt: number;
}

/**
 * Load, and put in the place of the catalog of this name. What died half-way goes on where it was, if it is asked for again
 * with the same files and description.
 * @throws TocsinError NOT_FOUND, BAD_CATALOG (then nothing of it stays), and what the store throws (then it can go on).
 */
export async function loadCatalog(
  store: CatalogStore,
  request: LoadRequest,
  onProgress: (told: LoadTold) => void = () => {},
  signal: AbortSignal = new AbortController().signal,
): Promise<Loaded> {
  const { paths, definition } = request;
  const sizes = await sizesOf(paths);
  const types = new Map<string, ElementType>(Object.entries(request.types));
  // Before the checksums: what is no table, or has other columns, is told at once.
  const plan = await withTable(paths[0]!, types, async (reader) => {
    return planOf(definition, reader.columns, request.columns, basename(paths[0]!));
  });
  let bytesDone = sizes.reduce((sum, bytes) => sum + bytes, 0);
  const bytesTotal = 2 * bytesDone;
  const files = await checkedFiles(paths, signal, (done) => {
    onProgress({ bytesDone: done, bytesTotal, rows: 0, rejected: 0 });
  });
  const catalog = await store.begin(plan.description, files);
  const resumedAt = catalog.progress.rowsRead;
  let { progress } = catalog;
  try {
    for (let n = 0; n < paths.length; n++) {
      if (n >= progress.files) {
        const before = bytesDone;
        progress = await loadFile(
          store,
          catalog,
          plan,
          paths[n]!,
          typesOf(plan, types),
          progress,
          signal,
          (read, told) => {
            onProgress({
              bytesDone: before + read,
              bytesTotal,
              rows: told.rowsRead - told.rejected,
              rejected: told.rejected,
            });
          },
        );
      }
      bytesDone += files[n]!.bytes;
    }
    refuseOddities(plan, progress, files[0]!.name);
    const active = await store.activate(catalog, progress);
    return { catalog: active, leftOut: plan.leftOut, resumedAt };
  } catch (error) {
    if (error instanceof TocsinError && error.code === "BAD_CATALOG") await store.abandon(catalog);
    throw error;
  }
}

/** What the first file's columns are, those of the others are too: a file of text could look otherwise. */
function typesOf(plan: Plan, told: ReadonlyMap<string, ElementType>): Map<string, ElementType> {
  const types = new Map(plan.columns.map(({ from, to }) => [from, to.type]));
  if (plan.id !== null) types.set(plan.id, plan.description.idType);
  types
    .set(plan.ra, plan.raUnit === "text" ? "String" : "Float64")
    .set(plan.dec, plan.raUnit === "text" ? "String" : "Float64");
  return new Map([...types, ...told]);
}

async function loadFile(
  store: CatalogStore,
  catalog: Catalog,
  plan: Plan,
  path: string,
  types: ReadonlyMap<string, ElementType>,
  from: LoadProgress,
  signal: AbortSignal,
  onProgress: (bytesRead: number, progress: LoadProgress) => void,
): Promise<LoadProgress> {
  const file = basename(path);
  return withTable(path, types, async (reader) => {
    let progress = from;
    // The archive stores one block while the next one is read.
    let storing: Promise<void> = Promise.resolve();
    for await (const block of reader.blocks(columnsOf(plan), from.rowsOfFile)) {
      signal.throwIfAborted();
      const made = catalogRows(plan, block, file, progress.rowsOfFile + 1, progress.rowsRead);
      progress = after(progress, block.rows, made);
      await storing;
      const now = progress;
      storing = store.append(catalog, made.rows, now);
      // Awaited with the next block, or below.
      storing.catch(() => {});
      onProgress(reader.bytesRead(), now);
    }
    await storing;
    return { ...progress, files: progress.files + 1, rowsOfFile: 0 };
  });
}

function columnsOf({ ra, dec, id, motion, columns }: Plan): string[] {
  const moving = motion === null ? [] : [motion.pmRa, motion.pmDec];
  return [...new Set([ra, dec, ...(id === null ? [] : [id]), ...moving, ...columns.map(({ from }) => from)])];
}

function after(progress: LoadProgress, rows: number, { rejected, sample, raRange }: CatalogRows): LoadProgress {
  const ranges = [progress.raRange ?? null, raRange].filter((range) => range !== null);
  return {
    files: progress.files,
    rowsOfFile: progress.rowsOfFile + rows,
    rowsRead: progress.rowsRead + rows,
    rejected: progress.rejected + rejected,
    rejectedRows: [...progress.rejectedRows, ...sample].slice(0, SAMPLED_ROWS),
    ...(ranges.length > 0 && {
      raRange: [Math.min(...ranges.map(([least]) => least)), Math.max(...ranges.map(([, most]) => most))] as const,
    }),
  };
}

/** Faults that only all rows together show. */
function refuseOddities(plan: Plan, { rowsRead, rejected, rejectedRows, raRange }: LoadProgress, file: string): void {
  if (rowsRead === 0) throw badCatalog("it has no rows.", { file });
  if (rowsRead === rejected) {
    const first = rejectedRows[0]!;
    throw badCatalog(
      `no row can be used; row ${first.row}: ${first.reason}.`,
      { file },
      "Say which columns hold the positions and the ids: --ra COLUMN --dec COLUMN --id COLUMN.",
    );
  }
  if (!plan.raUnitAssumed || raRange === undefined) return;
  const [least, most] = raRange;
  const place = { file, column: plan.ra };
  const range = `every value lies between ${least.toFixed(4)} and ${most.toFixed(4)}`;
  if (most <= 24 && most - least > 18) {
    throw badCatalog(
      `${range}: these look like hours, not degrees.`,
      place,
      "Say --ra-unit hours, or --ra-unit deg where they are degrees indeed.",
    );
  }
  if (least >= 0 && most <= 2 * Math.PI && most - least > 5.5 && rowsRead > 1000) {
    throw badCatalog(
      `${range}: these look like radians, not degrees.`,
      place,
      "Say --ra-unit rad, or --ra-unit deg where they are degrees indeed.",
    );
  }
}
