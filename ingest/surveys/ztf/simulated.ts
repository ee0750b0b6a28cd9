// Simulated ZTF: its cadence and its packets (schema 4.02 fields, gzipped FITS cutouts of 63 × 63 pixels).
// Called by ingest/simulator.
import { gzipSync } from "node:zlib";
import { fluxFromMagnitude, magnitudeErrorFromFlux, magnitudeFromFlux } from "../../../domain/flux.js";
import type { Random } from "../../simulator/random.js";
import type { Measurement, SimulatedAlert } from "../../simulator/sky.js";
import { drawStamps, fitsImage } from "../../simulator/stamps.js";
import type { SimulatedSurvey } from "../../simulator/survey.js";
import { CANDIDATE_FIELDS, FP_HIST_FIELDS, PRV_CANDIDATE_FIELDS, SIMULATED_SCHEMA } from "./simulated.schema.js";

const FILTER_ID: Readonly<Record<string, number>> = { g: 1, r: 2, i: 3 };
const ZERO_POINT = 26.3;
const COUNT_FLUX = fluxFromMagnitude(ZERO_POINT);
const HISTORY_DAYS = 30;
const STAMP_SIDE = 63;
const PIXEL_ARCSEC = 1.01;
/** JD of ZTF's night number 0, 2017-01-01. */
const FIRST_NIGHT_JD = 2_457_754.5;
/** What ZTF writes for "none" in several fields. */
const NONE = -999;

/** ZTF has 64 readout channels; here they tell skies apart. */
const CHANNELS = 64;

const rcid = ({ visit }: Measurement): number => visit.sky % CHANNELS;

/** Night, exposure and readout channel in one number, after ZTF's own pattern: unique for every image. */
function pid(measurement: Measurement): bigint {
  const { jd, exposure } = measurement.visit;
  const night = BigInt(Math.floor(jd - FIRST_NIGHT_JD));
  return night * 1_000_000_000n + BigInt(exposure % 100_000) * 10_000n + BigInt(rcid(measurement) * 100 + 15);
}

/** pid and six digits: two of the sky, four of the detection in its image. */
function candid(measurement: Measurement): bigint {
  const sky = Math.floor(measurement.visit.sky / CHANNELS);
  return pid(measurement) * 1_000_000n + BigInt(sky * 10_000 + measurement.index);
}

/** "ZTF26aaaaaab": letters count in base 26, a million objects a sky. */
function objectId({ measurement, objectNumber }: SimulatedAlert): string {
  let letters = "";
  for (let left = measurement.visit.sky * 1_000_000 + objectNumber, i = 0; i < 7; i += 1) {
    letters = String.fromCharCode(97 + (left % 26)) + letters;
    left = Math.floor(left / 26);
  }
  return `ZTF26${letters}`;
}

/** Every field of a record that the values do not name is null. */
function complete(fields: readonly string[], values: Record<string, unknown>): Record<string, unknown> {
  const record: Record<string, unknown> = {};
  for (const field of fields) record[field] = values[field] ?? null;
  return record;
}

/** Fields that candidate and prv_candidates share. */
function photometry(measurement: Measurement, alert: SimulatedAlert): Record<string, unknown> {
  const { visit, flux, fluxError, detected } = measurement;
  const image = {
    jd: visit.jd,
    fid: FILTER_ID[visit.band],
    pid: pid(measurement),
    diffmaglim: visit.limitingMagnitude,
    pdiffimfilename: `sim_${visit.exposure}_scimrefdiffimg.fits`,
    programpi: "Simulated",
    programid: visit.programid,
    nid: Math.floor(visit.jd - FIRST_NIGHT_JD),
    rcid: rcid(measurement),
    field: 200 + visit.field,
    magzpsci: ZERO_POINT,
    magzpsciunc: 1e-5,
    magzpscirms: 0.03,
    clrcoeff: -0.05,
    clrcounc: 1e-5,
    rbversion: "t17_f5_c3",
  };
  if (!detected) return image;
  const magpsf = magnitudeFromFlux(flux)!;
  const sigmapsf = magnitudeErrorFromFlux(flux, fluxError)!;
  const fwhm = visit.seeing / PIXEL_ARCSEC;
  return {
    ...image,
    candid: candid(measurement),
    isdiffpos: flux > 0 ? "t" : "f",
    ra: alert.source.ra,
    dec: alert.source.dec,
    magpsf,
    sigmapsf,
    magap: magpsf + 0.02,
    sigmagap: sigmapsf * 1.2,
    magdiff: 0.02,
    magfromlim: visit.limitingMagnitude - magpsf,
    fwhm,
    aimage: 0.8 * fwhm,
    bimage: 0.75 * fwhm,
    aimagerat: 0.4,
    bimagerat: 0.38,
    elong: 1.07,
    nneg: 2,
    nbad: 0,
    sumrat: 0.98,
    scorr: Math.abs(flux) / fluxError,
    ssdistnr: NONE,
    ssmagnr: NONE,
    ssnamenr: "null",
  };
}

