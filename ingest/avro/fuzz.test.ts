// Random schemas and records, written by avsc and by our writer, read by every reader of ours; and bytes that lie.

import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Packet } from "../../domain/packet.js";
import { decode } from "../decode.js";
import { avscType } from "./avsc.fixture.js";
import { Tables } from "./columnar.js";
import { readContainer } from "./container.js";
import { compileReader, compileSkip } from "./generate.js";
import { MalformedError } from "./primitives.js";
import { readRecord } from "./record.js";
import { parseSchema } from "./schema.js";
import { avroFiles, canonical, compared, wholeLayout } from "./truth.fixture.js";
import { recordEncoder } from "./write.js";

type Json = unknown;
interface Case {
  schema: Json;
  /** As the writers take it. */
  value: unknown;
  /** As readRecord gives it, bytes as {base64}. */
  expected: unknown;
}
let names = 0;
const fresh = () => {
  names += 1;
  return `n${names}`;
};

const extremes = [
  0n,
  -1n,
  1n,
  63n,
  64n,
  -64n,
  -65n,
  2n ** 31n,
  -(2n ** 31n),
  2n ** 53n + 1n,
  2n ** 63n - 1n,
  -(2n ** 63n),
];
const primitives: fc.Arbitrary<Case>[] = [
  fc.constant({ schema: "null", value: null, expected: null }),
  fc.boolean().map((value) => ({ schema: "boolean", value, expected: value })),
  fc.integer().map((value) => ({ schema: "int", value, expected: value })),
  fc
    .oneof(fc.constantFrom(...extremes), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }))
    .map((value) => ({ schema: "long", value, expected: value.toString() })),
  fc.float().map((value) => ({ schema: "float", value, expected: Number.isFinite(value) ? value : null })),
  fc.double().map((value) => ({ schema: "double", value, expected: Number.isFinite(value) ? value : null })),
  fc
    .oneof(fc.string({ maxLength: 40 }), fc.string({ unit: "grapheme", maxLength: 40 }))
    .map((value) => ({ schema: "string", value, expected: value })),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => {
    const value = Buffer.from(bytes);
    return { schema: "bytes", value, expected: { base64: value.toString("base64") } };
  }),
];

/** A case of one schema with one value; arrays repeat their item's value, so that all items fit one schema. */
const cases: fc.Arbitrary<Case> = fc.letrec<{ any: Case }>((tie) => ({
  any: fc.oneof(
    { depthSize: "medium", withCrossShrink: true },
    ...primitives,
    fc.uint8Array({ minLength: 1, maxLength: 9 }).map((bytes) => {
      const value = Buffer.from(bytes);
      const schema = { type: "fixed", name: fresh(), size: value.length };
      return { schema, value, expected: { base64: value.toString("base64") } };
    }),
    fc.constantFrom("u", "g", "r").map((value) => {
      return { schema: { type: "enum", name: fresh(), symbols: ["u", "g", "r"] }, value, expected: value };
    }),
    fc.tuple(tie("any"), fc.nat({ max: 3 })).map(([item, count]) => ({
      schema: { type: "array", items: item.schema },
      value: Array(count).fill(item.value),
      // Items that take no bytes are not counted: nobody writes lists of nulls.
      expected: emptyItems(item.schema) ? [] : Array(count).fill(item.expected),
    })),
    fc.tuple(tie("any"), fc.array(fc.string({ minLength: 1, maxLength: 5 }), { maxLength: 3 })).map(([item, keys]) => ({
      schema: { type: "map", values: item.schema },
      value: Object.fromEntries(keys.map((key) => [`k${key}`, item.value])),
      expected: Object.fromEntries(keys.map((key) => [`k${key}`, item.expected])),
    })),
    fc.tuple(tie("any"), fc.boolean(), fc.boolean()).map(([item, missing, nullFirst]) => {
      const isUnion = Array.isArray(item.schema) || item.schema === "null";
      if (isUnion) return item;
      const schema = nullFirst ? ["null", item.schema] : [item.schema, "null"];
      return missing ? { schema, value: null, expected: null } : { ...item, schema };
    }),
    fc.array(tie("any"), { maxLength: 6 }).map((fields) => recordOf(fields)),
  ),
})).any;

