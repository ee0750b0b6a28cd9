// Independent readings of Avro for tests: records by fastavro, and a layout that asks for every field of a schema.

import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { ElementType } from "../../domain/columns.js";
import { python, pythonHas } from "../../test/python.js";
import { SHARED } from "../../test/shared.js";
import type { Decoded, Layout, LayoutField, LayoutList } from "./columnar.js";
import type { RecordValue } from "./record.js";
import type { AvroNode, RecordNode } from "./schema.js";

export const hasFastavro = pythonHas("fastavro");

/** Container files below a folder of the shared data. */
export const avroFiles = (folder: string): string[] =>
  readdirSync(join(SHARED, "data", folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.name.endsWith(".avro"))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();

/** Python: a value as readRecord gives it (long as text, NaN as None, bytes as {"base64": …}), by its schema. */
export const CANONICAL = `
import base64, fastavro, io, math
def canonical(schema, value, names):
    if isinstance(schema, str):
        if schema in names: return canonical(names[schema], value, names)
        if schema == 'long': return None if value is None else str(value)
        if schema in ('float', 'double'): return value if math.isfinite(value) else None
        if schema == 'bytes': return {'base64': base64.b64encode(value).decode()}
        return value
    if isinstance(schema, list):
        if value is None: return None
        [branch] = [s for s in schema if s != 'null']
        return canonical(branch, value, names)
    kind = schema['type']
    if kind in ('record', 'error'):
        names[schema['name']] = schema
        return {f['name']: canonical(f['type'], value[f['name']], names) for f in schema['fields']}
    if kind == 'array': return [canonical(schema['items'], v, names) for v in value]
    if kind == 'map': return {k: canonical(schema['values'], v, names) for k, v in value.items()}
    if kind == 'enum': return value
    if kind == 'fixed': return {'base64': base64.b64encode(value).decode()}
    if 'logicalType' in schema and kind == 'long' and not isinstance(value, int):
        import datetime
        epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
        return str((value - epoch) // datetime.timedelta(microseconds=1))
    return canonical(kind, value, names)
def records(path):
    with open(path, 'rb') as f:
        reader = fastavro.reader(f)
        for value in reader:
            names = {}
            canonical_schema = reader.writer_schema
            yield canonical(canonical_schema, value, names)
`;

/** Every record of the files, as fastavro reads them. */
export function fastavroRecords(paths: readonly string[]): Record<string, unknown>[][] {
  return python(`${CANONICAL}\nprint(json.dumps([list(records(p)) for p in input]))`, paths);
}

/** A value of readRecord in the form of CANONICAL. */
export function canonical(value: RecordValue): unknown {
  if (value instanceof Uint8Array) return { base64: Buffer.from(value).toString("base64") };
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, canonical(part)]));
}

const TYPES: Partial<Record<AvroNode["kind"], ElementType>> = {
  boolean: "Bool",
  int: "Int32",
  long: "Int64",
  float: "Float32",
  double: "Float64",
  string: "String",
  enum: "String",
};
const present = (node: AvroNode): AvroNode => {
  const branches = node.kind === "union" ? node.branches.filter(({ kind }) => kind !== "null") : [];
  return branches.length === 1 ? branches[0]! : node;
};

function scalars(record: RecordNode, prefix = ""): LayoutField[] {
  return record.fields.flatMap(({ name, type }) => {
    const node = present(type);
    const path = prefix + name;
    if (node.kind === "record") return scalars(node, `${path}.`);
    const element = TYPES[node.kind];
    return element === undefined ? [] : [{ path, column: path, type: element }];
  });
}

/** All scalars, and all top-level arrays of records. */
export function wholeLayout(schema: RecordNode): Layout {
  const lists = schema.fields.flatMap(({ name, type }): LayoutList[] => {
    const node = present(type);
    const item = node.kind === "array" ? present(node.items) : node;
    return node.kind === "array" && item.kind === "record" ? [{ path: name, name, fields: scalars(item) }] : [];
  });
  return { fields: scalars(schema), lists };
}

/** A cell in the form of CANONICAL. */
function cell(block: Decoded["alerts"], name: string, row: number): unknown {
  const column = block.columns.get(name)!;
  if (column.nulls?.[row] === 1) return null;
  const value = column.values[row]!;
  if (typeof value === "bigint") return value.toString();
  if (column.type === "Bool") return value === 1;
  return typeof value === "number" && !Number.isFinite(value) ? null : value;
}

/** What the columns say of the fields of a layout, and what a record in CANONICAL's form says of them. */
export function compared(layout: Layout, decoded: Decoded, row: number, record: Readonly<Record<string, unknown>>) {
  const at = (from: unknown, path: string): unknown =>
    path.split(".").reduce((value, name) => (value as Record<string, unknown> | null)?.[name] ?? null, from);
  const columns: Record<string, unknown> = {};
  const truth: Record<string, unknown> = {};
  for (const { path } of layout.fields) {
    columns[path] = cell(decoded.alerts, path, row);
    truth[path] = at(record, path);
  }
  for (const { name, path, fields } of layout.lists) {
    const list = decoded.lists.get(name)!;
    const rows = Array.from(list.parents.keys()).filter((i) => list.parents[i] === row);
    const items = (at(record, path) ?? []) as unknown[];
    columns[name] = rows.map((i) => Object.fromEntries(fields.map((field) => [field.path, cell(list, field.path, i)])));
    truth[name] = items.map((item) => Object.fromEntries(fields.map((field) => [field.path, at(item, field.path)])));
  }
  return { columns, truth };
}
