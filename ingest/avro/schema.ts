// An Avro schema's JSON text as a tree of nodes with all names resolved. Called by everything in ingest/avro.
import { createHash } from "node:crypto";
import type { WriterSchema } from "../../domain/packet.js";

export type AvroNode =
  | { readonly kind: "null" | "boolean" | "int" | "long" | "float" | "double" | "bytes" | "string" }
  | { readonly kind: "fixed"; readonly size: number }
  | { readonly kind: "enum"; readonly symbols: readonly string[] }
  | { readonly kind: "array"; items: AvroNode }
  | { readonly kind: "map"; values: AvroNode }
  | { readonly kind: "union"; branches: readonly AvroNode[] }
  | RecordNode;

export interface RecordNode {
  readonly kind: "record";
  /** With its namespace: "ztf.alert.candidate". */
  readonly name: string;
  fields: readonly { readonly name: string; readonly type: AvroNode }[];
}

/** The text is not an Avro schema that can be used; the message says why. */
export class SchemaError extends Error {}

export const MAX_SCHEMA_BYTES = 1024 * 1024;
const MAX_DEPTH = 64;
/** A union's branch is one byte in every packet. */
const MAX_BRANCHES = 64;
const MAX_FIXED_BYTES = 64 * 1024 * 1024;
const PRIMITIVES = new Set(["null", "boolean", "int", "long", "float", "double", "bytes", "string"]);

type Json = string | { readonly [key: string]: unknown } | readonly unknown[];

/** Parse the schema of a packet: its root must be a record. Defaults, aliases and logical types play no part in reading. */
export function parseSchema(text: string): RecordNode {
  if (text.length > MAX_SCHEMA_BYTES) throw new SchemaError("the schema is larger than 1 MiB");
  let json: Json;
  try {
    json = JSON.parse(text) as Json;
  } catch {
    throw new SchemaError("the schema is not JSON");
  }
  const root = parseNode(json, "", new Map(), 0);
  if (root.kind !== "record") throw new SchemaError(`the schema is a ${root.kind}, not a record`);
  return root;
}

function parseNode(json: unknown, namespace: string, named: Map<string, AvroNode>, depth: number): AvroNode {
  if (depth > MAX_DEPTH) throw new SchemaError(`the schema nests deeper than ${MAX_DEPTH}`);
  if (typeof json === "string") return parseName(json, namespace, named);
  if (Array.isArray(json)) {
    if (json.length > MAX_BRANCHES) throw new SchemaError(`a union has more than ${MAX_BRANCHES} branches`);
    return { kind: "union", branches: json.map((branch) => parseNode(branch, namespace, named, depth + 1)) };
  }
  if (typeof json !== "object" || json === null) throw new SchemaError("a type is neither a name nor an object");
  const { type } = json as { type?: unknown };
  switch (type) {
    case "array":
      return { kind: "array", items: parseNode((json as { items?: unknown }).items, namespace, named, depth + 1) };
    case "map":
      return { kind: "map", values: parseNode((json as { values?: unknown }).values, namespace, named, depth + 1) };
    case "record":
    case "error":
    case "enum":
    case "fixed":
      return parseNamed(type, json as Record<string, unknown>, namespace, named, depth);
    default:
      // {"type": "long", "logicalType": …} and {"type": {"type": …}}.
      return parseNode(type, namespace, named, depth + 1);
  }
}

function parseName(name: string, namespace: string, named: Map<string, AvroNode>): AvroNode {
  if (PRIMITIVES.has(name)) return { kind: name } as AvroNode;
  const found = named.get(name.includes(".") || namespace === "" ? name : `${namespace}.${name}`) ?? named.get(name);
  if (found === undefined) throw new SchemaError(`the type ${name.slice(0, 100)} is not defined`);
  return found;
}

function parseNamed(
  kind: "record" | "error" | "enum" | "fixed",
  json: Record<string, unknown>,
  outer: string,
  named: Map<string, AvroNode>,
  depth: number,
): AvroNode {
  if (typeof json.name !== "string") throw new SchemaError(`a ${kind} has no name`);
  const dot = json.name.lastIndexOf(".");
  const namespace = dot >= 0 ? json.name.slice(0, dot) : typeof json.namespace === "string" ? json.namespace : outer;
  const short = json.name.slice(dot + 1);
  const name = namespace === "" ? short : `${namespace}.${short}`;
  if (kind === "fixed") {
    const size = json.size as number;
    if (!Number.isInteger(size) || size < 0 || size > MAX_FIXED_BYTES) throw new SchemaError(`${name} has a bad size`);
    return remember({ kind: "fixed", size });
  }
  if (kind === "enum") {
    const { symbols } = json;
    if (!Array.isArray(symbols) || !symbols.every((symbol) => typeof symbol === "string")) {
      throw new SchemaError(`${name} has no symbols`);
    }
    return remember({ kind: "enum", symbols });
  }
  if (!Array.isArray(json.fields)) throw new SchemaError(`${name} has no fields`);
  const record: RecordNode = { kind: "record", name, fields: [] };
  remember(record);
  record.fields = json.fields.map((field: unknown) => {
    const { name: fieldName, type } = (field ?? {}) as { name?: unknown; type?: unknown };
    if (typeof fieldName !== "string") throw new SchemaError(`a field of ${name} has no name`);
    return { name: fieldName, type: parseNode(type, namespace, named, depth + 1) };
  });
  return record;

  function remember<T extends AvroNode>(node: T): T {
    if (named.has(name)) throw new SchemaError(`${name} is defined twice`);
    named.set(name, node);
    return node;
  }
}

const least = new WeakMap<AvroNode, number>();

/** Fewest bytes that a value takes; 0 only for what never takes any: nulls, empty records and records of those. */
export function leastBytes(node: AvroNode): number {
  switch (node.kind) {
    case "null":
      return 0;
    case "float":
      return 4;
    case "double":
      return 8;
    case "fixed":
      return node.size;
    case "record": {
      const known = least.get(node);
      if (known !== undefined) return known;
      least.set(node, 0);
      const sum = node.fields.reduce((bytes, field) => bytes + leastBytes(field.type), 0);
      least.set(node, sum);
      return sum;
    }
    default:
      return 1;
  }
}

/** The schema as packets carry it: its text with the fingerprint that names it in the packet store. */
export function writerSchema(text: string): WriterSchema {
  return { fingerprint: createHash("sha256").update(text).digest("hex").slice(0, 16), text };
}
