// What every resolver gets: the viewer, the stores within the request's time, and the request's loaders.
// Made by server/ for each request, and for each page of live hits.
import { TocsinError } from "../domain/errors.js";
import type { Survey, SurveyDescription } from "../domain/survey.js";
import type { Viewer } from "../domain/viewer.js";
import { alertLoader, objectPageLoader, ownFieldsLoader, packetLoader } from "./alert/alert.loader.js";
import { archivalPointLoader, archivalSourceLoader, archivesOnce } from "./archival/archival.loader.js";
import { clockLoader } from "./clock/clock.loader.js";
import { hostedLoader, matchLoader } from "./crossmatch/crossmatch.loader.js";
import { endingWith } from "./deadline.js";
import { featureLoader } from "./feature/feature.loader.js";
import { withoutHidden } from "./mark/mark.hidden.js";
import { missingLoader } from "./missing/missing.loader.js";
import { counterpartLoader, lightCurveLoader, objectLoader } from "./object/object.loader.js";
import type { Pace } from "./pace.js";
import { scoreLoader } from "./score/score.loader.js";
import { filterLoader, seenFilters } from "./seenfilters.js";
import type { Services, Stores } from "./services.js";

const createLoaders = (stores: Stores, viewer: Viewer, services: Services) => ({
  alert: alertLoader(stores.alerts, viewer),
  packet: packetLoader(stores.packets, viewer),
  objectPage: objectPageLoader(stores.alerts, viewer),
  clock: clockLoader(stores.clock, viewer),
  features: featureLoader(stores.features, viewer),
  filter: filterLoader(stores.filters),
  ownFields: ownFieldsLoader(stores.alerts, viewer),
  object: objectLoader(stores.objects, viewer),
  lightCurve: lightCurveLoader(stores.photometry, viewer),
  counterparts: counterpartLoader(stores.links),
  archives: archivesOnce(stores.archival),
  archivalSources: archivalSourceLoader(stores.archival),
  archivalPoints: archivalPointLoader(stores.archival),
  missing: missingLoader(stores.missing, viewer),
  scores: scoreLoader(stores.scores, viewer),
  hosted: hostedLoader(stores.sources),
  matches: matchLoader(stores.matches, services.matchedCatalogs ?? (() => [])),
});

export interface Context {
  readonly viewer: Viewer;
  readonly stores: Stores;
  readonly services: Services;
  readonly loaders: ReturnType<typeof createLoaders>;
  /** To be awaited between the pieces of what may be large. */
  readonly breathe: () => Promise<void> | undefined;
}

/**
 * `signal` ends the request's store calls; without `pace` nothing is waited for between the pieces of an answer. Loaders
 * remember what they loaded: one context serves one request.
 */
export function createContext(services: Services, viewer: Viewer, signal?: AbortSignal, pace?: Pace): Context {
  const ending = signal === undefined ? services.stores : endingWith(services.stores, signal);
  const stores = { ...ending, filters: seenFilters(ending.filters, services.marks, viewer) };
  const breathe = pace?.ofAnswer() ?? (() => undefined);
  const seen = withoutHidden(services, viewer);
  return { viewer, stores, services: seen, loaders: createLoaders(stores, viewer, services), breathe };
}

export function surveyOf(context: Context, id: Survey): SurveyDescription {
  const survey = context.services.surveys.get(id);
  if (survey === undefined) throw new TocsinError("UNKNOWN_SURVEY", `There is no survey ${id}.`);
  return survey;
}

/** Throws NOT_ALLOWED; `what` completes "The caller may not …". */
export function requireChange(viewer: Viewer, what: string): void {
  if (!viewer.mayChange) throw new TocsinError("NOT_ALLOWED", `The caller may not ${what}.`);
}
