// The version number of rows against plain comparison of (jd, candid), for every sign and size of both.
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startTestArchive, type TestArchive } from "../../test/archive.js";
import { bigints, blockOf, floats, numbers, signed } from "./blocks.js";
import { precedence } from "./precedence.js";

let engine: TestArchive;
beforeAll(async () => {
  engine = await startTestArchive();
});
afterAll(() => engine?.stop());

it("orders as jd does, then as candid does", async () => {
  const jd = fc.oneof(
    fc.constantFrom(2459000.5, 0, -1.5, -700.25, 1.48e9),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
  );
  const candid = fc.oneof(fc.constantFrom(0n, -1n, 1n), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }));
  const rows = fc.uniqueArray(fc.tuple(jd, candid), {
    minLength: 2,
    maxLength: 300,
    // -0 is 0 here, as it is to whoever compares packets.
    selector: ([time, id]) => `${time + 0} ${id}`,
  });
  await fc.assert(
    fc.asyncProperty(rows, async (drawn) => {
      const block = blockOf(drawn.length, {
        jd: floats(Float64Array.from(drawn, ([time]) => time)),
        candid: signed(BigInt64Array.from(drawn, ([, id]) => id)),
      });
      const answer = await engine.client.query(
        `SELECT jd, candid FROM drawn ORDER BY ${precedence("jd", "candid")}`,
        {},
        { external: [{ name: "drawn", block }] },
      );
      const times = numbers(answer, "jd");
      const found = [...bigints(answer, "candid")].map((id, row) => [times[row]! + 0, id]);
      const expected = drawn.map(([time, id]) => [time + 0, id] as const);
      expect(found).toEqual(expected.sort((a, b) => a[0] - b[0] || (a[1] < b[1] ? -1 : 1)));
    }),
    { numRuns: 20 },
  );
});
