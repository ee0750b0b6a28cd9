// A seeded sky seen by the surveys: sources, their visits and measurements, and the alerts in time order.
// Called by simulator/write.ts and by the live simulation.
import { fluxFromMagnitude } from "../../domain/flux.js";
import { type Cadence, planVisits, SKIES, type Span, type Visit } from "./cadence.js";
import { createRandom, hash, type Random } from "./random.js";
import { activeNucleus, artefact, asteroid, type SkyArea, type Source, supernova, variable } from "./sources.js";

/** What one visit measured at a source's place. */
export interface Measurement {
  readonly visit: Visit;
  /** Difference flux and its error, nJy. */
  readonly flux: number;
  readonly fluxError: number;
  /** Above 5 sigma: there is an alert. */
  readonly detected: boolean;
  /** Number of the detection within its exposure; -1 where there is none. */
  readonly index: number;
}

export interface SimulatedAlert {
  readonly survey: string;
  readonly source: Source;
  /** Number of the object within its survey, in the order of first detection. */
  readonly objectNumber: number;
  readonly measurement: Measurement;
  /** All earlier visits to the place, oldest first. */
  readonly history: readonly Measurement[];
}

export interface SkyOptions {
  readonly seed: string;
  readonly nights: number;
  /** The sky's last night ends before this JD. */
  readonly endJd: number;
  /** Alerts per survey, exactly. */
  readonly alerts: ReadonlyMap<string, number>;
  readonly cadences: ReadonlyMap<string, Cadence>;
}

/** Share of alerts that come from sources which stay; the rest are asteroids and artefacts. */
const LASTING_SHARE = 0.6;
const FIELD_DEGREES = 2;
const DETECTION_SIGMA = 5;

/** The surveys see the same lasting sources, each with its own cadence; asteroids and artefacts are each survey's own. */
export function simulateSky(options: SkyOptions): SimulatedAlert[] {
  const random = createRandom(options.seed);
  const startJd = options.endJd - options.nights;
  const total = [...options.alerts.values()].reduce((sum, n) => sum + n, 0);
  const fields = Math.max(2, Math.min(400, Math.round(total / 400)));
  const centres = Array.from({ length: fields }, () => ({ ra: random.between(0, 360), dec: random.between(-25, 8) }));
  const span = { sky: hash(options.seed) % SKIES, startJd, nights: options.nights, fields };
  const views = [...options.alerts].map(([survey, alerts]) =>
    view(survey, alerts, options.cadences.get(survey)!, random.stream(survey), span),
  );

  // A survey takes sources until it has its share of alerts from them.
  const isOpen = (v: View): boolean => v.lasting.length < LASTING_SHARE * v.wanted;
  for (let n = 0; views.some(isOpen); n += 1) {
    const field = n % fields;
    const place = random.stream(`source ${n}`);
    const area: SkyArea = { startJd, endJd: options.endJd, position: () => positionIn(centres[field]!, place) };
    const draw = place.uniform();
    const make = draw < 0.15 ? supernova : draw < 0.75 ? variable : activeNucleus;
    const source = make(`sim-${n}`, place, area);
    for (const v of views.filter(isOpen)) v.lasting.push(...observe(v, source, field, place.stream(v.survey)));
  }
  return views.flatMap((v) => complete(v, centres, startJd, options.endJd)).sort(byTime);
}

interface View {
  readonly survey: string;
  readonly wanted: number;
  readonly random: Random;
  readonly visits: readonly Visit[];
  readonly visitsOfField: readonly Visit[][];
  readonly detectionsIn: Int32Array;
  readonly lasting: SimulatedAlert[];
}

function view(survey: string, wanted: number, cadence: Cadence, random: Random, span: Span): View {
  const { fields } = span;
  const visits = planVisits(cadence, random, span);
  const visitsOfField: Visit[][] = Array.from({ length: fields }, () => []);
  for (const visit of visits) visitsOfField[visit.field]!.push(visit);
  return { survey, wanted, random, visits, visitsOfField, detectionsIn: new Int32Array(visits.length), lasting: [] };
}

/** Alerts of a lasting source: one per detection, each with all that was measured before. */
function observe(v: View, source: Source, field: number, random: Random): SimulatedAlert[] {
  const history: Measurement[] = [];
  const alerts: SimulatedAlert[] = [];
  for (const visit of v.visitsOfField[field]!) {
    const measurement = measure(v, source.differenceFlux(visit.jd, visit.band), visit, random);
    if (measurement.detected) {
      alerts.push({ survey: v.survey, source, objectNumber: -1, measurement, history: history.slice() });
    }
    history.push(measurement);
  }
  return alerts;
}

function measure(v: View, trueFlux: number, visit: Visit, random: Random): Measurement {
  const fluxError = fluxFromMagnitude(visit.limitingMagnitude) / DETECTION_SIGMA;
  const flux = trueFlux + random.normal(0, fluxError);
  const detected = Math.abs(flux) > DETECTION_SIGMA * fluxError;
  const index = detected ? v.detectionsIn[visit.exposure]!++ : -1;
  return { visit, flux, fluxError, detected, index };
}

/** A visit to a place where nothing is: noise below the threshold. */
function empty(visit: Visit, random: Random): Measurement {
  const fluxError = fluxFromMagnitude(visit.limitingMagnitude) / DETECTION_SIGMA;
  const sigmas = Math.max(-4, Math.min(4, random.normal(0, 1)));
  return { visit, flux: sigmas * fluxError, fluxError, detected: false, index: -1 };
}

/** Cut or fill a survey's alerts to the number that was asked for, and number its objects. */
function complete(
  v: View,
  centres: readonly { ra: number; dec: number }[],
  startJd: number,
  endJd: number,
): SimulatedAlert[] {
  const alerts = v.lasting.sort(byTime).slice(0, v.wanted);
  for (let n = 0; alerts.length < v.wanted; n += 1) {
    const random = v.random.stream(`single ${n}`);
    const visit = random.pick(v.visits);
    const area = { startJd, endJd, position: () => positionIn(centres[visit.field]!, random) };
    const make = random.uniform() < 0.6 ? asteroid : artefact;
    const source = make(`${v.survey.toLowerCase()}-${n}`, random, area);
    const measurement = measure(v, source.differenceFlux(visit.jd, visit.band), visit, random);
    if (!measurement.detected) continue;
    // Earlier visits saw an empty place: it moved in, or it is a fault of this one image.
    const history = v.visitsOfField[visit.field]!.filter(({ jd }) => jd < visit.jd).map((earlier) =>
      empty(earlier, random),
    );
    alerts.push({ survey: v.survey, source, objectNumber: -1, measurement, history });
  }
  const numbers = new Map<Source, number>();
  return alerts.sort(byTime).map((alert) => {
    const objectNumber = numbers.get(alert.source) ?? numbers.size;
    numbers.set(alert.source, objectNumber);
    return { ...alert, objectNumber };
  });
}

function positionIn(centre: { ra: number; dec: number }, random: Random): { ra: number; dec: number } {
  const dec = centre.dec + random.between(-FIELD_DEGREES / 2, FIELD_DEGREES / 2);
  const ra = centre.ra + random.between(-FIELD_DEGREES / 2, FIELD_DEGREES / 2) / Math.cos((dec * Math.PI) / 180);
  return { ra: ((ra % 360) + 360) % 360, dec };
}

const byTime = (a: SimulatedAlert, b: SimulatedAlert): number =>
  a.measurement.visit.jd - b.measurement.visit.jd || a.measurement.index - b.measurement.index;
