// Compiled columns over rows that are not stored, on the real engine.
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Block, Column } from "../../domain/columns.js";
import { startTestArchive, type TestArchive } from "../../test/archive.js";
import { createInFlightQuery } from "./inflight.js";

let archive: TestArchive;
beforeAll(async () => {
  archive = await startTestArchive();
});
afterAll(async () => {
  await archive?.stop();
});

const candids = (rows: number) => BigInt64Array.from({ length: rows }, (_, i) => 2532491990015015001n + BigInt(i));
const batch = (rows: number): Block => {
  const columns = new Map<string, Column>([
    ["candid", { type: "Int64", values: candids(rows), nulls: null }],
    ["magpsf", { type: "Float32", values: Float32Array.from({ length: rows }, (_, i) => i % 10), nulls: null }],
    [
      "drb",
      {
        type: "Float32",
        values: new Float32Array(rows).fill(0.5),
        nulls: Uint8Array.from({ length: rows }, (_, i) => i % 2),
      },
    ],
  ]);
  const ends = Uint32Array.from({ length: rows }, (_, i) => 3 * (i + 1));
  const items: Column = { type: "Float64", values: Float64Array.from({ length: 3 * rows }, (_, k) => k), nulls: null };
  return { rows, columns, lists: new Map([["detections.jd", { ends, items }]]) };
};

it("answers in the order of the rows, with lists and missing values", async () => {
  const rows = 5000;
  const got = await createInFlightQuery(archive.client).select(batch(rows), [
    { alias: "candid", sql: "candid" },
    { alias: "passes a'`\\", sql: "magpsf < 5" },
    { alias: "drb", sql: "drb + 1" },
    { alias: "sum", sql: "arraySum(`detections.jd`)" },
    // The block's own drb, not the column of this answer.
    { alias: "own", sql: "drb" },
  ]);
  expect(got.columns.get("candid")?.values).toEqual(candids(rows));
  expect(got.columns.get("passes a'`\\")?.values).toEqual(
    Uint8Array.from({ length: rows }, (_, i) => Number(i % 10 < 5)),
  );
  expect(got.columns.get("drb")?.nulls).toEqual(Uint8Array.from({ length: rows }, (_, i) => i % 2));
  expect(got.columns.get("drb")?.values[0]).toBe(1.5);
  expect(got.columns.get("own")?.values[0]).toBe(0.5);
  expect(got.columns.get("sum")?.values).toEqual(Float64Array.from({ length: rows }, (_, i) => 9 * i + 3));
});

it("takes a thousand long expressions at once", async () => {
  const columns = Array.from({ length: 1000 }, (_, i) => ({
    alias: `f${i}`,
    sql: `(magpsf >= ${i % 10} AND ${Array.from({ length: 20 }, (_, k) => `magpsf != ${100 + k}`).join(" AND ")})`,
  }));
  const got = await createInFlightQuery(archive.client).select(batch(50), columns);
  expect(got.columns.size).toBe(1000);
  expect(got.columns.get("f999")?.values).toEqual(Uint8Array.from({ length: 50 }, (_, i) => Number(i % 10 === 9)));
});

it("asks nothing about an empty block", async () => {
  const nothing = { rows: 0, columns: new Map() };
  const inFlight = createInFlightQuery(archive.client);
  expect(await inFlight.select(nothing, [{ alias: "x", sql: "nonsense" }])).toEqual(nothing);
});
