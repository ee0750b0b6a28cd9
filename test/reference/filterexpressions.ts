// Random well-typed expressions and random rows over TEST_SURVEY, for fast-check.
import fc from "fast-check";
import { COMMON_FIELDS } from "../../domain/alert.js";
import type { Block, Column, ElementType, ListColumn } from "../../domain/columns.js";
import type { FilterField, FilterList } from "../../filters/fields.js";
import { TEST_FIELDS, TEST_SURVEY } from "./filterfields.js";
import type { Element, Row, Value } from "./filtervalues.js";

const table = TEST_FIELDS(TEST_SURVEY.id);
const namesOf = (fields: readonly FilterField[], kind: string, prefix = "") =>
  fields.filter((field) => field.kind === kind).map((field) => prefix + field.name);

const isWhole = ({ columnType }: FilterField) => !columnType.startsWith("Float");

/** Names as they are at a place: of a list's element, else of the alert, whose names inside lists begin with alert. */
function namedIn(list: FilterList | null): (kind: string) => fc.Arbitrary<string> {
  return (kind) => {
    const own = namesOf(list?.fields ?? [], kind);
    const alert = fc.constantFrom(...namesOf(table.fields, kind, list ? "alert." : ""));
    return own.length === 0 ? alert : fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...own) }, alert);
  };
}

const numberText = fc.oneof(
  fc.constantFrom("0", "1", "2", "0.1", "0.5", "1e-300", "1e300", "3e38", "5e-324", "4294967296", "2147483648", "1e21"),
  fc.integer({ min: -1000, max: 1000 }).map(String),
  { weight: 3, arbitrary: fc.integer({ min: -2000, max: 2000 }).map((n) => (n / 8).toFixed(3)) },
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.float({ noNaN: true, noDefaultInfinity: true }).map(String),
);
const idText = fc.oneof(
  fc.constantFrom("0", "-1", "9007199254740992", "9007199254740993", "9223372036854775807", "-9223372036854775808"),
  fc.constantFrom("18446744073709551615", "9223372036854775808"),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }).map(String),
);
const words = [
  "",
  "g",
  "r",
  "it's",
  "\\",
  "\\'",
  "a\0b",
  "{x:String}",
  "π😀",
  "-- x",
  "/* */",
  "');--",
  "\r\n",
  "%s",
  "\\x41",
];
const textValue = fc.oneof(fc.constantFrom(...words), fc.string(), fc.string({ unit: "binary" }));
const textLiteral = textValue.map((text) => `'${text.replaceAll("'", "''")}'`);

export interface Expressions {
  readonly number: fc.Arbitrary<string>;
  readonly text: fc.Arbitrary<string>;
  readonly id: fc.Arbitrary<string>;
  readonly truth: fc.Arbitrary<string>;
}

