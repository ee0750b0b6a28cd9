// Native format: what the engine reads is what was written, and the other way round, for every type.
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ARRAY_OF, type Block, type Column, type ElementType } from "../../domain/columns.js";
import { startTestArchive, type TestArchive } from "../../test/archive.js";
import { decodeNative } from "./native.decode.js";
import { columnType, encodeNative } from "./native.encode.js";

let archive: TestArchive;
beforeAll(async () => {
  archive = await startTestArchive();
});
afterAll(async () => {
  await archive?.stop();
});

const block = (rows: number, columns: Record<string, Column>): Block => ({
  rows,
  columns: new Map(Object.entries(columns)),
});
const roundTrip = (sent: Block, sql = "SELECT * FROM batch"): Promise<Block> =>
  archive.client.query(sql, {}, { external: [{ name: "batch", block: sent }] });

/** Values as they mean: null where missing. */
const meaning = (column: Column | undefined): unknown[] =>
  column === undefined ? [] : [...column.values].map((value, i) => (column.nulls?.[i] ? null : value));

const ELEMENTS: { [T in ElementType]: fc.Arbitrary<unknown> } = {
  Bool: fc.integer({ min: 0, max: 1 }),
  UInt8: fc.integer({ min: 0, max: 255 }),
  Int8: fc.integer({ min: -128, max: 127 }),
  Int16: fc.integer({ min: -32768, max: 32767 }),
  Int32: fc.integer(),
  UInt32: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  Int64: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  UInt64: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  Float32: fc.float(),
  Float64: fc.double(),
  String: fc.oneof(
    fc.string({ unit: "binary", maxLength: 60 }),
    fc.constantFrom("", "g", "\n\n", "a\r\n--b\r\n\r\n", "ZTF18abcdefg", "\0", "é".repeat(30), "x".repeat(200)),
  ),
};

const columnOf = (length: number): fc.Arbitrary<Column> =>
  fc.constantFrom(...(Object.keys(ELEMENTS) as ElementType[])).chain((type) =>
    fc
      .record({
        values: fc.array(ELEMENTS[type], { minLength: length, maxLength: length }),
        nulls: fc.option(fc.uint8Array({ min: 0, max: 1, minLength: length, maxLength: length })),
      })
      .map(({ values, nulls }) => {
        const typed = type === "String" ? values : (ARRAY_OF[type] as unknown as ArrayConstructor).from(values);
        return { type, values: typed, nulls } as unknown as Column;
      }),
  );

const anyBlock: fc.Arbitrary<Block> = fc.integer({ min: 1, max: 40 }).chain((rows) =>
  fc
    .record({
      columns: fc.array(columnOf(rows), { minLength: 1, maxLength: 8 }),
      sizes: fc.array(fc.nat(5), { minLength: rows, maxLength: rows }),
    })
    .chain(({ columns, sizes }) => {
      const ends = Uint32Array.from(sizes);
      for (let i = 1; i < rows; i++) ends[i]! += ends[i - 1]!;
      return columnOf(ends[rows - 1]!).map((items) => ({
        rows,
        columns: new Map(columns.map((column, i) => [`c.${i} \`'\\`, column])),
        lists: new Map([["list", { ends, items }]]),
      }));
    }),
);

