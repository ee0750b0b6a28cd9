// Files that callers of the API send to become catalogs: kept in a folder until they have been read. Used by catalogs.keeper.ts.
import { createWriteStream } from "node:fs";
import { mkdir, open, readdir, rm, stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { TocsinError } from "../domain/errors.js";

const GIB = 1024 ** 3;
/** Of one file, all of its pieces together. */
const MAX_BYTES = 10 * GIB;
/** What the disk keeps free: the archive is on it too. */
const KEPT_FREE = GIB;
/** Between two looks at the disk. */
const LOOK_BYTES = 64 * 1024 ** 2;
/** Pieces that nobody went on with. */
const ABANDONED_MS = 24 * 3_600_000;

export interface Uploads {
  /**
   * Append a piece that begins at `offset`, 0: a new file. Resolves with the bytes that are there now; what arrived of a
   * piece that broke off stays. Throws BAD_ARGUMENT (another offset; `bytes` says which), TOO_LARGE, DISK_FULL,
   * LOAD_IN_PROGRESS.
   */
  receive(name: string, offset: number, body: AsyncIterable<Uint8Array>): Promise<number>;
  /** Work with the whole file, which goes afterwards; until then nothing else is received for it. */
  use<T>(name: string, work: (path: string) => Promise<T>): Promise<T>;
}

/** Names are those of catalogs. What a process that died left in the folder can be gone on with, for a day. */
export function createUploads(folder: string): Uploads {
  const busy = new Set<string>();
  const pathOf = (name: string): string => join(folder, name);

  async function alone<T>(name: string, work: () => Promise<T>): Promise<T> {
    if (busy.has(name)) {
      throw new TocsinError("LOAD_IN_PROGRESS", `A file for the catalog ${name} is being received or read already.`);
    }
    busy.add(name);
    try {
      return await work();
    } finally {
      busy.delete(name);
    }
  }

  async function removeAbandoned(): Promise<void> {
    for (const name of await readdir(folder)) {
      if (busy.has(name)) continue;
      const { mtimeMs } = await stat(pathOf(name));
      if (Date.now() - mtimeMs > ABANDONED_MS) await rm(pathOf(name), { force: true });
    }
  }

  async function* bounded(body: AsyncIterable<Uint8Array>, offset: number): AsyncGenerator<Uint8Array> {
    let bytes = offset;
    let looked = Number.NEGATIVE_INFINITY;
    for await (const chunk of body) {
      bytes += chunk.length;
      if (bytes > MAX_BYTES) {
        throw new TocsinError("TOO_LARGE", `A catalog's file may have ${MAX_BYTES / GIB} GiB.`, {
          remedy: "Put it into CATALOG_DIR and use addCatalog, or send a Parquet file of the columns that you need.",
        });
      }
      if (bytes - looked > LOOK_BYTES) {
        const { bavail, bsize } = await statfs(folder);
        if (bavail * bsize < KEPT_FREE + LOOK_BYTES) {
          throw new TocsinError("DISK_FULL", "The disk under DATA_DIR has no room for the file.");
        }
        looked = bytes;
      }
      yield chunk;
    }
  }

  return {
    receive: (name, offset, body) =>
      alone(name, async () => {
        await mkdir(folder, { recursive: true });
        await removeAbandoned();
        const path = pathOf(name);
        if (offset === 0) await (await open(path, "w")).close();
        const bytes = (await stat(path).catch(() => null))?.size ?? 0;
        if (offset !== bytes) {
          throw new TocsinError(
            "BAD_ARGUMENT",
            `${bytes} bytes of the file are here, and the piece begins at ${offset}.`,
            {
              remedy: `Go on with offset=${bytes}, or begin anew with offset=0.`,
              details: { bytes },
            },
          );
        }
        await pipeline(bounded(body, offset), createWriteStream(path, { flags: "a" }));
        return (await stat(path)).size;
      }),
    use: (name, work) =>
      alone(name, async () => {
        const path = pathOf(name);
        try {
          return await work(path);
        } finally {
          await rm(path, { force: true });
        }
      }),
  };
}
