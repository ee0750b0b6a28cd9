// Every example is valid for its survey, says what it is, and contradicts itself nowhere.
import { describe, expect, test } from "vitest";
import { featureOperands } from "../domain/features/operands.js";
import { histories } from "../ingest/enrich/history.js";
import { SURVEYS } from "../ingest/surveys/index.js";
import { checkCondition } from "./check.js";
import { createFilterDesign } from "./design/design.js";
import { examplesOf } from "./examples.js";
import { fieldsOfSurveys } from "./fields.js";

const descriptions = SURVEYS.map(({ description }) => description);
const fieldsOf = fieldsOfSurveys(descriptions, [histories(descriptions), featureOperands(descriptions)]);
const design = createFilterDesign(fieldsOf);

describe.each(descriptions.map(({ id }) => id))("%s", (survey) => {
  const examples = examplesOf(survey);
  test("has examples", () => {
    expect(examples.length).toBeGreaterThan(6);
    expect(new Set(examples.map(({ title }) => title)).size).toBe(examples.length);
  });
  test.each(examples.map((example) => [example.name, example] as const))("%s", (_, { title, description, where }) => {
    const { problems, warnings } = checkCondition(where, fieldsOf(survey));
    expect(problems.map(({ line, message }) => `${line}: ${message}`)).toEqual([]);
    expect(warnings.map(({ line, message }) => `${line}: ${message}`)).toEqual([]);
    expect(design.standing(survey, where)).toEqual([]);
    expect(title).toMatch(/^[A-Z].{10,90}$/);
    expect(description).toMatch(/[a-z ]{20}.*\./);
  });
});

test("nothing for a survey without a folder", () => {
  expect(examplesOf("NONE")).toEqual([]);
});