function recordOf(fields: readonly Case[]): Case {
  const named = (part: "value" | "expected") => Object.fromEntries(fields.map((field, i) => [`f${i}`, field[part]]));
  const schema = {
    type: "record",
    name: fresh(),
    fields: fields.map((field, i) => ({ name: `f${i}`, type: field.schema })),
  };
  return { schema, value: named("value"), expected: named("expected") };
}
function emptyItems(schema: Json): boolean {
  if (schema === "null") return true;
  const { type, fields } = schema as { type?: string; fields?: { type: Json }[] };
  return type === "record" && fields!.every((field) => emptyItems(field.type));
}
const records = fc.array(cases, { minLength: 1, maxLength: 8 }).map(recordOf);

describe("round trips", () => {
  test("what avsc and our writer write, every reader reads", () => {
    fc.assert(
      fc.property(records, ({ schema, value, expected }) => {
        const text = JSON.stringify(schema);
        const type = avscType(text);
        const bytes = type.toBuffer(value);
        // Equal bytes, map order included: one spelling of each value.
        expect(recordEncoder(text)(value as Record<string, unknown>).equals(bytes)).toBe(true);

        const parsed = parseSchema(text);
        expect(canonical(readRecord(parsed, bytes))).toEqual(expected);
        expect(compileSkip(parsed)(Buffer.concat([bytes, Buffer.of(7)]), 0)).toBe(bytes.length);
        const layout = wholeLayout(parsed);
        const tables = new Tables(layout, 1);
        expect(tables.append(compileReader(parsed, layout), bytes)).toBeNull();
        const both = compared(layout, tables.finish(), 0, expected as Record<string, unknown>);
        expect(both.columns).toEqual(both.truth);
      }),
      { numRuns: 400 },
    );
  });
});

