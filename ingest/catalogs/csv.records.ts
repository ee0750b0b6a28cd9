// Records of a CSV file, piece by piece: pieces without quotes are cut at the delimiters, the others go through csv-parse
// (ten times slower). Called by csv.ts.
import { type CsvError, parse } from "csv-parse/sync";
import { badCatalog } from "./table.js";

const LARGEST_RECORD = 4 * 1024 ** 2;

export type Records = readonly (readonly string[])[];

interface Lines {
  readonly delimiter: string;
  /** Lines before the first record. */
  readonly skipped: number;
}

/** Each record has as many fields as the first one, or BAD_CATALOG tells the line. */
export async function* recordsOf(
  chunks: AsyncIterable<Buffer>,
  { delimiter, skipped }: Lines,
  file: string,
): AsyncGenerator<Records> {
  const decoder = new TextDecoder("utf-8");
  let left = "";
  let line = 0;
  let fields = 0;
  const checked = (record: readonly string[], at: number): readonly string[] => {
    fields ||= record.length;
    if (record.length === fields) return record;
    throw badCatalog(`line ${at} has ${record.length} fields, not ${fields}.`, { file });
  };
  /** Of whole lines, without the end of the last one. */
  const records = (text: string): Records => {
    const before = line;
    if (text.includes('"')) {
      const parsed = quoted(text, delimiter, file, before);
      line += text.split("\n").length;
      return parsed.map(({ record, at }) => checked(record, at));
    }
    const found: (readonly string[])[] = [];
    for (const one of text.split("\n")) {
      line++;
      const whole = one.endsWith("\r") ? one.slice(0, -1) : one;
      if (whole !== "") found.push(checked(whole.split(delimiter), line));
    }
    return found;
  };
  for await (const chunk of chunks) {
    let text = left + decoder.decode(chunk, { stream: true });
    for (let end = text.indexOf("\n"); line < skipped && end >= 0; end = text.indexOf("\n")) {
      text = text.slice(end + 1);
      line++;
    }
    const end = line < skipped ? -1 : lastEnd(text);
    left = text.slice(end + 1);
    if (left.length > LARGEST_RECORD) throw badCatalog(`line ${line + 1}: a quote is not closed.`, { file });
    if (end >= 0) yield records(text.slice(0, end));
  }
  left += decoder.decode();
  if (line >= skipped && left !== "") yield records(left);
}

/** Where the last line ends that ends outside of quotes; -1 where none does. */
function lastEnd(text: string): number {
  let end = -1;
  let from = 0;
  for (;;) {
    const opened = text.indexOf('"', from);
    const last = opened < 0 ? text.lastIndexOf("\n") : text.lastIndexOf("\n", opened);
    if (last >= from) end = last;
    if (opened < 0) return end;
    const closed = text.indexOf('"', opened + 1);
    if (closed < 0) return end;
    from = closed + 1;
  }
}

interface Placed {
  readonly record: readonly string[];
  /** Its line in the file. */
  readonly at: number;
}

function quoted(text: string, delimiter: string, file: string, linesBefore: number): readonly Placed[] {
  const records: Placed[] = [];
  try {
    parse(text, {
      delimiter,
      relax_quotes: true,
      relax_column_count: true,
      skip_empty_lines: true,
      on_record: (record: string[], { lines }) => {
        records.push({ record, at: linesBefore + lines });
        return null;
      },
    });
  } catch (error) {
    const { message, lines } = error as CsvError & { lines?: number };
    const place = lines === undefined ? "" : `line ${linesBefore + lines}: `;
    throw badCatalog(`${place}${message.charAt(0).toLowerCase()}${message.slice(1)}.`, { file }, undefined, error);
  }
  return records;
}
