// The first table of a VOTable: TABLEDATA, BINARY or BINARY2. Opened by open.ts. Standard: IVOA VOTable 1.5.
import { basename } from "node:path";
import { SaxesParser } from "saxes";
import type { Block } from "../../domain/columns.js";
import { readBytes } from "./bytes.js";
import { BLOCK_ROWS, badCatalog, columnsNamed, type TableReader } from "./table.js";
import { textColumn } from "./texts.js";
import { valuesColumn } from "./values.js";
import { binaryRows } from "./votable.binary.js";
import { type Field, fieldOf } from "./votable.fields.js";

type Content = "TABLEDATA" | "BINARY" | "BINARY2";

/** What the parser has found up to where it stands. */
interface Found {
  readonly fields: Field[];
  content: Content | null;
  /** Cells of the rows of TABLEDATA that are whole. */
  rows: string[][];
  ended: boolean;
  /** Bytes read since the last tag, which the parser holds. */
  sinceTag: number;
}

const LONGEST_CELL = 4 * 1024 ** 2;

/** What is written next, unless the parser holds too much already. */
function written(parser: SaxesParser, found: Found, text: string, file: string, row?: number): void {
  found.sinceTag += text.length;
  parser.write(text);
  if (found.sinceTag <= LONGEST_CELL) return;
  const place = row === undefined ? { file } : { file, row };
  throw badCatalog(`a text between two tags is longer than ${LONGEST_CELL} characters.`, place);
}

export async function openVoTable(path: string, isGzip: boolean): Promise<TableReader> {
  const file = basename(path);
  const bytes = readBytes(path, isGzip);
  try {
    const found: Found = { fields: [], content: null, rows: [], ended: false, sinceTag: 0 };
    const parser = parserOf(found, file);
    const chunks = bytes.chunks[Symbol.asyncIterator]();
    const rest = await readHead(parser, found, chunks, file);
    const columns = found.fields.map(({ name, type, unit, description }) => ({ name, type, unit, description }));
    return {
      format: "VOTable",
      columns,
      blocks(names, skip) {
        const wanted = columnsNamed(columns, names, file).map((column) => found.fields[columns.indexOf(column)]!);
        return found.content === "TABLEDATA"
          ? textBlocks(parser, found, rest, chunks, wanted, skip, file)
          : binaryBlocks(found, rest, chunks, wanted, skip, file);
      },
      bytesRead: bytes.bytesRead,
      close: async () => bytes.close(),
    };
  } catch (error) {
    bytes.close();
    throw error;
  }
}

function parserOf(found: Found, file: string): SaxesParser {
  const parser = new SaxesParser();
  const decoded = { text: "", inDescription: false, inField: false, inInfo: false, tables: 0 };
  let row: string[] = [];
  let inCell = false;
  const local = (name: string) => name.slice(name.indexOf(":") + 1);
  parser.on("error", (error) => {
    throw badCatalog(`its XML is broken: ${error.message}.`, { file });
  });
  parser.on("opentag", ({ name, attributes }) => {
    const tag = local(name);
    found.sinceTag = 0;
    if (found.ended) return;
    if (tag === "TD") {
      if (attributes.encoding !== undefined) throw badCatalog("its cells are packed, which is not read.", { file });
      inCell = true;
      decoded.text = "";
    } else if (tag === "TR") row = [];
    else if (tag === "FIELD") {
      decoded.inField = true;
      found.fields.push(fieldOf(attributes as Record<string, string>, found.fields.length));
    } else if (tag === "VALUES" && decoded.inField) {
      const missing = (attributes as Record<string, string>).null;
      if (missing !== undefined) found.fields.at(-1)!.missing = missing.trim();
    } else if (tag === "DESCRIPTION" && decoded.inField) {
      decoded.inDescription = true;
      decoded.text = "";
    } else if (tag === "INFO") {
      const info = attributes as Record<string, string>;
      if (info.name === "QUERY_STATUS" && /^error$/i.test(info.value ?? "")) {
        throw badCatalog("it is the error message of a query, not a table.", { file });
      }
    } else if (tag === "TABLEDATA") found.content = "TABLEDATA";
    else if (tag === "STREAM") {
      const stream = attributes as Record<string, string>;
      if (stream.href !== undefined) throw badCatalog("its data are in another file, which is not fetched.", { file });
      if (stream.encoding !== "base64") throw badCatalog(`its data are encoded as ${stream.encoding}.`, { file });
      found.content = "BINARY";
      if (decoded.tables === 2) found.content = "BINARY2";
    } else if (tag === "BINARY2") decoded.tables = 2;
    else if (tag === "FITS" || tag === "PARQUET") {
      throw badCatalog(
        `its data are ${tag} inside of a VOTable, which is not read.`,
        { file },
        "Take the file itself.",
      );
    }
  });
  const add = (text: string) => {
    if (inCell || decoded.inDescription) decoded.text += text;
  };
  parser.on("text", add);
  parser.on("cdata", add);
  parser.on("closetag", ({ name }) => {
    const tag = local(name);
    found.sinceTag = 0;
    if (found.ended) return;
    if (tag === "TD") {
      row.push(decoded.text);
      inCell = false;
    } else if (tag === "TR") found.rows.push(row);
    else if (tag === "TABLEDATA" || tag === "TABLE") found.ended = true;
    else if (tag === "FIELD") decoded.inField = false;
    else if (tag === "DESCRIPTION" && decoded.inDescription) {
      found.fields.at(-1)!.description = decoded.text.trim().replaceAll(/\s+/g, " ");
      decoded.inDescription = false;
    }
  });
  return parser;
}

