// A Parquet file, row group by row group, the wanted columns only. Opened by open.ts.
import { createWriteStream } from "node:fs";
import { type FileHandle, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type AsyncBuffer, parquetMetadataAsync, parquetScan, parquetSchema, type SchemaElement } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import type { ElementType } from "../../domain/columns.js";
import { opened, readBytes } from "./bytes.js";
import { BLOCK_ROWS, badCatalog, columnsNamed, type TableReader } from "./table.js";
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
    const columns = parquetSchema(metadata).children.map(({ element, children }) => ({
      name: element.name,
      type: children.length > 0 || element.repetition_type === "REPEATED" ? null : typeOf(element),
      unit: null,
      description: "",
    }));
    const size = (await handle.stat()).size;
    let part = 0;
    return {
      format: "Parquet",
      columns,
      async *blocks(names, skip) {
        const wanted = columnsNamed(columns, names, file);
        const scan = await readable(file, () =>
          parquetScan({ file: buffer, metadata, columns: [...names], compressors, utf8: true, useOffsetIndex: false }),
        );
        const rows = Number(metadata.num_rows);
        for (const { rowStart, rowEnd } of scan.ranges) {
          for (let start = Math.max(rowStart, skip); start < rowEnd; start += MOST_ROWS) {
            const end = Math.min(rowEnd, start + MOST_ROWS);
            const values = await readable(file, () =>
              Promise.all(names.map((column) => scan.readColumn({ column, rowStart: start, rowEnd: end }))),
            );
            for (let at = start; at < end; at += BLOCK_ROWS) {
              const count = Math.min(BLOCK_ROWS, end - at);
              const made = wanted.map(({ name, type }, n) => {
                return [name, valuesColumn(values[n]!, at - start, count, type!, { file, column: name })] as const;
              });
              yield { rows: count, columns: new Map(made) };
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

/** What the library throws at bytes that are no Parquet is any error. */
async function readable<T>(file: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    const why = error instanceof Error ? error.message.replace(/^parquet\s*/i, "") : String(error);
    throw badCatalog(`it is no Parquet that can be read: ${why}.`, { file }, undefined, error);
  }
}

const INTEGERS: Readonly<Record<string, ElementType>> = {
  INT_8: "Int8",
  INT_16: "Int16",
  INT_32: "Int32",
  INT_64: "Int64",
  UINT_8: "UInt8",
  UINT_16: "Int32",
  UINT_32: "UInt32",
  UINT_64: "UInt64",
};

/** Dates and times become ISO texts, decimals Float64. Null for what has no plain value. */
function typeOf({ type, converted_type, logical_type }: SchemaElement): ElementType | null {
  const kind = logical_type?.type;
  if (converted_type !== undefined && converted_type in INTEGERS) return INTEGERS[converted_type]!;
  if (kind === "INTEGER" && logical_type !== undefined) {
    const { bitWidth, isSigned } = logical_type as { bitWidth: number; isSigned: boolean };
    return INTEGERS[`${isSigned ? "" : "U"}INT_${bitWidth}`] ?? null;
  }
  if (converted_type === "DECIMAL" || kind === "DECIMAL") return "Float64";
  if (kind === "FLOAT16") return "Float32";
  if (kind === "DATE" || kind === "TIMESTAMP" || kind === "UUID" || type === "INT96") return "String";
  if (converted_type === "DATE" || converted_type?.startsWith("TIMESTAMP")) return "String";
  if (type === "BOOLEAN") return "Bool";
  if (type === "INT32") return "Int32";
  if (type === "INT64") return "Int64";
  if (type === "FLOAT") return "Float32";
  if (type === "DOUBLE") return "Float64";
  return type === "BYTE_ARRAY" || type === "FIXED_LEN_BYTE_ARRAY" ? "String" : null;
}
