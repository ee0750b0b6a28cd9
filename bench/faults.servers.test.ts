// The fault runner once, small: three rounds, and everything is where it belongs. Run by vitest.
import { describe, expect, it } from "vitest";
import { available } from "../test/servers.js";
import { run } from "./faults.bench.js";

describe.skipIf(!available("kafka") || !available("neo4j"))("the fault runner", () => {
  it("loses and doubles nothing in three rounds", { timeout: 900_000 }, async () => {
    const { rows, goals } = await run(true);
    expect(rows.filter(({ lost, doubled, wrong }) => lost !== 0 || doubled !== 0 || wrong !== "")).toEqual([]);
    expect(goals.filter(({ met }) => !met)).toEqual([]);
    expect(Number(rows.find(({ what }) => what === "dead letters")?.due)).toBeGreaterThan(0);
  });
});
