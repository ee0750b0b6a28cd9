// A table file, whichever of the formats it has: told by its first bytes, not by its name; its reader is loaded
// then. Called by files.ts and marks/upload.ts.
import { basename } from "node:path";
import type { ElementType } from "../../domain/columns.js";
import { firstBytes } from "./bytes.js";
import { badCatalog, type TableReader } from "./table.js";

/** First bytes of packed files that are not read. */
const PACKED = [
  ["\x28\xb5\x2f\xfd", "zstd"],
  ["PK\x03\x04", "zip"],
  ["BZh", "bzip2"],
  ["\xfd7zXZ\0", "xz"],
] as const;

/**
 * The file's first table. `types` say what columns of a CSV file are, where its first rows would mislead.
 * @throws TocsinError NOT_FOUND, BAD_CATALOG.
 */
export async function openTable(
  path: string,
  types: ReadonlyMap<string, ElementType> = new Map(),
): Promise<TableReader> {
  const { isGzip, head } = await firstBytes(path);
  if (head.length === 0) throw badCatalog("it is empty.", { file: basename(path) });
  const text = head.toString("latin1").replace(/^\xef\xbb\xbf/, "");
  if (text.startsWith("SIMPLE  =")) return (await import("./fits.js")).openFits(path, isGzip);
  if (text.startsWith("PAR1")) return (await import("./parquet.js")).openParquet(path, isGzip);
  if (/^\s*<\?xml|^\s*<(\w+:)?VOTABLE\b/.test(text)) return (await import("./votable.js")).openVoTable(path, isGzip);
  if (/^\s*<(!doctype )?html/i.test(text)) throw badCatalog("it is a web page.", { file: basename(path) });
  const packed = PACKED.find(([start]) => text.startsWith(start));
  if (packed !== undefined) {
    throw badCatalog(
      `it is packed with ${packed[1]}.`,
      { file: basename(path) },
      "Unpack it first; gzip is read as it is.",
    );
  }
  if (head.includes(0)) {
    throw badCatalog(
      "it is none of CSV, ECSV, FITS, Parquet and VOTable.",
      { file: basename(path) },
      "Convert it to one.",
    );
  }
  return (await import("./csv.js")).openCsv(path, isGzip, types);
}
