// What a user may write: topics and patterns, and places to begin at.
import { expect, test } from "vitest";
import { parseStart } from "./start.js";
import { chosenTopics, parseTopics } from "./topics.js";

const existing = [
  "lsst-alerts-v9.0",
  "ztf_20231012_programid1",
  "ztf_20231012_programid2",
  "ztf_x",
  "__consumer_offsets",
];

test.each([
  ["", []],
  ["ztf_x", ["ztf_x"]],
  [" ztf_x , lsst-alerts-v9.0,", ["lsst-alerts-v9.0", "ztf_x"]],
  ["/ztf_\\d{8}_programid1/", ["ztf_20231012_programid1"]],
  ["/ztf_\\d{4,8}_programid[1,2]/, lsst-alerts-v9.0", existing.slice(0, 3)],
  // A pattern fits the whole name.
  ["/ztf/", []],
  ["/.*/", existing.slice(0, 4)],
  ["/lsst.*|ztf_x/", ["lsst-alerts-v9.0", "ztf_x"]],
  ["__consumer_offsets", ["__consumer_offsets"]],
  ["missing", []],
])("topics %s", (text, found) => {
  expect(chosenTopics(parseTopics(text), existing)).toEqual(found);
});

test.each(["a b", "/unclosed", "/(/", "ä", "..", `/${"x".repeat(600)}/`, "x".repeat(250)])("no topics: %s", (text) => {
  expect(() => parseTopics(text)).toThrow();
});

const now = Date.parse("2026-01-31T18:00:00Z");
test.each([
  ["earliest", { at: "earliest" }],
  ["latest", { at: "latest" }],
  ["6h", { at: "time", time: now - 6 * 3_600_000 }],
  ["1.5h", { at: "time", time: now - 5_400_000 }],
  ["90m", { at: "time", time: now - 5_400_000 }],
  ["2d", { at: "time", time: now - 172_800_000 }],
  ["2026-01-31T06:00:00Z", { at: "time", time: now - 12 * 3_600_000 }],
  ["2026-01-31T06:00", { at: "time", time: now - 12 * 3_600_000 }],
  ["2026-01-31T06:00:00.250+02:00", { at: "time", time: now - 14 * 3_600_000 + 250 }],
  ["2026-01-31", { at: "time", time: now - 18 * 3_600_000 }],
  ["yesterday", null],
  ["-6h", null],
  ["6", null],
  ["2026-13-31", null],
  ["1960-01-01", null],
])("start %s", (text, found) => {
  expect(parseStart(text, now)).toEqual(found);
});
