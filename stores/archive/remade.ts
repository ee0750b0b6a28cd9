// Steps whose values are made anew alert by alert, long after the batch: for these the rows that are there tell what is still
// missing, not what was noted with the batch. Read by missing.ts and stale.ts.
import { FEATURES_STEP } from "../../domain/features/features.js";
import type { Survey } from "../../domain/survey.js";
import { featureTable } from "./features.table.js";

/** Step → its table in a survey: a row an alert by (jd, candid), with the batch that made it. */
export const REMADE: ReadonlyMap<string, (survey: Survey) => string> = new Map([[FEATURES_STEP, featureTable]]);
