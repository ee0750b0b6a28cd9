// What `cli -- missing` prints.
import { expect, it } from "vitest";
import { missingText } from "./missing.js";

it("says so where nothing is missing", () => {
  expect(missingText([])).toBe("Nothing is missing.\n");
});

it("is a line for each reason, with what is missing, how much of it, and since when", () => {
  const about = { batches: 2, alerts: 1_234, first: Date.UTC(2026, 8, 21, 3, 4, 5), last: Date.UTC(2026, 8, 22) };
  const lines = missingText([
    { survey: "ZTF", step: "features", part: null, code: "STEP_FAILED", reason: "Out of memory.", ...about },
    { survey: "LSST", step: "scores", part: "acai", code: "MODEL_FAILED", reason: "It took 10 s.", ...about },
  ])
    .trimEnd()
    .split("\n")
    .map((line) => line.split(/ {2,}/));
  const rest = ["2", "1234", "2026-09-21T03:04:05.000Z", "2026-09-22T00:00:00.000Z"];
  expect(lines).toEqual([
    ["survey", "step", "of", "batches", "alerts", "first", "last", "reason"],
    ["ZTF", "features", "all", ...rest, "Out of memory."],
    ["LSST", "scores", "acai", ...rest, "It took 10 s."],
  ]);
});