/** Built only of operations whose result IEEE 754 fixes to the last bit. `list` is that of the element looked at. */
function exactExpressions(
  list: FilterList | null = null,
  depth = 0,
  parts: Readonly<Record<string, string>> = {},
): Expressions {
  const namedHere = namedIn(list);
  const named = (kind: string) => (parts[kind] ? fc.oneof(namedHere(kind), fc.constant(parts[kind])) : namedHere(kind));
  const inner =
    depth < 2
      ? table.lists.map((next) => listCalls(next, exactExpressions(next, depth + 1, parts), list !== null))
      : [];
  const calls = (kind: keyof Expressions) => inner.map((one) => one[kind]);
  // Columns of 32 bits and fewer, which compare with ids.
  const wholes = namesOf(table.fields.filter(isWhole), "number", list ? "alert." : "");
  const wholeHere = fc.constantFrom(...wholes, ...namesOf(list?.fields.filter(isWhole) ?? [], "number"));
  const cuts = fc.constantFrom(...[...table.cuts.keys()].map((name) => (list ? `alert.${name}` : name)));
  const orderSign = fc.constantFrom("=", "!=", "<", "<=", ">", ">=");
  return fc.letrec<{ number: string; text: string; id: string; truth: string }>((tie) => {
    const n = tie("number");
    const t = tie("truth");
    const deep = { maxDepth: list ? 2 : 4, depthSize: "small" as const, withCrossShrink: true };
    const alike = (maker: (part: fc.Arbitrary<string>) => fc.Arbitrary<string>) =>
      fc.oneof(maker(n), maker(n), maker(tie("text")), maker(tie("id")));
    const choice = (part: fc.Arbitrary<string>) => [
      fc.tuple(part, part).map(([a, b]) => `coalesce(${a}, ${b})`),
      fc.tuple(t, part, part).map(([c, a, b]) => `if(${c}, ${a}, ${b})`),
    ];
    const listed = (part: fc.Arbitrary<string>) =>
      fc.array(part, { minLength: 1, maxLength: 4 }).map((l) => l.join(", "));
    const maybeNot = fc.constantFrom("", "not ");
    return {
      number: fc.oneof(
        deep,
        named("number"),
        numberText,
        fc.tuple(n, fc.constantFrom("+", "-", "*", "/"), n).map(([a, sign, b]) => `(${a} ${sign} ${b})`),
        fc.tuple(fc.constantFrom("abs", "sqrt", "floor", "ceil", "round"), n).map(([f, a]) => `${f}(${a})`),
        fc.tuple(n, fc.integer({ min: -3, max: 5 })).map(([a, digits]) => `round(${a}, ${digits})`),
        n.map((a) => `(- ${a})`),
        fc.tuple(fc.constantFrom("least", "greatest"), n, n, n).map(([f, a, b, c]) => `${f}(${a}, ${b}, ${c})`),
        ...choice(n),
        ...calls("number"),
      ),
      text: fc.oneof(deep, named("text"), textLiteral, ...choice(tie("text")), ...calls("text")),
      id: fc.oneof(
        deep,
        named("id"),
        idText.map((id) => `coalesce(${list ? "alert." : ""}candid, ${id})`),
        fc.tuple(tie("id"), wholeHere).map(([id, whole]) => `coalesce(${id}, ${whole})`),
        ...choice(tie("id")),
        ...calls("id"),
      ),
      truth: fc.oneof(
        deep,
        named("truth"),
        alike((part) => fc.tuple(part, orderSign, part).map(([a, sign, b]) => `(${a} ${sign} ${b})`)),
        fc.tuple(named("id"), orderSign, idText).map(([a, sign, b]) => `(${a} ${sign} ${b})`),
        fc.tuple(named("id"), orderSign, wholeHere).map(([a, sign, b]) => `(${a} ${sign} ${b})`),
        fc.tuple(wholeHere, maybeNot, listed(tie("id"))).map(([a, not, items]) => `(${a} ${not}in (${items}))`),
        fc.tuple(named("id"), maybeNot, listed(idText)).map(([a, not, items]) => `(${a} ${not}in (${items}))`),
        fc.tuple(n, maybeNot, listed(numberText)).map(([a, not, items]) => `(${a} ${not}in (${items}))`),
        fc.tuple(tie("text"), maybeNot, listed(textLiteral)).map(([a, not, items]) => `(${a} ${not}in (${items}))`),
        alike((part) => fc.tuple(part, maybeNot, listed(part)).map(([a, not, items]) => `(${a} ${not}in (${items}))`)),
        alike((part) =>
          fc.tuple(part, maybeNot, part, part).map(([a, not, low, high]) => `(${a} ${not}between ${low} and ${high})`),
        ),
        alike((part) => fc.tuple(part, maybeNot).map(([a, not]) => `(${a} is ${not}null)`)),
        fc
          .tuple(fc.constantFrom("startsWith", "contains"), tie("text"), tie("text"))
          .map(([f, a, b]) => `${f}(${a}, ${b})`),
        fc.tuple(t, maybeNot).map(([a, not]) => `(${a} is ${not}null)`),
        fc.tuple(t, fc.constantFrom("and", "or", "=", "!="), t).map(([a, op, b]) => `(${a} ${op} ${b})`),
        t.map((a) => `(not ${a})`),
        fc.constantFrom("true", "false"),
        ...(depth === 0 ? [cuts] : []),
        ...choice(t),
        ...calls("truth"),
        ...calls("truth"),
      ),
    };
  });
}

