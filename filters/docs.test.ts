// The examples of docs/filters.md are filters of the surveys that they say.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { SURVEYS } from "../ingest/surveys/index.js";
import { checkCondition } from "./check.js";
import { fieldsOfSurveys } from "./fields.js";

const fieldsOf = fieldsOfSurveys(SURVEYS.map((survey) => survey.description));
const manual = readFileSync(new URL("../docs/filters.md", import.meta.url), "utf8");
const examples = [...manual.matchAll(/^```(ztf|lsst)\n(.*?)^```/gms)].map(
  ([, survey, text]) => [survey!, text!] as const,
);

test.each(examples)("%s: %s", (survey, text) => {
  const { problems, warnings } = checkCondition(text, fieldsOf(survey.toUpperCase()));
  expect([...problems, ...warnings]).toEqual([]);
});

test("there are examples of both surveys", () => {
  expect(new Set(examples.map(([survey]) => survey))).toEqual(new Set(["ztf", "lsst"]));
});
