// The rooms whose values filters may read of archived alerts, a line each. Called by ../stores.ts.
import type { Catalog } from "../../../domain/catalog.js";
import type { Mark } from "../../../domain/mark.js";
import type { SurveyDescription } from "../../../domain/survey.js";
import { featureSource } from "./features.js";
import { enrichedHistory } from "./history.js";
import { enrichedMarks } from "./marks.js";
import { enrichedMatches } from "./matches.js";
import { enrichedScores } from "./scores.js";
import type { EnrichedSource } from "./source.js";

/** The first that brings a column gives it. */
export const enrichedSources = (
  surveys: readonly SurveyDescription[],
  marks: () => readonly Mark[] = () => [],
  catalogs: () => readonly Catalog[] = () => [],
): readonly EnrichedSource[] => [
  enrichedHistory(surveys),
  featureSource(surveys),
  enrichedScores,
  enrichedMarks(marks),
  enrichedMatches(catalogs),
];
