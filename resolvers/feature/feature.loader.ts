// Features of all alerts of a level of a request in one query.
import type { Viewer } from "../../domain/viewer.js";
import type { AlertFeatures, FeatureStore } from "../../stores/features.store.js";
import { surveyLoader } from "../surveyloader.js";

export const featureLoader = (features: Pick<FeatureStore, "byCandid">, viewer: Viewer) =>
  surveyLoader<bigint, AlertFeatures>((survey, candids) => features.byCandid(viewer, survey, candids));
