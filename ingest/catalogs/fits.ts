// The first table of a FITS file, block by block. Opened by open.ts.
import { basename } from "node:path";
import type { Block } from "../../domain/columns.js";
import { TocsinError } from "../../domain/errors.js";
import { fitsColumn } from "../../domain/fitstable.columns.js";
import { FITS_BLOCK, type FitsTable, fitsDataBytes, fitsHeader, fitsTable } from "../../domain/fitstable.js";
import { ByteSource, readBytes } from "./bytes.js";
import { BLOCK_ROWS, badCatalog, columnsNamed, type TableReader } from "./table.js";

const HEADER_STEP = 20 * FITS_BLOCK;
/** Bytes of rows that are decoded at once. */
const MOST_BYTES = 32 * 1024 ** 2;

export async function openFits(path: string, isGzip: boolean): Promise<TableReader> {
  const file = basename(path);
  const bytes = readBytes(path, isGzip);
  const source = new ByteSource(bytes.chunks);
  try {
    const table = await within(file, () => findTable(source, file));
    const oneValue = ({ repeat, code }: FitsTable["columns"][number]) => repeat === 1 || code === "A";
    const columns = table.columns.map((column) => ({
      name: column.name,
      type: oneValue(column) ? column.type : null,
      unit: column.unit,
      description: column.description,
    }));
    return {
      format: "FITS",
      columns,
      async *blocks(names, skip) {
        columnsNamed(columns, names, file);
        const wanted = names.map((name) => table.columns.find((column) => column.name === name)!);
        await source.skip(Math.min(skip, table.rows) * table.rowBytes);
        const most = Math.max(1, Math.min(BLOCK_ROWS, Math.floor(MOST_BYTES / Math.max(1, table.rowBytes))));
        for (let row = skip; row < table.rows; row += most) {
          const rows = Math.min(most, table.rows - row);
          const data = await source.take(rows * table.rowBytes);
          if (data === null) {
            throw badCatalog(`the file ends before the last of its ${table.rows} rows.`, { file, row: row + 1 });
          }
          const columns = new Map(wanted.map((column) => [column.name, fitsColumn(table, column, data, 0, rows)]));
          yield { rows, columns } satisfies Block;
        }
      },
      bytesRead: bytes.bytesRead,
      close: async () => bytes.close(),
    };
  } catch (error) {
    bytes.close();
    throw error;
  }
}

async function findTable(source: ByteSource, file: string): Promise<FitsTable> {
  for (let most = HEADER_STEP; ; ) {
    const bytes = await source.peek(most);
    if (bytes.length === 0) throw badCatalog("it is a FITS file without a table.", { file });
    const header = fitsHeader(bytes);
    if (header === null) {
      if (bytes.length < most) throw badCatalog("it ends within a header.", { file });
      most = bytes.length + HEADER_STEP;
      continue;
    }
    await source.skip(header.byteLength);
    const table = fitsTable(header.cards);
    if (table !== null) return table;
    if (!(await source.skip(fitsDataBytes(header.cards)))) throw badCatalog("it ends before its table.", { file });
    most = HEADER_STEP;
  }
}

/** What the standard's reader says, with the file's name. */
async function within<T>(file: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof TocsinError && error.details.file === undefined) throw badCatalog(error.message, { file });
    throw error;
  }
}
