// The surveys. A new one is a folder beside these and a line in this list. Called by ingest/ and cli/.
import { TocsinError } from "../../domain/errors.js";
import type { Survey } from "../../domain/survey.js";
import { lsst } from "./lsst/lsst.survey.js";
import type { SurveyModule } from "./survey.js";
import { ztf } from "./ztf/ztf.survey.js";

export const SURVEYS: readonly SurveyModule[] = [ztf, lsst];

export function surveyModule(survey: Survey): SurveyModule {
  const module = SURVEYS.find(({ description }) => description.id === survey);
  if (module === undefined) throw new TocsinError("UNKNOWN_SURVEY", `There is no survey ${survey}.`);
  return module;
}
