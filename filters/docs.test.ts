// The examples of the manual are filters of the surveys that they say, and so are the surveys' cuts.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { ElementType } from "../domain/columns.js";
import { featureOperands } from "../domain/features/operands.js";
import type { OperandList, Operands } from "../domain/operand.js";
import { counterpartHistories } from "../ingest/enrich/counterparthistory.js";
import { histories } from "../ingest/enrich/history.js";
import { SURVEYS } from "../ingest/surveys/index.js";
import { checkCondition } from "./check.js";
import { fieldsOfSurveys } from "./fields.js";

const operand = (name: string, type: ElementType, unit: string | null = null) => {
  return { name, type, nullable: true, unit, description: name };
};
const near = (name: string, ...fields: ReturnType<typeof operand>[]): OperandList => ({
  ...{ name, description: name, order: "separation" },
  fields: [operand("separationArcsec", "Float64", "arcsec"), ...fields],
});
/** What an installation has: catalogs, watch lists, areas, sky maps, models. */
const INSTALLED: Operands = {
  values: [
    operand("area.m31", "Bool"),
    operand("skymap.S250206dm", "Float64"),
    operand("skymap.S250206dm.distance.mean", "Float64", "Mpc"),
    operand("skymap.S250206dm.distance.sigma", "Float64", "Mpc"),
    operand("score.stamps.real", "Float32"),
    operand("class.lightcurve", "String"),
  ],
  lists: [
    near("match.gaia_dr3", operand("parallax", "Float64", "mas"), operand("parallax_error", "Float64", "mas")),
    near("match.ned_lvs", operand("DistMpc", "Float64", "Mpc")),
    near("match.glade", operand("z", "Float64"), operand("distanceKpc", "Float64", "kpc")),
    near("watch.my_supernovae", operand("name", "String")),
  ],
};
const descriptions = SURVEYS.map((survey) => survey.description);
const fieldsOf = fieldsOfSurveys(descriptions, [
  histories(descriptions),
  featureOperands(descriptions),
  counterpartHistories(descriptions),
  { operands: () => INSTALLED, onChange: () => () => undefined },
]);
const read = (path: string) => readFileSync(new URL(`../docs/${path}`, import.meta.url), "utf8");
const examples = [...read("filters.md").matchAll(/^```(ztf|lsst)\n(.*?)^```/gms)].map(
  ([, survey, text]) => [survey!, text!] as const,
);

test.each(examples)("%s: %s", (survey, text) => {
  const { problems, warnings } = checkCondition(text, fieldsOf(survey.toUpperCase()));
  expect([...problems, ...warnings]).toEqual([]);
});

test("there are examples of both surveys", () => {
  expect(new Set(examples.map(([survey]) => survey))).toEqual(new Set(["ztf", "lsst"]));
});

test.each(SURVEYS.flatMap(({ description: { id, cuts } }) => (cuts ?? []).map((cut) => [id, cut.name] as const)))(
  "%s: cut.%s",
  (survey, name) => {
    const { problems, warnings, fieldsRead } = checkCondition(`cut.${name}`, fieldsOf(survey));
    expect([...problems, ...warnings]).toEqual([]);
    expect(fieldsRead).not.toEqual([]);
    expect(read("filters.md")).toContain(`\`cut.${name}\``);
  },
);
