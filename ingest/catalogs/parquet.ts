// A Parquet file, row group by row group, the wanted columns only. Opened by open.ts.
import { createWriteStream } from "node:fs";
import { type FileHandle, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type AsyncBuffer, parquetMetadataAsync, parquetScan, parquetSchema } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import type { ListColumn } from "../../domain/columns.js";
import { opened, readBytes } from "./bytes.js";
import { astropyTable, masked } from "./parquet.astropy.js";
import { itemType, listColumn, listNamed, listRows, type RowRange } from "./parquet.lists.js";
import { readable, typeOf } from "./parquet.types.js";
import { BLOCK_ROWS, badCatalog, columnsNamed, type TableColumn, type TableReader } from "./table.js";
import { valuesColumn } from "./values.js";

/** Rows of a group that are decoded at once. */
const MOST_ROWS = 500_000;

export async function openParquet(path: string, isGzip: boolean): Promise<TableReader> {
  const file = basename(path);
  // A Parquet file is read from its end: packed ones are unpacked aside.
  const folder = isGzip ? await mkdtemp(join(tmpdir(), "tocsin-catalog-")) : null;
  let handle: FileHandle | null = null;
  const close = async () => {
    await handle?.close();
    if (folder !== null) await rm(folder, { recursive: true, force: true });
  };
  try {
    const plain = folder === null ? path : join(folder, "unpacked.parquet");
    if (isGzip) await pipeline(Readable.from(readBytes(path, true).chunks), createWriteStream(plain));
    handle = await opened(plain);
    const buffer = await asyncBuffer(handle);
    const metadata = await readable(file, () => parquetMetadataAsync(buffer));
    const { told, masks } = astropyTable(metadata);
    const isMask = new Set(masks.values());
    const nodes = parquetSchema(metadata).children.filter(({ element }) => !isMask.has(element.name));
    const columns = nodes.map((node): TableColumn => {
      const { element, children } = node;
      if (typeof element.name !== "string") throw badCatalog("one of its columns has no name.", { file });
      const isPlain = children.length === 0 && element.repetition_type !== "REPEATED";
      const items = isPlain ? null : itemType(node);
      const type = isPlain ? typeOf(element) : null;
      const { unit = null, description = "" } = told.get(element.name) ?? {};
      return { name: element.name, type, unit, description, ...(items !== null && { items }) };
    });
    const size = (await handle.stat()).size;
    let part = 0;
    return {
      format: "Parquet",
      columns,
      async *blocks(names, skip, lists = []) {
        const wanted = columnsNamed(columns, names, file);
        const maskNames = names.flatMap((name) => masks.get(name) ?? []);
        const read = [...names, ...maskNames];
        const most = lists.length > 0 ? Number.POSITIVE_INFINITY : MOST_ROWS;
        const scan = await readable(file, () =>
          parquetScan({ file: buffer, metadata, columns: read, compressors, utf8: true, useOffsetIndex: false }),
        );
        const rows = Number(metadata.num_rows);
        for (const { rowStart, rowEnd } of scan.ranges) {
          for (let start = Math.max(rowStart, skip); start < rowEnd; start += most) {
            const end = Math.min(rowEnd, start + most);
            const range: RowRange = { file, buffer, metadata, start, end };
            const listColumns: [string, ListColumn][] = [];
            for (const name of lists) listColumns.push([name, await listColumn(range, listNamed(columns, name, file))]);
            const values = await readable(file, () =>
              Promise.all(read.map((column) => scan.readColumn({ column, rowStart: start, rowEnd: end }))),
            );
            for (let at = start; at < end; at += BLOCK_ROWS) {
              const count = Math.min(BLOCK_ROWS, end - at);
              const made = wanted.map(({ name, type }, n) => {
                const column = valuesColumn(values[n]!, at - start, count, type!, { file, column: name });
                const mask = masks.get(name);
                if (mask === undefined) return [name, column] as const;
                return [name, masked(column, values[names.length + maskNames.indexOf(mask)]!, at - start)] as const;
              });
              const listsMade = listColumns.map(([name, list]) => [name, listRows(list, at - start, count)] as const);
              yield { rows: count, columns: new Map(made), ...(lists.length > 0 && { lists: new Map(listsMade) }) };
            }
            part = end / rows;
          }
        }
      },
      bytesRead: () => Math.round(part * size),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function asyncBuffer(handle: FileHandle): Promise<AsyncBuffer> {
  const { size } = await handle.stat();
  return {
    byteLength: size,
    async slice(start, end = size) {
      const bytes = new ArrayBuffer(Math.max(0, end - start));
      const { bytesRead } = await handle.read(new Uint8Array(bytes), 0, bytes.byteLength, start);
      return bytesRead === bytes.byteLength ? bytes : bytes.slice(0, bytesRead);
    },
  };
}
