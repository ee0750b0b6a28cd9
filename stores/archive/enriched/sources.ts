// The rooms whose values filters may read of archived alerts, a line each. Called by ../stores.ts.
import type { SurveyDescription } from "../../../domain/survey.js";
import { featureSource } from "./features.js";
import { enrichedScores } from "./scores.js";
import type { EnrichedSource } from "./source.js";

/** The first that brings a column gives it. */
export const enrichedSources = (surveys: readonly SurveyDescription[]): readonly EnrichedSource[] => [
  featureSource(surveys),
  enrichedScores,
];