describe("Native format", () => {
  it("brings any block back from the engine", async () => {
    await fc.assert(
      fc.asyncProperty(anyBlock, async (sent) => {
        const got = await roundTrip(sent);
        expect(got.rows).toBe(sent.rows);
        expect([...got.columns.keys()]).toEqual([...sent.columns.keys()]);
        for (const [name, column] of sent.columns) {
          expect(columnType(got.columns.get(name)!)).toBe(columnType(column));
          expect(meaning(got.columns.get(name))).toEqual(meaning(column));
        }
        const list = got.lists?.get("list");
        expect(list?.ends).toEqual(sent.lists?.get("list")?.ends);
        expect(meaning(list?.items)).toEqual(meaning(sent.lists?.get("list")?.items));
      }),
      { numRuns: 150 },
    );
  });

  it("means to the engine what it means to us", async () => {
    const sent = block(2, {
      f: { type: "Float32", values: Float32Array.of(0.1, -2.5), nulls: null },
      d: { type: "Float64", values: Float64Array.of(2459000.123456789, 0), nulls: Uint8Array.of(0, 1) },
      i: { type: "Int64", values: BigInt64Array.of(-9223372036854775808n, 2532491990015015001n), nulls: null },
      s: { type: "String", values: ["a\n\nb", "ü\t'\\"], nulls: null },
      b: { type: "Bool", values: Uint8Array.of(1, 0), nulls: null },
      h: { type: "Int16", values: Int16Array.of(-5, 7), nulls: null },
    });
    const got = await roundTrip(
      sent,
      "SELECT toString(f) f, toString(d) d, toString(i) i, hex(s) s, toString(b) b, toString(h) h, toTypeName(batch.d) t FROM batch SETTINGS prefer_column_name_to_alias = 1",
    );
    const text = (name: string) => meaning(got.columns.get(name));
    expect(text("f")).toEqual(["0.1", "-2.5"]);
    expect(text("d")).toEqual(["2459000.123456789", null]);
    expect(text("i")).toEqual(["-9223372036854775808", "2532491990015015001"]);
    expect(text("s")).toEqual(["610A0A62", "C3BC09275C"]);
    expect(text("b")).toEqual(["true", "false"]);
    expect(text("h")).toEqual(["-5", "7"]);
    expect(text("t")).toEqual(["Nullable(Float64)", "Nullable(Float64)"]);
  });

  it("joins the blocks of a long answer, lists included", async () => {
    const rows = 200_000;
    const got = await archive.client.query(
      `SELECT number AS n, toString(number) AS s, if(number % 7 = 0, NULL, number) AS m, range(number % 3) AS l
       FROM numbers(${rows}) ORDER BY number SETTINGS max_block_size = 10000`,
    );
    expect(got.rows).toBe(rows);
    const { n, s, m } = Object.fromEntries(got.columns) as Record<string, Column>;
    const list = got.lists!.get("l")!;
    let end = 0;
    for (let i = 0; i < rows; i++) {
      end += i % 3;
      const right =
        n!.values[i] === BigInt(i) &&
        s!.values[i] === String(i) &&
        m!.nulls![i] === Number(i % 7 === 0) &&
        list.ends[i] === end;
      if (!right) expect.fail(`row ${i} is wrong`);
    }
    expect(list.items.values.length).toBe(end);
  });

  it("reads types that it shows as others", async () => {
    const got = await archive.client.query(
      `SELECT toUInt16(65535) AS u, toDate('1970-01-03') AS d, toDateTime('1970-01-01 00:01:00', 'UTC') AS t,
       toDateTime64('1970-01-01 00:00:01.5', 3, 'UTC') AS m, NULL AS n, CAST('g' AS LowCardinality(String)) AS l,
       CAST(NULL AS LowCardinality(Nullable(String))) AS ln, [toLowCardinality('r'), 'g'] AS a`,
    );
    const value = (name: string) => meaning(got.columns.get(name))[0];
    expect([value("u"), value("d"), value("t"), value("m"), value("n"), value("l"), value("ln")]).toEqual([
      65535,
      2,
      60,
      1500n,
      null,
      "g",
      null,
    ]);
    expect(got.lists!.get("a")!.items.values).toEqual(["r", "g"]);
  });

  it("reads dictionaries as the strings they stand for", async () => {
    for (const rows of [1, 7, 300, 70_000]) {
      const got = await archive.client.query(
        `SELECT toLowCardinality(concat('v', toString(number % 66000))) AS l,
         CAST(if(number % 3 = 0, NULL, toString(number % 5)) AS LowCardinality(Nullable(String))) AS n,
         arrayMap(i -> toLowCardinality(toString(i)), range(number % 4)) AS a,
         CAST([] AS Array(LowCardinality(Nullable(String)))) AS e
         FROM numbers(${rows}) SETTINGS max_threads = 1`,
      );
      const expected = <T>(value: (i: number) => T) => Array.from({ length: rows }, (_, i) => value(i));
      expect(meaning(got.columns.get("l"))).toEqual(expected((i) => `v${i % 66000}`));
      expect(meaning(got.columns.get("n"))).toEqual(expected((i) => (i % 3 === 0 ? null : String(i % 5))));
      expect(got.lists!.get("a")!.items.values).toEqual(
        expected((i) => Array.from({ length: i % 4 }, (_, k) => String(k))).flat(),
      );
      expect(got.lists!.get("e")!.items.values).toEqual([]);
      expect(got.lists!.get("e")!.ends).toEqual(new Uint32Array(rows));
    }
  });

  it("answers nothing with an empty block and says which type it cannot read", async () => {
    expect(await archive.client.query("SELECT 1 AS x WHERE 0")).toEqual({ rows: 0, columns: new Map() });
    await expect(archive.client.query("SELECT map('a', 1) AS x")).rejects.toMatchObject({
      code: "INTERNAL",
      cause: expect.objectContaining({ message: expect.stringContaining("Map(String, UInt8)") }),
    });
  });

  it("converts an array of another class and refuses one of another length", () => {
    const sent = block(1, { x: { type: "Float32", values: Float64Array.of(1.5), nulls: null } });
    expect(meaning(decodeNative(encodeNative(sent)).columns.get("x"))).toEqual([1.5]);
    const short = block(2, { x: { type: "Float32", values: Float32Array.of(1.5), nulls: null } });
    expect(() => encodeNative(short)).toThrow("Column x has 1 values in a block of 2 rows");
  });

  it("refuses an answer that is cut off at any byte but its end", () => {
    const whole = encodeNative(block(2, { s: { type: "String", values: ["ab", "c"], nulls: null } }));
    for (let length = 1; length < whole.length; length++) {
      expect(() => decodeNative(whole.subarray(0, length))).toThrow("ends too early");
    }
  });
});

it("carries bytes that are no text, beside text, over many blocks", async () => {
  const rows = 3000;
  const values = Array.from({ length: rows }, (_, n) => Buffer.alloc(n % 300, n % 251));
  const sent: Block = {
    rows,
    columns: new Map([["name", { type: "String", values: values.map((_, n) => `é${n}`), nulls: null }]]),
    bytes: new Map([["whole", { values }]]),
  };
  const external = [{ name: "batch", block: sent }];
  const sql = "SELECT name, whole, length(whole) AS n FROM batch SETTINGS max_block_size = 1000, max_threads = 1";
  const got = await archive.client.query(sql, {}, { external, bytes: ["whole"] });
  expect(got.columns.get("name")?.values).toEqual(sent.columns.get("name")?.values);
  expect(got.columns.get("n")?.values).toEqual(BigUint64Array.from(values, ({ length }) => BigInt(length)));
  expect(got.bytes?.get("whole")?.values.every((value, n) => values[n]!.equals(value))).toBe(true);
  expect(() => encodeNative({ ...sent, rows: rows - 1 })).toThrow(RangeError);
});
