// Schemas whose fields had other names in earlier versions, read by the names of today. Called by ingest/decode.ts.
import type { AvroNode, RecordNode } from "../avro/schema.js";

/** A field's name of earlier versions → its name now, in whatever record of the packet it stands. */
export type FormerNames = ReadonlyMap<string, string>;

/**
 * The schema with today's names, as Avro's aliases would give it: bodies hold no names, so that they are read the same. A
 * record that has a field of the new name already keeps both as they are.
 */
export function withNamesOfToday(schema: RecordNode, former: FormerNames): RecordNode {
  const done = new Map<AvroNode, AvroNode>();
  const rename = (node: AvroNode): AvroNode => {
    const known = done.get(node);
    if (known !== undefined) return known;
    if (node.kind === "union") return { kind: "union", branches: node.branches.map(rename) };
    if (node.kind === "array") return { kind: "array", items: rename(node.items) };
    if (node.kind === "map") return { kind: "map", values: rename(node.values) };
    if (node.kind !== "record") return node;
    const record: RecordNode = { kind: "record", name: node.name, fields: [] };
    done.set(node, record);
    const taken = new Set(node.fields.map(({ name }) => name));
    record.fields = node.fields.map(({ name, type }) => {
      const today = former.get(name);
      return { name: today === undefined || taken.has(today) ? name : today, type: rename(type) };
    });
    return record;
  };
  return rename(schema) as RecordNode;
}
