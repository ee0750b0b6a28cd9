// The archive's client against the real engine: exactness, binding, limits, cancellation, errors.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestArchive, type TestArchive } from "../../test/archive.js";

let archive: TestArchive;
beforeAll(async () => {
  archive = await startTestArchive();
});
afterAll(async () => {
  await archive?.stop();
});

describe("bound values", () => {
  it("carries 64-bit integers exactly", async () => {
    const largest = 18446744073709551615n;
    const block = await archive.client.query("SELECT {u:UInt64} AS u, {i:Int64} AS i", { u: largest, i: -9223372036854775808n });
    expect(block.columns.get("u")).toEqual({ type: "UInt64", values: BigUint64Array.of(largest), nulls: null });
    expect(block.columns.get("i")?.values[0]).toBe(-9223372036854775808n);
  });
});
