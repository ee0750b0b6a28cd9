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
  /** Where there are units, lines that begin with # are comments. */
  readonly units?: readonly string[];
  /** Where they are not the first record. */
  readonly names: readonly string[] | null;
}

/** Each record has as many fields as the first one, or BAD_CATALOG tells the line. */
export async function* recordsOf(
  chunks: AsyncIterable<Buffer>,
  { delimiter, skipped, units, names }: Lines,
  file: string,
): AsyncGenerator<Records> {
  const decoder = new TextDecoder("utf-8");
  let left = "";
  let line = 0;
  let fields = names?.length ?? 0;
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
      if (whole !== "" && !(units !== undefined && whole.startsWith("#")))
        found.push(checked(whole.split(delimiter), line));
    }
    return found;
  };
  for await (const chunk of chunks) {
    let text = left + decoder.decode(chunk, { stream: true });
    for (let end = text.indexOf("\n"); line < skipped && end >= 0; end = text.indexOf("\n")) {
      text = text.slice(end + 1);
      line++;
    }
    const { end, isOpen } = line < skipped ? { end: -1, isOpen: false } : lastEnd(text, delimiter);
    left = text.slice(end + 1);
    const whole = end < 0 ? null : records(text.slice(0, end));
    if (left.length > LARGEST_RECORD) {
      const why = isOpen ? "a quote is not closed" : `it is longer than ${LARGEST_RECORD} characters`;
      throw badCatalog(`line ${line + 1}: ${why}.`, { file });
    }
    if (whole !== null) yield whole;
  }
  left += decoder.decode();
  if (line >= skipped && left !== "") yield records(left);
}

/** Where the last line ends that ends outside of quotes, -1 where none does; and whether a quote is open at the end. */
function lastEnd(text: string, delimiter: string): { end: number; isOpen: boolean } {
  let end = -1;
  let from = 0;
  for (;;) {
    const opened = text.indexOf('"', from);
    const last = opened < 0 ? text.lastIndexOf("\n") : text.lastIndexOf("\n", opened);
    if (last >= from) end = last;
    if (opened < 0) return { end, isOpen: false };
    const before = text[opened - 1];
    // Elsewhere than at the border of a field it is a letter like others: 5" away.
    if (before !== undefined && before !== delimiter && before !== "\n") {
      from = opened + 1;
      continue;
    }
    const closed = closingQuote(text, opened);
    if (closed < 0) return { end, isOpen: true };
    from = closed + 1;
  }
}

/** The quote that ends what `opened` begins; two of them are one that is meant. */
function closingQuote(text: string, opened: number): number {
  let at = text.indexOf('"', opened + 1);
  while (at >= 0 && text[at + 1] === '"') at = text.indexOf('"', at + 2);
  return at;
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
