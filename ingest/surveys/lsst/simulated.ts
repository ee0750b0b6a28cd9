// Simulated Rubin: its cadence and its packets (schema 10.0 fields, plain FITS cutouts of 30 x 30 pixels).
// Called by ingest/simulator.

import { fluxFromMagnitude } from "../../../domain/flux.js";
import { eclipticFromIcrs, galacticFromIcrs } from "../../../domain/sky.js";
import { mjdFromJd } from "../../../domain/time.js";
import type { Random } from "../../simulator/random.js";
import type { Measurement, SimulatedAlert } from "../../simulator/sky.js";
import { drawStamps, fitsImage } from "../../simulator/stamps.js";
import type { SimulatedSurvey } from "../../simulator/survey.js";
import {
  DIA_FORCED_SOURCE_FIELDS,
  DIA_OBJECT_FIELDS,
  DIA_SOURCE_FIELDS,
  SIMULATED_SCHEMA,
  SS_SOURCE_FIELDS,
} from "./simulated.schema.js";

/** TAI - UTC since 2017, days. */
const TAI_MINUS_UTC = 37 / 86_400;
const STAMP_SIDE = 30;
const PIXEL_ARCSEC = 0.2;
const DETECTOR = 94;

const mjdTai = (jd: number): number => mjdFromJd(jd) + TAI_MINUS_UTC;
/** A million exposures a sky. */
const visitId = ({ visit }: Measurement): bigint =>
  2_026_000_000_000n + BigInt(visit.sky) * 1_000_000n + BigInt(visit.exposure);
const sourceId = (m: Measurement): bigint => visitId(m) * 100_000n + BigInt(m.index);
/** Ten million objects a sky. */
const diaObjectId = ({ measurement, objectNumber }: SimulatedAlert): bigint =>
  313_853_517_000_000_000n + BigInt(measurement.visit.sky) * 10_000_000n + BigInt(objectNumber);

/** Fields that the values do not name are null, false or NaN, as their type allows. */
function complete(
  fields: readonly { name: string; type: unknown }[],
  values: Record<string, unknown>,
): Record<string, unknown> {
  const record: Record<string, unknown> = {};
  for (const { name, type } of fields) {
    record[name] = values[name] ?? (Array.isArray(type) ? (type[1] === "boolean" ? false : null) : Number.NaN);
  }
  return record;
}

function diaSource(m: Measurement, alert: SimulatedAlert, random: Random): Record<string, unknown> {
  const { visit, flux, fluxError } = m;
  const { source } = alert;
  const reference = source.parameters.meanMag === undefined ? 0 : fluxFromMagnitude(source.parameters.meanMag);
  const real = source.kind !== "artefact";
  return complete(DIA_SOURCE_FIELDS, {
    diaSourceId: sourceId(m),
    visit: visitId(m),
    detector: DETECTOR,
    diaObjectId: source.kind === "asteroid" ? null : diaObjectId(alert),
    ssObjectId: source.kind === "asteroid" ? BigInt(source.parameters.number!) : null,
    midpointMjdTai: mjdTai(visit.jd),
    ra: source.ra,
    raErr: 3e-5,
    dec: source.dec,
    decErr: 3e-5,
    x: 2000,
    y: 2000,
    apFlux: flux * 1.02,
    apFluxErr: fluxError * 1.5,
    isNegative: flux < 0,
    snr: Math.abs(flux) / fluxError,
    psfFlux: flux,
    psfFluxErr: fluxError,
    psfChi2: 1700,
    psfNdata: 1681,
    scienceFlux: reference + flux,
    scienceFluxErr: fluxError,
    templateFlux: reference,
    templateFluxErr: fluxError / 3,
    extendedness: source.kind === "variable" ? 0 : 0.5,
    reliability: real ? 1 - random.uniform() ** 3 * 0.4 : random.uniform() ** 2 * 0.5,
    band: visit.band,
    timeProcessedMjdTai: mjdTai(visit.jd) + 60 / 86_400,
    bboxSize: 12,
  });
}

function forcedSource(m: Measurement, alert: SimulatedAlert): Record<string, unknown> {
  return complete(DIA_FORCED_SOURCE_FIELDS, {
    diaForcedSourceId: visitId(m) * 1_000_000n + BigInt(alert.objectNumber % 1_000_000),
    diaObjectId: diaObjectId(alert),
    ra: alert.source.ra,
    dec: alert.source.dec,
    visit: visitId(m),
    detector: DETECTOR,
    psfFlux: m.flux,
    psfFluxErr: m.fluxError,
    midpointMjdTai: mjdTai(m.visit.jd),
    band: m.visit.band,
    timeProcessedMjdTai: mjdTai(m.visit.jd) + 60 / 86_400,
  });
}

function packet(alert: SimulatedAlert, random: Random): Record<string, unknown> {
  const { measurement, history, source } = alert;
  const { ra, dec } = source;
  const moving = source.kind === "asteroid";
  const detections = history.filter((earlier) => earlier.detected);
  const fwhm = measurement.visit.seeing / 2 / PIXEL_ARCSEC;
  const noise = measurement.fluxError / ((Math.sqrt(4 * Math.PI) * fwhm) / 2.3548);
  const stamps = drawStamps(random, STAMP_SIDE, measurement.flux, fwhm, noise);
  const [eclLambda, eclBeta] = eclipticFromIcrs(ra, dec);
  const [galLon, galLat] = galacticFromIcrs(ra, dec);
  return {
    diaSourceId: sourceId(measurement),
    observation_reason: "simulated",
    target_name: null,
    diaSource: diaSource(measurement, alert, random),
    prvDiaSources: detections.length === 0 ? null : detections.map((earlier) => diaSource(earlier, alert, random)),
    prvDiaForcedSources: moving ? null : history.map((earlier) => forcedSource(earlier, alert)),
    diaObject: moving
      ? null
      : complete(DIA_OBJECT_FIELDS, {
          diaObjectId: diaObjectId(alert),
          validityStartMjdTai: mjdTai(measurement.visit.jd),
          ra,
          dec,
          firstDiaSourceMjdTai: mjdTai((detections[0] ?? measurement).visit.jd),
          lastDiaSourceMjdTai: mjdTai(measurement.visit.jd),
          nDiaSources: detections.length + 1,
        }),
    ssSource: moving
      ? complete(SS_SOURCE_FIELDS, {
          diaSourceId: sourceId(measurement),
          ssObjectId: BigInt(source.parameters.number!),
          designation: `(${source.parameters.number})`,
          eclLambda,
          eclBeta,
          galLon,
          galLat,
          ephVmag: source.parameters.mag,
          ephOffset: random.between(0, 0.5),
        })
      : null,
    cutoutDifference: fitsImage(stamps.difference, STAMP_SIDE),
    cutoutScience: fitsImage(stamps.science, STAMP_SIDE),
    cutoutTemplate: fitsImage(stamps.template, STAMP_SIDE),
  };
}

export const simulatedLsst: SimulatedSurvey = {
  cadence: {
    bandSets: [
      ["g", "r"],
      ["r", "i"],
      ["i", "z"],
      ["z", "y"],
      ["u", "g"],
    ],
    visitChance: 0.35,
    depth: { u: 23.9, g: 25, r: 24.7, i: 24, z: 23.3, y: 22.1 },
    midnight: 0.2,
    programs: [[1, 1]],
  },
  schema: SIMULATED_SCHEMA,
  packet,
  objectId: (alert) =>
    alert.source.kind === "asteroid" ? `sso${alert.source.parameters.number}` : diaObjectId(alert).toString(),
};