/** Read on until the data begin; what of the last piece belongs to them. */
async function readHead(
  parser: SaxesParser,
  found: Found,
  chunks: AsyncIterator<Buffer>,
  file: string,
): Promise<Buffer> {
  for (;;) {
    const next = await chunks.next();
    if (next.done) throw badCatalog("it has no table with data.", { file });
    const chunk = next.value as Buffer;
    for (let at = 0; at < chunk.length; ) {
      const end = chunk.indexOf(0x3e, at) + 1 || chunk.length;
      // Names and descriptions beyond ASCII may be cut at the end of a piece, at worst.
      written(parser, found, chunk.toString("utf8", at, end), file);
      at = end;
      if (found.content === null && found.ended) throw badCatalog("its first table has no data.", { file });
      if (found.content !== null) {
        if (found.fields.length === 0) throw badCatalog("its table has no fields.", { file });
        return chunk.subarray(at);
      }
    }
  }
}

async function* textBlocks(
  parser: SaxesParser,
  found: Found,
  rest: Buffer,
  chunks: AsyncIterator<Buffer>,
  wanted: readonly Field[],
  skip: number,
  file: string,
): AsyncGenerator<Block> {
  let first = skip;
  const places = wanted.map((field) => found.fields.indexOf(field));
  const makers = wanted.map(({ name, type }) => textColumn(name, type!, BLOCK_ROWS, file, (row) => first + row + 1));
  const block = (rows: number): Block => {
    first += rows;
    return { rows, columns: new Map(makers.map((maker, n) => [wanted[n]!.name, maker.column(rows)])) };
  };
  const decoder = new TextDecoder("utf-8");
  let seen = 0;
  let rows = 0;
  for (let chunk: Buffer | null = rest; chunk !== null && !found.ended; ) {
    written(parser, found, decoder.decode(chunk, { stream: true }), file, seen + 1);
    const whole = found.rows;
    found.rows = [];
    for (const row of whole) {
      if (row.length !== found.fields.length) {
        throw badCatalog(`it has ${row.length} cells, not ${found.fields.length}.`, { file, row: seen + 1 });
      }
      if (seen++ < skip) continue;
      for (let n = 0; n < places.length; n++) {
        const text = row[places[n]!]!;
        makers[n]!.put(rows, text.trim() === wanted[n]!.missing ? "" : text);
      }
      if (++rows < BLOCK_ROWS) continue;
      yield block(rows);
      rows = 0;
    }
    const next: IteratorResult<Buffer> = found.ended ? { done: true, value: undefined } : await chunks.next();
    chunk = next.done ? null : next.value;
  }
  if (!found.ended) throw badCatalog("the file ends before its table does.", { file, row: seen + 1 });
  if (rows > 0) yield block(rows);
}

async function* binaryBlocks(
  found: Found,
  rest: Buffer,
  chunks: AsyncIterator<Buffer>,
  wanted: readonly Field[],
  skip: number,
  file: string,
): AsyncGenerator<Block> {
  const { fields, content } = found;
  const places = wanted.map((field) => fields.indexOf(field));
  let values: unknown[][] = places.map(() => []);
  const block = (): Block => {
    const full = values;
    values = places.map(() => []);
    const rows = full[0]?.length ?? 0;
    const columns = wanted.map(({ name, type }, n) => {
      return [name, valuesColumn(full[n]!, 0, rows, type!, { file, column: name })] as const;
    });
    return { rows, columns: new Map(columns) };
  };
  let seen = 0;
  for await (const row of binaryRows(fields, content === "BINARY2", rest, chunks, file)) {
    if (seen++ < skip) continue;
    for (let n = 0; n < places.length; n++) {
      const value = row[places[n]!];
      const { missing } = wanted[n]!;
      values[n]!.push(missing !== null && String(value) === missing ? null : value);
    }
    if (values[0]!.length === BLOCK_ROWS) yield block();
  }
  if (values[0]!.length > 0) yield block();
}