describe("corrupted packets", () => {
  const files = ["ztf/20200202", "ztf/20231012", "lsst/v9_0", "lsst/v11_0"].map((folder) => avroFiles(folder)[0]!);
  const corruptions = fc.array(fc.tuple(fc.double({ min: 0, max: 0.9999, noNaN: true }), fc.nat({ max: 255 })), {
    minLength: 1,
    maxLength: 4,
  });

  for (const path of files) {
    const [packet] = [...readContainer(readFileSync(path), path)] as [Packet];
    // The cutouts are most of the bytes and only skipped: aim at what comes before them.
    const aimed = Math.min(packet.bytes.length, 12_000);
    test(`${path}: a letter or an alert, never an exception, neighbours untouched`, () => {
      const [clean] = decode([packet]).batches;
      fc.assert(
        fc.property(corruptions, fc.option(fc.nat({ max: aimed }), { freq: 3 }), (changes, cut) => {
          const bytes = Uint8Array.from(packet.bytes).subarray(0, cut ?? packet.bytes.length);
          for (const [where, value] of changes) bytes[Math.floor(where * Math.min(aimed, bytes.length))] = value;
          const { batches, deadLetters } = decode([packet, { ...packet, bytes }, packet]);
          const rows = batches[0]!.alerts.rows;
          expect(rows + deadLetters.length).toBe(3);
          for (const [name, { values, nulls }] of batches[0]!.alerts.columns) {
            const one = clean!.alerts.columns.get(name)!;
            expect([name, values[0], values[rows - 1]]).toEqual([name, one.values[0], one.values[0]]);
            expect([name, nulls?.[0], nulls?.[rows - 1]]).toEqual([name, one.nulls?.[0], one.nulls?.[0]]);
          }
          // The points of the first and of the last packet, as each alone would give them.
          const { photometry, toldBy } = batches[0]!;
          for (const teller of [0, rows - 1]) {
            const points = Array.from(toldBy.keys()).filter((i) => toldBy[i] === teller);
            for (const [name, { values, nulls }] of photometry.columns) {
              const one = clean!.photometry.columns.get(name)!;
              expect([name, points.map((i) => values[i])]).toEqual([
                name,
                Array.from(one.values as ArrayLike<unknown>),
              ]);
              expect([name, points.map((i) => nulls?.[i])]).toEqual([name, points.map((_, k) => one.nulls?.[k])]);
            }
          }
          try {
            readRecord(parseSchema(packet.schema.text), bytes);
          } catch (error) {
            expect(error).toBeInstanceOf(MalformedError);
          }
        }),
        { numRuns: 100 },
      );
    });
  }

  test("whole files: letters only", () => {
    const whole = readFileSync(files[1]!);
    fc.assert(
      fc.property(fc.nat({ max: 40_000 }), fc.nat({ max: 255 }), (where, value) => {
        const bytes = Buffer.from(whole);
        bytes[where] = value;
        for (const item of readContainer(bytes, "f")) expect(item.origin.source).toBe("f");
      }),
      { numRuns: 200 },
    );
  });

  test("a packet that fails leaves no missing values behind, in its own row or in its lists' rows", () => {
    const optional = '["null","int"]';
    const schema = parseSchema(
      `{"type":"record","name":"a","fields":[{"name":"x","type":${optional}},{"name":"l","type":{"type":"array","items":
       {"type":"record","name":"i","fields":[{"name":"y","type":${optional}}]}}},{"name":"z","type":"string"}]}`,
    );
    const [x, y, z] = ["x", "y", "z"].map((name) => ({ path: name, column: name, type: "Int32" as const }));
    const layout = {
      fields: [x!, { ...z!, type: "String" as const }],
      lists: [{ path: "l", name: "l", fields: [y!] }],
    };
    const reader = compileReader(schema, layout);
    const tables = new Tables(layout, 1);
    // x null, y null twice, then a string that is cut off; then x 5, y 6, "a".
    expect(tables.append(reader, Buffer.from([0, 4, 0, 0, 0, 8, 97]))).toMatch(/does not fit/);
    expect(tables.append(reader, Buffer.from([2, 10, 2, 2, 12, 0, 2, 97]))).toBeNull();
    const { alerts, lists } = tables.finish();
    expect([alerts.rows, alerts.columns.get("x"), alerts.columns.get("z")?.values]).toEqual([
      1,
      { type: "Int32", values: Int32Array.of(5), nulls: Uint8Array.of(0) },
      ["a"],
    ]);
    expect(lists.get("l")!.columns.get("y")).toEqual({
      type: "Int32",
      values: Int32Array.of(6),
      nulls: Uint8Array.of(0),
    });
  });

  test("lists that claim more items than bytes, or items without bytes, end at once", () => {
    const schemaText = (items: string) =>
      `{"type":"record","name":"a","fields":[{"name":"l","type":{"type":"array","items":${items}}}]}`;
    const claim = Buffer.from([0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0]);
    for (const items of ['"null"', '{"type":"record","name":"e","fields":[]}', '"int"', '"string"']) {
      const schema = parseSchema(schemaText(items));
      const layout = {
        fields: [],
        lists: [{ path: "l", name: "l", fields: [{ path: "x", column: "x", type: "Int32" as const }] }],
      };
      const tables = new Tables(layout, 1);
      const fault = tables.append(compileReader(schema, layout), claim);
      expect(fault === null).toBe(items.includes("null") || items.includes("record"));
      expect(tables.finish().lists.get("l")!.rows).toBe(0);
    }
    const deep = parseSchema('{"type":"record","name":"a","fields":[{"name":"a","type":["null","a"]}]}');
    expect(
      new Tables({ fields: [], lists: [] }, 1).append(
        compileReader(deep, { fields: [], lists: [] }),
        Buffer.alloc(1e6, 2),
      ),
    ).toMatch(/end/);
  });
});
