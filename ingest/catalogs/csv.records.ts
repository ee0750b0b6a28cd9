// Records of a CSV file, piece by piece: cut at the delimiters as long as nothing is quoted, by csv-parse from the first
// quote on (ten times slower). Called by csv.ts.
import { type CsvError, parse } from "csv-parse";
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
  const cut = (lines: readonly string[]): Records => {
    const records: (readonly string[])[] = [];
    for (const text of lines) {
      line++;
      const whole = text.endsWith("\r") ? text.slice(0, -1) : text;
      if (whole !== "" && line > skipped) records.push(checked(whole.split(delimiter), line));
    }
    return records;
  };
  const pieces = chunks[Symbol.asyncIterator]();
  for (;;) {
    const next = await pieces.next();
    if (next.done) break;
    let text = left + decoder.decode(next.value, { stream: true });
    for (let end = text.indexOf("\n"); line < skipped && end >= 0; end = text.indexOf("\n")) {
      text = text.slice(end + 1);
      line++;
    }
    if (line >= skipped && text.includes('"')) {
      const rest = piecesFrom(text, decoder, pieces);
      for await (const records of parsed(rest, delimiter, file, line)) {
        yield records.map(({ record, at }) => checked(record, at));
      }
      return;
    }
    const lines = text.split("\n");
    left = lines.pop()!;
    if (left.length > LARGEST_RECORD) throw badCatalog(`line ${line + lines.length + 1} does not end.`, { file });
    yield cut(lines);
  }
  yield cut([left + decoder.decode()]);
}

async function* piecesFrom(
  first: string,
  decoder: InstanceType<typeof TextDecoder>,
  pieces: AsyncIterator<Buffer>,
): AsyncGenerator<string> {
  yield first;
  for (let next = await pieces.next(); !next.done; next = await pieces.next()) {
    yield decoder.decode(next.value, { stream: true });
  }
  yield decoder.decode();
}

interface Placed {
  readonly record: readonly string[];
  /** Its line in the file. */
  readonly at: number;
}

async function* parsed(
  pieces: AsyncIterable<string>,
  delimiter: string,
  file: string,
  linesBefore: number,
): AsyncGenerator<readonly Placed[]> {
  let records: Placed[] = [];
  let failure: Error | null = null;
  const parser = parse({
    delimiter,
    relax_quotes: true,
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: LARGEST_RECORD,
    // Nothing goes out of the stream: records are taken here, without a step of a stream for each.
    on_record: (record: string[], { lines }) => {
      records.push({ record, at: linesBefore + lines });
      return null;
    },
  });
  parser.on("error", (error) => {
    failure ??= error;
  });
  parser.resume();
  const fed = (feed: (done: (error?: Error | null) => void) => void) =>
    new Promise<void>((resolve, reject) => {
      parser.once("error", reject);
      feed((error) => {
        parser.off("error", reject);
        if (error ?? failure) reject((error ?? failure) as Error);
        else resolve();
      });
    }).catch((error: unknown) => {
      throw broken(error as CsvError, file, linesBefore);
    });
  const taken = (): Placed[] => {
    const full = records;
    records = [];
    return full;
  };
  for await (const piece of pieces) {
    if (piece !== "") await fed((done) => parser.write(piece, done));
    if (records.length > 0) yield taken();
  }
  await fed((done) => parser.end(done));
  if (records.length > 0) yield taken();
}

function broken(error: CsvError, file: string, linesBefore: number): Error {
  const { lines } = error as unknown as { lines?: number };
  const message = error.message.charAt(0).toLowerCase() + error.message.slice(1);
  const place = lines === undefined ? "" : `line ${linesBefore + lines}: `;
  return badCatalog(`${place}${message}.`, { file }, undefined, error);
}
