// Writes the code of a reader for one writer schema and one layout: straight-line JavaScript that walks a record's bytes
// once, stores the wanted fields into columns and steps over the rest. Called by decode.ts (reader) and
// container.ts (skip).
// The text of a schema never becomes code: names turn into indices, enum symbols into a constant table.
import type { GeneratedReader, Layout, LayoutField } from "./columnar.js";
import * as primitives from "./primitives.js";
import { type AvroNode, leastBytes, type RecordNode } from "./schema.js";
import { storeCode } from "./store.js";

/** Position after the record that begins at `from`. Throws MalformedError or RangeError. */
export type GeneratedSkip = (bytes: Uint8Array, from: number) => number;

/** What a layout wants of a value: a column, a list, or parts of a record. */
interface Want {
  column: { readonly index: number; readonly field: LayoutField } | null;
  list: { readonly table: number; readonly item: Want } | null;
  readonly parts: Map<string, Want>;
}
const nothing = (): Want => ({ column: null, list: null, parts: new Map() });

function wantAt(root: Want, path: string): Want {
  let want = root;
  for (const name of path.split(".")) {
    const next = want.parts.get(name) ?? nothing();
    want.parts.set(name, next);
    want = next;
  }
  return want;
}

function wantFields(fields: readonly LayoutField[], root: Want = nothing()): Want {
  for (const [index, field] of fields.entries()) wantAt(root, field.path).column = { index, field };
  return root;
}

/** Indices of all columns below a want (lists have rows of their own). */
function columnsOf(want: Want): { index: number; field: LayoutField }[] {
  return [...(want.column ? [want.column] : []), ...[...want.parts.values()].flatMap(columnsOf)];
}

export function compileReader(schema: RecordNode, layout: Layout): GeneratedReader {
  const want = wantFields(layout.fields);
  for (const [i, list] of layout.lists.entries()) {
    wantAt(want, list.path).list = { table: i + 1, item: wantFields(list.fields) };
  }
  const writer = new CodeWriter();
  const root = writer.readFunction(schema, want);
  return writer.compile<GeneratedReader>(`return function read(T, b, d) {
  const t = T[0];
  const p = ${root}(T, t.values, t.nulls, b, d, 0, t.rows);
  if (p !== b.length) fail(p < b.length ? "bytes are left over after the record" : "the bytes end before the record does");
  t.rows += 1;
};`);
}

export function compileSkip(schema: RecordNode): GeneratedSkip {
  const writer = new CodeWriter();
  const root = writer.skipFunction(schema);
  return writer.compile<GeneratedSkip>(`return function skip(b, from) {
  const p = ${root}(b, from);
  if (!(p <= b.length)) fail("the bytes end before the record does");
  return p;
};`);
}

/**
 * The four bytes that four optional values are when all of them are missing, as most of an upper limit's are; null where
 * one of the four is not optional or not to be skipped.
 */
function nullWord(nodes: readonly (AvroNode | null)[]): number | null {
  let word = 0;
  for (const node of nodes) {
    const branch = node?.kind === "union" ? node.branches.findIndex(({ kind }) => kind === "null") : -1;
    if (branch < 0) return null;
    word = word * 256 + 2 * branch;
  }
  return word;
}

/** Collects functions; `b` is the bytes, `d` their DataView, `p` the position, `r` the row, `v` and `n` values and nulls. */
class CodeWriter {
  readonly #functions: string[] = [];
  readonly #skips = new Map<RecordNode, string>();
  readonly #symbols: (readonly string[])[] = [];
  #names = 0;

  compile<T>(body: string): T {
    const names = Object.keys(primitives);
    const source = `"use strict";\nconst { ${names.join(", ")} } = primitives;\n${this.#functions.join("\n")}\n${body}`;
    return new Function("primitives", "symbols", source)(primitives, this.#symbols) as T;
  }

  #name(): string {
    this.#names += 1;
    return `f${this.#names}`;
  }

