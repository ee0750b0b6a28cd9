// Reasons fit to be told, and what an operand needs.
import { describe, expect, it, test } from "vitest";
import { boundedMissing, originOf, reasonOf, stepFailed } from "./missing.js";

describe("a reason", () => {
  it.each([
    ["the alerts have no detections.jd", "the alerts have no detections.jd"],
    ["no model in /data/models/x-1/model.onnx: ENOENT", "no model in …: ENOENT"],
    ["C:\\models\\x\\model.onnx is broken", "… is broken"],
    ["connect ECONNREFUSED 10.0.0.7:8123", "connect ECONNREFUSED …"],
    ["GET https://user:pass@host/x?token=1 failed", "GET … failed"],
    ['password="hunter2" is wrong', "… is wrong"],
    ["first\n    at run (/src/a/b.ts:3:1)", "first"],
    ["  \n", "It did not say why."],
    ["flux in erg/s/cm: 3/4 of them", "flux in erg…: 3/4 of them"],
  ])("of %j", (message, told) => {
    expect(reasonOf(new Error(message))).toBe(told);
  });

  it("is bounded, and no secret is cut so that it is not known any more", () => {
    expect(reasonOf("x".repeat(10_000))).toBe(`${"x".repeat(299)}…`);
    expect(reasonOf(`${"y ".repeat(140)}postgres://a:swordfish@db/x`)).not.toContain("sword");
    expect(reasonOf(42)).toBe("42");
  });
});

test.each([
  ["magpsf", null],
  ["feature.g.peakMag", { operand: "feature.g.peakMag", step: "features", part: null }],
  ["score.kinds.sn", { operand: "score.kinds.sn", step: "scores", part: "kinds" }],
  ["class.kinds", { operand: "class.kinds", step: "scores", part: "kinds" }],
  ["match.gaia_dr3.parallax", { operand: "match.gaia_dr3", step: "crossmatch", part: "gaia_dr3" }],
  ["watch.mine.name", { operand: "watch.mine", step: "marks", part: "watch.mine" }],
  ["area.field", { operand: "area.field", step: "marks", part: "area.field" }],
  ["skymap.s1", { operand: "skymap.s1", step: "marks", part: "skymap.s1" }],
  ["detections.jd", { operand: "detections", step: "history", part: null }],
  ["lsst.detections.jd", { operand: "lsst.detections", step: "counterparthistory", part: null }],
])("the operand %s has its step and part", (column, origin) => {
  expect(originOf(column)).toEqual(origin);
});

test("few parts are told one by one, very many of a step as one", () => {
  const marks = Array.from({ length: 51 }, (_, n) => stepFailed("marks", `area.a${n}`, new Error("broken")));
  const features = stepFailed("features", null, new Error("no"));
  expect(boundedMissing([features, ...marks.slice(1)])).toHaveLength(51);
  const [first, second, ...others] = boundedMissing([features, ...marks]);
  expect([first, others]).toEqual([features, []]);
  expect(second).toEqual({ step: "marks", part: null, code: "STEP_FAILED", reason: "51 of its parts failed." });
});