/** Names that the parts before an expression let mean something, of each kind. */
const PARTS = { number: "part_n", text: "part_s", id: "part_i", truth: "part_t" } as const;

/** Expressions of a kind, some with named parts before them, each of which may read those before it. */
export function wholeExpressions(kind: keyof Expressions): fc.Arbitrary<string> {
  const parts = exactExpressions();
  const behind = exactExpressions(null, 0, { number: PARTS.number, text: PARTS.text });
  const inside = exactExpressions(null, 0, PARTS);
  const withParts = fc
    .tuple(parts.number, parts.text, behind.id, behind.truth, inside[kind])
    .map(([n, s, i, t, text]) => {
      const lets = [
        [PARTS.number, n] as const,
        [PARTS.text, s] as const,
        [PARTS.id, i] as const,
        [PARTS.truth, t] as const,
      ];
      return `${lets.map(([name, value]) => `let ${name} = ${value}; `).join("")}${text}`;
    });
  return fc.oneof({ weight: 4, arbitrary: parts[kind].map(rewritten) }, withParts.map(rewritten));
}

/** The same with comments and other spaces, keywords in any case; what stands in quotes stays. */
function rewritten(text: string): string {
  if (text.length % 3 !== 0) return text;
  return text.replace(/'(?:[^']|'')*'|\b(?:and|or|not|in|is|null|between|true|false)\b|\) /g, (found) => {
    if (found.startsWith("'")) return found;
    return found === ") " ? ")\u00a0-- it's (\r\n\t" : found.toUpperCase();
  });
}

/** Calls of list functions over the list; `inner` are expressions over its elements, `nested` those inside another's. */
function listCalls({ name, order }: FilterList, inner: Expressions, nested: boolean): Expressions {
  const condition = fc.option(inner.truth, { nil: null });
  const call = (f: fc.Arbitrary<string>, value: fc.Arbitrary<string>) =>
    fc.tuple(f, value, condition).map(([f, v, c]) => `${f}(${name}, ${v}${c === null ? "" : `, ${c}`})`);
  const one = order === "time" ? fc.constantFrom("first", "last") : fc.constant("nearest");
  return {
    number: fc.oneof(
      condition.map((c) => `count(${name}${c === null ? "" : `, ${c}`})`),
      call(fc.constantFrom("min", "max", "mean", "sum"), inner.number),
      call(one, inner.number),
    ),
    text: call(one, inner.text),
    id: call(one, inner.id),
    truth: fc.oneof(
      condition.map((c) => `has(${name}${c === null ? "" : `, ${c}`})`),
      inner.truth.map((c) => `every(${name}, ${c})`),
      call(one, inner.truth),
      ...(name.startsWith("watch.") ? [fc.constant(nested ? `alert.${name}` : name)] : []),
    ),
  };
}

const FLOATS = [
  0,
  -0,
  0.1,
  1,
  -1,
  0.5,
  2.5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  3e38,
  1e-45,
];

function columnValue(type: ElementType, mayBeNaN: boolean): fc.Arbitrary<Value> {
  const integer = (low: number, high: number) =>
    fc.oneof(fc.integer({ min: low, max: high }), fc.constantFrom(low, high, 0, 1, 2));
  switch (type) {
    case "Bool":
      return fc.boolean();
    case "String":
      return textValue;
    case "Int64":
      return fc.oneof(
        fc.constantFrom(-1n, 0n, 9007199254740993n, 2n ** 63n - 1n, -(2n ** 63n)),
        fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n),
      );
    case "UInt64":
      return fc.oneof(fc.constantFrom(0n, 9007199254740993n, 2n ** 64n - 1n, 2n ** 63n), fc.bigInt(0n, 2n ** 64n - 1n));
    case "Float32":
      return fc.oneof(fc.constantFrom(...FLOATS), fc.float()).map(Math.fround);
    case "Float64":
      return mayBeNaN
        ? fc.oneof(fc.constantFrom(...FLOATS, 1e308, 5e-324), fc.double())
        : fc.double({ min: -1e7, max: 1e7, noNaN: true });
    case "UInt8":
      return integer(0, 255);
    case "Int8":
      return integer(-128, 127);
    case "Int16":
      return integer(-32768, 32767);
    case "UInt32":
      return integer(0, 4294967295);
    case "Int32":
      return integer(-2147483648, 2147483647);
  }
}

