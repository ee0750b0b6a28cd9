// CSV and its kin (tab, semicolon, bar), and ECSV, which tells types and units. Opened by open.ts.
// ECSV: astropy APE 6.
import { basename } from "node:path";
import type { ElementType } from "../../domain/columns.js";
import { readBytes } from "./bytes.js";
import { ecsvHeader } from "./csv.ecsv.js";
import { recordsOf } from "./csv.records.js";
import { BLOCK_ROWS, badCatalog, columnsNamed, type TableColumn, type TableReader } from "./table.js";
import { textColumn, typeOfTexts } from "./texts.js";

/** Rows from which the types of a CSV file's columns are told. */
const SAMPLE = 10_000;

interface Layout {
  readonly delimiter: string;
  /** Lines before the line of names. */
  readonly skipped: number;
  /** A comment's line has the names; then no further line has. */
  readonly names: readonly string[] | null;
  readonly ecsv: readonly TableColumn[] | null;
  /** VizieR writes a line of units below the names, and comments between and below its tables. */
  readonly units?: readonly string[];
}

/** `head` are the file's first bytes, unpacked; `types` overrule what the first rows show. */
export async function openCsv(
  path: string,
  isGzip: boolean,
  types: ReadonlyMap<string, ElementType>,
): Promise<TableReader> {
  const file = basename(path);
  const layout = await layoutOf(path, isGzip, file);
  const { names, sample } = await sampleOf(path, isGzip, layout, file);
  const columns: readonly TableColumn[] =
    layout.ecsv ??
    names.map((name, n) => {
      const told = types.get(name);
      const type = told ?? typeOfTexts(sample.map((record) => record[n] ?? ""));
      const isOpen = told === undefined && (type === null || type === "Int64");
      const unit = layout.units?.[n]?.trim() || null;
      return { name, type: type ?? "String", unit, description: "", ...(isOpen && { isOpen }) };
    });
  if (names.length !== columns.length) throw badCatalog("its header and its line of names differ.", { file });
  const bytes = readBytes(path, isGzip);
  return {
    format: layout.ecsv === null ? "CSV" : "ECSV",
    columns,
    async *blocks(wanted, skip) {
      const places = columnsNamed(columns, wanted, file).map((column) => columns.indexOf(column));
      let first = skip;
      const makers = places.map((at) =>
        textColumn(names[at]!, columns[at]!.type!, BLOCK_ROWS, file, (row) => first + row + 1),
      );
      const block = (rows: number) => {
        first += rows;
        return { rows, columns: new Map(makers.map((maker, n) => [wanted[n]!, maker.column(rows)])) };
      };
      let seen = -(layout.names === null ? 1 : 0);
      let rows = 0;
      for await (const records of recordsOf(bytes.chunks, layout, file)) {
        for (const record of records) {
          if (seen++ < skip) continue;
          for (let n = 0; n < places.length; n++) makers[n]!.put(rows, record[places[n]!]!);
          if (++rows < BLOCK_ROWS) continue;
          yield block(rows);
          rows = 0;
        }
      }
      if (rows > 0) yield block(rows);
    },
    bytesRead: bytes.bytesRead,
    close: async () => bytes.close(),
  };
}

const LONGEST_HEAD = 4 * 1024 ** 2;

async function layoutOf(path: string, isGzip: boolean, file: string): Promise<Layout> {
  const bytes = readBytes(path, isGzip);
  let text = "";
  let lines: string[] = [];
  try {
    // Up to three lines that are no comments.
    for await (const chunk of bytes.chunks) {
      text += chunk.toString("utf8");
      lines = text.split(/\r?\n/);
      if (lines.filter((line) => line !== "" && !line.startsWith("#")).length > 3) break;
      if (text.length > LONGEST_HEAD) break;
    }
  } finally {
    bytes.close();
  }
  lines[0] = (lines[0] ?? "").replace(/^\ufeff/, "");
  const start = lines.findIndex((line) => !line.startsWith("#") && line.trim() !== "");
  const comments = start < 0 ? lines : lines.slice(0, start);
  if (lines[0]!.startsWith("# %ECSV")) {
    const { delimiter, columns } = ecsvHeader(comments, file);
    return { delimiter, skipped: comments.length, names: null, ecsv: columns };
  }
  let [first = "", second = "", third = ""] = lines.slice(Math.max(0, start));
  if (start < 0) throw badCatalog("it has no line with names of columns.", { file });
  if (isIpac(lines.slice(start))) {
    throw badCatalog("it is an IPAC table, which is not read.", { file }, "Take the same as CSV, VOTable or FITS.");
  }
  // The Transient Name Server begins with a line that tells the time, and nothing else.
  const titled = second.split(",").length > 1 && !first.includes(",") && first.startsWith('"');
  if (titled) [first, second] = [second, lines[start + 2] ?? ""];
  const delimiter = delimiterOf(first);
  if (isRuled(third, delimiter)) {
    const units = second.split(delimiter);
    return { delimiter, skipped: comments.length + 3, names: first.split(delimiter).map(plain), ecsv: null, units };
  }
  const last = comments.at(-1)?.replace(/^#+\s*/, "");
  const inComment = last !== undefined && last.split(delimiter).length === first.split(delimiter).length;
  if (inComment && first.split(delimiter).some((part) => part.trim() !== "" && !Number.isNaN(Number(part)))) {
    return { delimiter, skipped: comments.length, names: last.split(delimiter).map(plain), ecsv: null };
  }
  return { delimiter, skipped: comments.length + (titled ? 1 : 0), names: null, ecsv: null };
}

/** A line of dashes below each column, as VizieR draws it. */
const isRuled = (line: string, delimiter: string): boolean =>
  line.split(delimiter).every((part) => /^-+\s*$/.test(part)) && line.length > 1;

/** Lines of names, types and units between bars, with values in fixed places below them. */
function isIpac(lines: readonly string[]): boolean {
  const [names = "", types = ""] = lines.filter((line) => !line.startsWith("\\"));
  const isType = (part: string) => /^\s*-*(c|char|i|int|l|long|d|double|f|float|r|real|date)-*\s*$/i.test(part);
  return names.startsWith("|") && types.startsWith("|") && types.split("|").slice(1, -1).every(isType);
}

function delimiterOf(line: string): string {
  const counted = [",", "\t", ";", "|"].map((one) => [one, line.split(one).length] as const);
  return counted.reduce((most, one) => (one[1] > most[1] ? one : most))[0];
}

const plain = (name: string): string => name.trim().replace(/^"(.*)"$/, "$1");

async function sampleOf(path: string, isGzip: boolean, layout: Layout, file: string) {
  const bytes = readBytes(path, isGzip);
  const sample: (readonly string[])[] = [];
  try {
    for await (const records of recordsOf(bytes.chunks, layout, file)) {
      for (const record of records) sample.push(record);
      if (sample.length > SAMPLE || (layout.ecsv !== null && sample.length > 0)) break;
    }
  } finally {
    bytes.close();
  }
  const names = (layout.names ?? sample.shift() ?? []).map(plain);
  const twice = names.find((name, n) => names.indexOf(name) !== n);
  if (twice !== undefined) throw badCatalog("two columns have this name.", { file, column: twice });
  if (names.every((name) => name !== "" && !Number.isNaN(Number(name)))) {
    const remedy = "Write the names of the columns into the first line.";
    throw badCatalog("its first line holds numbers, not names of columns.", { file }, remedy);
  }
  return { names, sample: sample.slice(0, SAMPLE) };
}
