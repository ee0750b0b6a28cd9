// Features as filters read them: feature.g.peakMag. Made by cli/ for the filter language.
import type { Operand, OperandSource } from "../operand.js";
import type { Survey, SurveyDescription } from "../survey.js";
import { type NamedFeature, namedFeatures } from "./features.js";

/** Column of a batch's alerts, and name in filters. */
export const featureOperandName = (path: string): string => `feature.${path}`;

const operandOf = ({ path, scope, feature }: NamedFeature): Operand => ({
  ...{ name: featureOperandName(path), type: feature.type, nullable: true, unit: feature.unit },
  description: scope === null ? feature.description : `${scope}: ${feature.description}`,
});

/** Which features there are follows from a survey's bands and changes with the code alone. */
export function featureOperands(surveys: Iterable<SurveyDescription>): OperandSource {
  const values = new Map<Survey, readonly Operand[]>();
  for (const { id, bands } of surveys) values.set(id, namedFeatures(bands).map(operandOf));
  return {
    operands: (survey) => ({ values: values.get(survey) ?? [], lists: [] }),
    onChange: () => () => {},
  };
}