/** What lies around a source, by its kind: Pan-STARRS neighbour, reference image, solar system, real/bogus scores. */
function surroundings(alert: SimulatedAlert, random: Random): Record<string, unknown> {
  const { kind, parameters, ra, dec } = alert.source;
  const star = kind === "variable";
  const galaxy = kind === "supernova" || kind === "agn";
  const real = kind !== "artefact";
  const neighbour = star || galaxy || random.uniform() < 0.3;
  const magnitude = star || kind === "agn" ? parameters.meanMag! : random.between(17, 21);
  const distance = star || kind === "agn" ? Math.abs(random.normal(0, 0.15)) : random.between(0.5, 8);
  return {
    sgmag1: neighbour ? magnitude + 0.4 : NONE,
    srmag1: neighbour ? magnitude : NONE,
    simag1: neighbour ? magnitude - 0.2 : NONE,
    szmag1: neighbour ? magnitude - 0.3 : NONE,
    sgscore1: neighbour ? (star ? random.between(0.9, 1) : random.between(0, 0.3)) : NONE,
    distpsnr1: neighbour ? distance : NONE,
    objectidps1: BigInt(Math.floor(ra * 1e9)) * 10_000n + 7n,
    sgscore2: NONE,
    distpsnr2: NONE,
    srmag2: NONE,
    sgscore3: NONE,
    distpsnr3: NONE,
    srmag3: NONE,
    nmtchps: neighbour ? 1 + random.below(8) : 0,
    distnr: distance / PIXEL_ARCSEC,
    magnr: magnitude,
    sigmagnr: 0.02,
    ranr: ra,
    decnr: dec,
    neargaia: star ? distance : random.between(5, 60),
    maggaia: star ? magnitude : random.between(15, 20),
    neargaiabright: NONE,
    maggaiabright: NONE,
    rb: real ? random.between(0.6, 0.98) : random.between(0.02, 0.6),
    drb: real ? 1 - random.uniform() ** 3 * 0.3 : random.uniform() ** 2 * 0.6,
    ...(kind === "asteroid"
      ? { ssdistnr: random.between(0, 1), ssmagnr: parameters.mag, ssnamenr: String(parameters.number) }
      : {}),
    ...(real ? {} : { nbad: random.below(3), elong: random.between(1, 2.5), fwhm: random.between(0.8, 6) }),
  };
}

function forcedPoint(measurement: Measurement, alert: SimulatedAlert): Record<string, unknown> {
  const { visit, flux, fluxError } = measurement;
  return complete(FP_HIST_FIELDS, {
    ...photometry({ ...measurement, detected: false }, alert),
    rfid: 505_120_213n,
    sciinpseeing: visit.seeing,
    scibckgnd: 200,
    scisigpix: 5.4,
    exptime: 30,
    adpctdif1: 0.08,
    adpctdif2: 0.09,
    forcediffimflux: flux / COUNT_FLUX,
    forcediffimfluxunc: fluxError / COUNT_FLUX,
    procstatus: "0",
    ranr: alert.source.ra,
    decnr: alert.source.dec,
  });
}

function cutouts(alert: SimulatedAlert, random: Random): Record<string, unknown> {
  const { flux, fluxError, visit } = alert.measurement;
  const counts = flux / COUNT_FLUX;
  const fwhm = visit.seeing / PIXEL_ARCSEC;
  // Noise of a pixel so that the matched-filter noise is the measured one: sigma = noise sqrt(4 pi) fwhm / 2.3548.
  const noise = fluxError / COUNT_FLUX / ((Math.sqrt(4 * Math.PI) * fwhm) / 2.3548);
  const stamps = drawStamps(random, STAMP_SIDE, counts, fwhm, noise);
  const packed = (name: string, pixels: Float32Array) => ({
    fileName: `candid${candid(alert.measurement)}_${name}.fits.gz`,
    stampData: gzipSync(fitsImage(pixels, STAMP_SIDE), { level: 1 }),
  });
  return {
    cutoutScience: packed("sci", stamps.science),
    cutoutTemplate: packed("ref", stamps.template),
    cutoutDifference: packed("diff", stamps.difference),
  };
}

function packet(alert: SimulatedAlert, random: Random): Record<string, unknown> {
  const { measurement, history } = alert;
  const { jd } = measurement.visit;
  const recent = history.filter((earlier) => earlier.visit.jd > jd - HISTORY_DAYS);
  const detections = history.filter((earlier) => earlier.detected);
  const candidate = complete(CANDIDATE_FIELDS, {
    ...photometry(measurement, alert),
    ...surroundings(alert, random),
    ndethist: detections.length + 1,
    ncovhist: history.length + 1,
    jdstarthist: detections[0]?.visit.jd ?? jd,
    jdendhist: jd,
    tooflag: 0,
    rfid: 505_120_213n,
    jdstartref: FIRST_NIGHT_JD + 500,
    jdendref: FIRST_NIGHT_JD + 700,
    nframesref: 15,
    nmatches: 400,
    exptime: 30,
    drbversion: "d6_m7",
  });
  return {
    schemavsn: "4.02",
    publisher: "Tocsin sky simulator",
    objectId: objectId(alert),
    candid: candid(measurement),
    candidate,
    prv_candidates:
      recent.length === 0 ? null : recent.map((earlier) => complete(PRV_CANDIDATE_FIELDS, photometry(earlier, alert))),
    fp_hists: recent.length === 0 ? null : recent.map((earlier) => forcedPoint(earlier, alert)),
    ...cutouts(alert, random),
  };
}

export const simulatedZtf: SimulatedSurvey = {
  cadence: {
    bandSets: [
      ["g", "r"],
      ["r", "g"],
      ["g", "r", "i"],
    ],
    visitChance: 0.5,
    depth: { g: 20.8, r: 20.6, i: 20 },
    midnight: 0.33,
    programs: [[1, 1]],
  },
  schema: SIMULATED_SCHEMA,
  packet,
  objectId,
};