/** Rows with values for every field, and lists of up to six elements. */
export function randomRows(count: number): fc.Arbitrary<Row[]> {
  const lists = Object.fromEntries(
    table.lists.map(({ name, fields }) => [name, fc.array(fc.record(shapeOf(fields)), { maxLength: 6 })]),
  );
  const row: fc.Arbitrary<Row> = fc.record<Record<string, Row[string]>>({ ...shapeOf(table.fields), ...lists });
  return fc.array(row, { minLength: count, maxLength: count });
}

function shapeOf(fields: readonly FilterField[]): Record<string, fc.Arbitrary<Value>> {
  return Object.fromEntries(
    fields.map(({ name, columnType, nullable, mayBeNaN }) => {
      const value = columnValue(columnType, mayBeNaN);
      return [name, nullable ? fc.option(value, { freq: 4 }) : value];
    }),
  );
}

const ARRAYS = {
  Bool: Uint8Array,
  UInt8: Uint8Array,
  Int8: Int8Array,
  Int16: Int16Array,
  Int32: Int32Array,
  UInt32: Uint32Array,
  Float32: Float32Array,
  Float64: Float64Array,
};

/** The rows as columns of TEST_SURVEY's types, and lists. */
export function blockOf(rows: readonly Row[]): Block {
  const values = (name: string) => rows.map((row) => row[name] as Value);
  const columns = new Map(table.fields.map((field) => [field.name, columnOf(field, values(field.name))]));
  const lists = new Map<string, ListColumn>();
  for (const { name, fields } of table.lists) {
    const elements = rows.map((row) => row[name] as readonly Element[]);
    let end = 0;
    const ends = Uint32Array.from(elements, ({ length }) => (end += length));
    for (const field of fields) {
      lists.set(field.column, {
        ends,
        items: columnOf(
          field,
          elements.flat().map((element) => element[field.name]!),
        ),
      });
    }
  }
  return { rows: rows.length, columns, lists };
}

function columnOf({ columnType, nullable }: FilterField, values: readonly Value[]): Column {
  const nulls = nullable ? Uint8Array.from(values, (value) => (value === null ? 1 : 0)) : null;
  if (columnType === "String") {
    return { type: columnType, values: values.map((value) => (value ?? "") as string), nulls };
  }
  if (columnType === "Int64" || columnType === "UInt64") {
    const bigs = values.map((value) => (value ?? 0n) as bigint);
    const array = columnType === "Int64" ? BigInt64Array.from(bigs) : BigUint64Array.from(bigs);
    return { type: columnType, values: array, nulls };
  }
  return { type: columnType, values: ARRAYS[columnType].from(values.map(Number)), nulls };
}

/** One row of defaults with some values changed; its lists are empty. */
export function rowWith(changes: Row): Row {
  const common = new Set(COMMON_FIELDS.map((field) => field.name));
  const defaults: Record<string, Row[string]> = Object.fromEntries(table.lists.map(({ name }) => [name, []]));
  for (const { name, columnType, nullable } of table.fields) {
    const zero =
      columnType === "String"
        ? ""
        : columnType.endsWith("64") && columnType !== "Float64"
          ? 0n
          : columnType === "Bool"
            ? false
            : 0;
    defaults[name] = nullable && !common.has(name) ? null : zero;
  }
  return { ...defaults, ...changes };
}
