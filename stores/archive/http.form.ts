// A statement with its values and tables as the body of a request, where the bounds of a URL do not hold. Called by http.ts.
import { randomUUID } from "node:crypto";
import type { Block } from "../../domain/columns.js";
import type { ExternalTable, InsertOptions, Parameter } from "./client.js";
import { blockStructure, encodeNative } from "./native.encode.js";

export interface Form {
  readonly contentType: string;
  readonly body: Buffer;
  /** What the URL must say. */
  readonly settings: Readonly<Record<string, string>>;
}

/** A server takes 131,072 bytes in a field of a form (http_max_field_value_size of its default profile), and 1 MiB of URL. */
export const LONGEST_FIELD = 120_000;
const LONGEST_URL = 300_000;

/**
 * A multipart form: the statement, `param_<name>` for each bound value, and one file part for each table in Native
 * format. A statement too long for a field is the whole body where no table goes with it, and its values stand in the URL.
 */
export function statementForm(
  sql: string,
  parameters: Readonly<Record<string, Parameter>>,
  tables: readonly ExternalTable[],
): Form {
  if (tables.length === 0 && sql.length > LONGEST_FIELD) {
    const settings = parameterSettings(parameters);
    const length = Object.values(settings).reduce((sum, value) => sum + encodeURIComponent(value).length, 0);
    if (length < LONGEST_URL) return { contentType: "text/plain; charset=utf-8", body: Buffer.from(sql), settings };
  }
  const boundary = randomUUID();
  const chunks: Buffer[] = [];
  const part = (head: string, value: Buffer) => {
    chunks.push(Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; ${head}\r\n\r\n`), value, CRLF);
  };
  part('name="query"', Buffer.from(sql));
  for (const [name, value] of Object.entries(parameters)) {
    part(`name="param_${identifier(name)}"`, Buffer.from(parameterText(value)));
  }
  for (const { name, block } of tables) {
    part(`name="${identifier(name)}"; filename="${name}"`, encodeNative(block));
  }
  chunks.push(Buffer.from(`--${boundary}--\r\n`));
  return {
    contentType: `multipart/form-data; boundary=${boundary}`,
    body: Buffer.concat(chunks),
    settings: tableSettings(tables),
  };
}

const CRLF = Buffer.from("\r\n");

/** What the URL must say about each table: its format and its columns. */
function tableSettings(tables: readonly ExternalTable[]): Record<string, string> {
  return Object.fromEntries(
    tables.flatMap(({ name, block }) => [
      [`${name}_format`, "Native"],
      [`${name}_structure`, structure(block)],
    ]),
  );
}

/** The statement whose rows follow as the request's body. */
export function insertStatement(
  table: string,
  block: Block,
  { onlyIf, computed = {}, unstored = [] }: Pick<InsertOptions, "onlyIf" | "computed" | "unstored">,
): string {
  const sent = blockStructure(block).filter(({ name }) => !unstored.includes(name));
  const columns = [...sent.map(({ name }) => name), ...Object.keys(computed)].map(quoted);
  const into = `INSERT INTO ${quoted(table)} (${columns.join(", ")})`;
  if (onlyIf === undefined && Object.keys(computed).length === 0) return `${into} FORMAT Native`;
  const values = [...sent.map(({ name }) => quoted(name)), ...Object.values(computed)];
  const input = `input(${sqlText(structure(block))})`;
  const condition = onlyIf === undefined ? "" : ` WHERE ${onlyIf}`;
  return `${into} SELECT ${values.join(", ")} FROM ${input}${condition} FORMAT Native`;
}

/** Bound values where the request's body is taken by rows: they stand in the URL, so they must be few and short. */
export function parameterSettings(parameters: Readonly<Record<string, Parameter>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(parameters).map(([name, value]) => [`param_${identifier(name)}`, parameterText(value)]),
  );
}

const structure = (block: Block): string =>
  blockStructure(block)
    .map(({ name, type }) => `${quoted(name)} ${type}`)
    .join(", ");

/** A column's or table's name in backticks. */
export function quoted(name: string): string {
  return `\`${name.replaceAll("\\", "\\\\").replaceAll("`", "\\`")}\``;
}

/** A text literal, for the places of a statement where no value can be bound. */
export const sqlText = (text: string): string => `'${escaped(text)}'`;

function identifier(name: string): string {
  if (!/^[A-Za-z_]\w*$/.test(name)) throw new RangeError(`${JSON.stringify(name)} cannot name a value or table.`);
  return name;
}

/** A value as ClickHouse reads it for `{name:Type}`: escaped text at the top, literals within a list. */
function parameterText(value: Parameter): string {
  if (value === null) return "\\N";
  if (typeof value === "string") return escaped(value);
  if (typeof value === "number" || typeof value === "bigint") return numberText(value);
  if (typeof value === "boolean") return value ? "1" : "0";
  const items = (value as readonly (string | number | bigint)[]).map((item) =>
    typeof item === "string" ? `'${escaped(item)}'` : numberText(item),
  );
  return `[${items.join(",")}]`;
}

function numberText(value: number | bigint): string {
  if (value === Number.POSITIVE_INFINITY) return "inf";
  if (value === Number.NEGATIVE_INFINITY) return "-inf";
  return Number.isNaN(value) ? "nan" : String(value);
}

const ESCAPES: Readonly<Record<string, string>> = {
  "\\": "\\\\",
  "'": "\\'",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\0": "\\0",
  "\b": "\\b",
};

function escaped(text: string): string {
  return /[\\'\n\r\t\0\b]/.test(text) ? text.replace(/[\\'\n\r\t\0\b]/g, (character) => ESCAPES[character]!) : text;
}
