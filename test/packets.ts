// Small packets made to measure, as surveys send them: ZTF alerts of any programid with history, Rubin alerts, and files
// of them. For tests of rights and of bad input.
import { gzipSync } from "node:zlib";
import { recordEncoder, writeContainer } from "../ingest/avro/write.js";
import { fitsImage } from "../ingest/simulator/stamps.js";
import { SIMULATED_SCHEMA as LSST_SCHEMA } from "../ingest/surveys/lsst/simulated.schema.js";
import { SIMULATED_SCHEMA as ZTF_SCHEMA } from "../ingest/surveys/ztf/simulated.schema.js";

const encodeZtf = recordEncoder(ZTF_SCHEMA);
const encodeLsst = recordEncoder(LSST_SCHEMA);
const SIDE = 9;

export interface HistoryPoint {
  readonly jd: number;
  readonly pid: bigint;
  readonly programid: number;
  /** With a candid a detection, else a limit. */
  readonly candid?: bigint;
  readonly magpsf?: number;
  readonly diffmaglim: number;
}
export interface ForcedEntry {
  readonly jd: number;
  readonly pid: bigint;
  readonly programid: number;
  readonly forcediffimflux: number;
}
export interface ZtfAlert {
  readonly candid: bigint;
  readonly objectId: string;
  readonly jd: number;
  readonly ra: number;
  readonly dec: number;
  readonly programid: number;
  readonly magpsf: number;
  readonly ssnamenr?: string;
  readonly history?: readonly HistoryPoint[];
  readonly forced?: readonly ForcedEntry[];
  /** Value of every pixel of the cutouts. */
  readonly pixel?: number;
}

const IMAGE = { fid: 2, rbversion: "t17_f5_c3" };
const MEASURED = { ...IMAGE, isdiffpos: "t", sigmapsf: 0.0625 };

/** The bare record. Everything that an alert must have and that no test asks for has one value for all. */
export function ztfRecord(alert: ZtfAlert): Buffer {
  const { candid, objectId, jd, ra, dec, programid, magpsf, ssnamenr, history, forced, pixel } = alert;
  const image = fitsImage(new Float32Array(SIDE * SIDE).fill(pixel ?? 1), SIDE);
  const cutout = { fileName: `${candid}.fits.gz`, stampData: gzipSync(image) };
  return encodeZtf({
    schemavsn: "4.02",
    publisher: "Tocsin test",
    objectId,
    candid,
    candidate: {
      ...MEASURED,
      jd,
      pid: candid / 1_000_000n,
      programid,
      candid,
      ra,
      dec,
      magpsf,
      diffmaglim: 20.5,
      ssnamenr: ssnamenr ?? "null",
      ssdistnr: ssnamenr === undefined ? -999 : 0.5,
      ssmagnr: ssnamenr === undefined ? -999 : 17,
      ranr: ra,
      decnr: dec,
      ndethist: 1,
      ncovhist: 1,
      nmtchps: 0,
      rfid: 1n,
      jdstartref: 2_458_000.5,
      jdendref: 2_458_100.5,
      nframesref: 15,
      nmatches: 1,
      drbversion: "d6_m7",
    },
    prv_candidates:
      history?.map((point) => ({
        ...(point.candid === undefined ? IMAGE : { ...MEASURED, ra, dec }),
        ...point,
      })) ?? null,
    fp_hists:
      forced?.map((point) => ({
        fid: 2,
        rfid: 1n,
        magzpsci: 26.25,
        forcediffimfluxunc: 0.5,
        ranr: ra,
        decnr: dec,
        ...point,
      })) ?? null,
    cutoutScience: cutout,
    cutoutTemplate: cutout,
    cutoutDifference: cutout,
  });
}

export interface LsstAlert {
  readonly diaSourceId: bigint;
  readonly diaObjectId: bigint;
  readonly ra: number;
  readonly dec: number;
  /** MJD, TAI. */
  readonly mjd: number;
  readonly psfFlux: number;
}

function lsstRecord({ diaSourceId, diaObjectId, ra, dec, mjd, psfFlux }: LsstAlert): Buffer {
  const source = {
    diaSourceId,
    diaObjectId,
    ra,
    dec,
    visit: 2025_000_001n,
    detector: 7,
    midpointMjdTai: mjd,
    x: 1,
    y: 1,
    band: "r",
    psfFlux,
    psfFluxErr: 10,
    timeProcessedMjdTai: mjd,
  };
  return encodeLsst({ diaSourceId, diaSource: source });
}

export const ztfFile = (...alerts: readonly ZtfAlert[]): Buffer => writeContainer(ZTF_SCHEMA, alerts.map(ztfRecord));
export const lsstFile = (...alerts: readonly LsstAlert[]): Buffer =>
  writeContainer(LSST_SCHEMA, alerts.map(lsstRecord));