  skipFunction(record: RecordNode): string {
    const known = this.#skips.get(record);
    if (known !== undefined) return known;
    const name = this.#name();
    this.#skips.set(record, name);
    const body = record.fields.map((field) => this.#skip(field.type)).join("\n");
    this.#functions.push(`function ${name}(b, p) {\nlet x;\n${body}\nreturn p;\n}`);
    return name;
  }

  /** A function that reads a value of a record or a list item into row r of its table. */
  readFunction(node: AvroNode, want: Want): string {
    const name = this.#name();
    const body = node.kind === "record" ? this.#fields(node, want) : this.#read(node, want);
    this.#functions.push(`function ${name}(T, v, n, b, d, p, r) {\nlet x;\n${body}\nreturn p;\n}`);
    return name;
  }

  #fields(record: RecordNode, want: Want): string {
    const known = new Set(record.fields.map((field) => field.name));
    const absent = [...want.parts].filter(([name]) => !known.has(name)).map(([, part]) => this.#absent(part));
    const code: string[] = [];
    for (let i = 0; i < record.fields.length; i += 1) {
      const run = record.fields.slice(i, i + 4).map(({ name, type }) => (want.parts.has(name) ? null : type));
      const nulls = run.length === 4 ? nullWord(run) : null;
      if (nulls !== null) {
        const each = run.map((type) => this.#skip(type!)).join("\n");
        code.push(`if (d.getUint32(p) === ${nulls}) p += 4; else {\n${each}\n}`);
        i += 3;
        continue;
      }
      const { name, type } = record.fields[i]!;
      const part = want.parts.get(name);
      code.push(part === undefined ? this.#skip(type) : this.#read(type, part));
    }
    return [...code, ...absent].join("\n");
  }

  /** Every column below the want becomes null. */
  #absent(want: Want): string {
    return columnsOf(want)
      .map(({ index, field }) => `n[${index}][r] = 1;${field.type === "String" ? ` v[${index}][r] = "";` : ""}`)
      .join(" ");
  }

  #read(node: AvroNode, want: Want): string {
    if (node.kind === "union") return this.#branches(node.branches, (branch) => this.#read(branch, want));
    if (node.kind === "record" && want.parts.size > 0) {
      return `p = ${this.readFunction(node, want)}(T, v, n, b, d, p, r);`;
    }
    if (node.kind === "array" && want.list !== null) return this.#list(node.items, want.list);
    if (want.column === null || node.kind === "null") return `${this.#skip(node)} ${this.#absent(want)}`;
    const { index, field } = want.column;
    let symbols = "";
    if (node.kind === "enum") symbols = `symbols[${this.#symbols.push(node.symbols) - 1}]`;
    const store = storeCode(node.kind, field.type, index, symbols);
    return store ?? `${this.#skip(node)} ${this.#absent(want)}`;
  }

  #list(items: AvroNode, list: NonNullable<Want["list"]>): string {
    // Items that take no bytes hold no field: no rows, and no loop for a hostile count to run.
    if (leastBytes(items) === 0) return this.#skipItems("0", "");
    const item = this.readFunction(items, list.item);
    return `for (let t = T[${list.table}];;) {
  const c = readCount(b, p, ${leastBytes(items)}); p = at.end;
  if (c === 0) break;
  t.reserve(c);
  const v = t.values, n = t.nulls, parents = t.parents, parent = T[0].rows, to = t.rows + c;
  for (let q = t.rows; q < to; q++) {
    parents[q] = parent;
    p = ${item}(T, v, n, b, d, p, q);
    if (!(p <= b.length)) fail("the bytes end before a list does");
  }
  t.rows = to;
}`;
  }

  #branches(branches: readonly AvroNode[], code: (branch: AvroNode) => string): string {
    const cases = branches.map((branch, i) => `if (x === ${2 * i}) { ${code(branch)} }`);
    // A packet's values are more often there than missing.
    if (branches[0]?.kind === "null") cases.push(cases.shift()!);
    return `x = b[p++];\n${[...cases, `fail("a union has no such branch");`].join("\nelse ")}`;
  }

  #skip(node: AvroNode): string {
    switch (node.kind) {
      case "null":
        return "";
      case "boolean":
        return "p += 1;";
      case "int":
      case "long":
      case "enum":
        return "while (b[p++] > 127);";
      case "float":
        return "p += 4;";
      case "double":
        return "p += 8;";
      case "fixed":
        return `p += ${node.size};`;
      case "bytes":
      case "string":
        return "p = skipBytes(b, p);";
      case "record":
        return `p = ${this.skipFunction(node)}(b, p);`;
      case "union":
        return this.#branches(node.branches, (branch) => this.#skip(branch));
      case "array":
        return this.#skipItems(String(leastBytes(node.items)), this.#skip(node.items));
      case "map":
        return this.#skipItems(String(1 + leastBytes(node.values)), `p = skipBytes(b, p); ${this.#skip(node.values)}`);
    }
  }

  #skipItems(least: string, item: string): string {
    const loop = `for (let q = 0; q < c; q++) { ${item} if (!(p <= b.length)) fail("the bytes end before a list does"); }`;
    return `for (;;) { const c = readCount(b, p, ${least}); p = at.end; if (c === 0) break; ${least === "0" ? "" : loop} }`;
  }
}
