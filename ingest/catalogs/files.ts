// The files of a load: that they are there, how large they are, their checksums; and a table opened and closed again.
// Called by load.ts and ingest/archival.
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { basename } from "node:path";
import type { CatalogFile } from "../../domain/catalog.js";
import type { ElementType } from "../../domain/columns.js";
import { TocsinError } from "../../domain/errors.js";
import { openTable } from "./open.js";
import type { TableReader } from "./table.js";

/** The files with their SHA-256, which is read off all of their bytes. */
export async function checkedFiles(
  paths: readonly string[],
  signal: AbortSignal,
  onBytes: (bytesDone: number, bytesTotal: number) => void,
): Promise<CatalogFile[]> {
  const sizes = await sizesOf(paths);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  let before = 0;
  const files: CatalogFile[] = [];
  for (const [n, path] of paths.entries()) {
    const sha256 = await checksum(path, signal, (bytes) => onBytes(before + bytes, total));
    before += sizes[n]!;
    files.push({ name: basename(path), bytes: sizes[n]!, sha256 });
  }
  return files;
}

/** @throws TocsinError NOT_FOUND where one of the files is none. */
export async function sizesOf(paths: readonly string[]): Promise<number[]> {
  if (paths.length === 0) throw new TocsinError("BAD_ARGUMENT", "No files are named.");
  return Promise.all(paths.map(sizeOf));
}

async function sizeOf(path: string): Promise<number> {
  const found = await stat(path).catch(() => null);
  if (found?.isFile()) return found.size;
  const remedy = "Give the paths of the files.";
  throw new TocsinError("NOT_FOUND", `${path} is no file.`, { remedy });
}

async function checksum(path: string, signal: AbortSignal, onBytes: (bytes: number) => void): Promise<string> {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: 4 * 1024 ** 2, signal })) {
    hash.update(chunk as Buffer);
    bytes += (chunk as Buffer).length;
    onBytes(bytes);
  }
  return hash.digest("hex");
}

export async function withTable<T>(
  path: string,
  types: ReadonlyMap<string, ElementType>,
  use: (reader: TableReader) => Promise<T>,
): Promise<T> {
  const reader = await openTable(path, types);
  try {
    return await use(reader);
  } finally {
    await reader.close();
  }
}
