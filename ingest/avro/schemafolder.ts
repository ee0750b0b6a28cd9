// Writer schemas by id out of a folder, as Rubin publishes them. Called by cli/, which hands them to ingest/sources.
import { readdir, readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import type { WriterSchema } from "../../domain/packet.js";
import type { SchemaById } from "./confluent.js";
import { MAX_SCHEMA_BYTES, parseSchema, SchemaError, writerSchema } from "./schema.js";

/**
 * Schema version M.m has the id 100 M + m and lies in the subfolder vM_m (or the folder itself is that one): one .avsc a
 * named type, each naming the others. Read when first asked for; what is not there stays unknown for this reader.
 */
export function schemasInFolder(folder: string): SchemaById {
  const found = new Map<number, Promise<WriterSchema | null>>();
  return (id) => {
    const version = `v${Math.floor(id / 100)}_${id % 100}`;
    // Only ids that have a folder are kept: their number is bounded by the disk, that of hostile ids is not.
    let schema = found.get(id);
    if (schema === undefined) {
      schema = readVersion(folder, version);
      found.set(id, schema);
      schema.then((known) => known === null && found.delete(id)).catch(() => found.delete(id));
    }
    return schema;
  };
}

async function readVersion(folder: string, version: string): Promise<WriterSchema | null> {
  const path = basename(folder) === version ? folder : join(folder, version);
  const files = await readdir(path).catch(() => []);
  const schemas: Record<string, unknown>[] = [];
  for (const file of files.filter((name) => name.endsWith(".avsc"))) {
    if ((await stat(join(path, file))).size > MAX_SCHEMA_BYTES) continue;
    const schema: unknown = JSON.parse(await readFile(join(path, file), "utf8"));
    if (typeof schema === "object" && schema !== null) schemas.push(schema as Record<string, unknown>);
  }
  return schemas.length > 0 ? joined(schemas) : null;
}

/**
 * One self-contained schema: the record that uses the most of the others and is used by none (folders may hold schemas
 * besides that are no part of a packet), each name's definition put where it is first met.
 */
export function joined(schemas: readonly Readonly<Record<string, unknown>>[]): WriterSchema {
  const byName = new Map(schemas.map((schema) => [fullName(schema), schema]));
  const used = new Set(schemas.flatMap((schema) => [...namesIn(schema.fields)]));
  const [root] = [...byName.keys()]
    .filter((name) => !used.has(name))
    .map((name) => inlinedFrom(name, byName))
    .sort((a, b) => b.types - a.types);
  if (root === undefined) throw new SchemaError("every schema of the folder is used by another");
  parseSchema(root.text);
  return writerSchema(root.text);
}

function inlinedFrom(name: string, byName: ReadonlyMap<string, unknown>): { text: string; types: number } {
  const placed = new Set<string>();
  const inlined = (node: unknown): unknown => {
    if (typeof node === "string") {
      const schema = byName.get(node);
      if (schema === undefined || placed.has(node)) return node;
      placed.add(node);
      return inlined(schema);
    }
    if (Array.isArray(node)) return node.map(inlined);
    if (typeof node !== "object" || node === null) return node;
    const copy: Record<string, unknown> = { ...node };
    for (const key of ["type", "items", "values"]) if (key in copy) copy[key] = inlined(copy[key]);
    if (Array.isArray(copy.fields)) copy.fields = copy.fields.map(inlined);
    return copy;
  };
  return { text: JSON.stringify(inlined(name)), types: placed.size };
}

const fullName = ({ name, namespace }: Readonly<Record<string, unknown>>): string =>
  String(name).includes(".") || typeof namespace !== "string" ? String(name) : `${namespace}.${name}`;

function* namesIn(node: unknown): Generator<string> {
  if (typeof node === "string") yield node;
  else if (Array.isArray(node)) for (const part of node) yield* namesIn(part);
  else if (typeof node === "object" && node !== null) {
    const { type, items, values, fields } = node as Record<string, unknown>;
    for (const part of [type, items, values, fields]) if (part !== undefined) yield* namesIn(part);
  }
}
