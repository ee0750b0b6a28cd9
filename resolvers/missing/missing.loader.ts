// What alerts of a level of a request lack, in a few queries for each survey.
import type { MissingValues } from "../../domain/missing.js";
import type { Viewer } from "../../domain/viewer.js";
import type { MissingStore } from "../../stores/missing.store.js";
import { surveyLoader } from "../surveyloader.js";

export const missingLoader = (missing: Pick<MissingStore, "ofAlerts">, viewer: Viewer) =>
  surveyLoader<bigint, readonly MissingValues[]>((survey, candids) => missing.ofAlerts(viewer, survey, candids));
