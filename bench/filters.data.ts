// Alerts with ZTF's fields and filters as people write them, each with numbers of its own. Used by filters.bench.ts.
import { COMMON_FIELDS } from "../domain/alert.js";
import type { Block, Column, ElementType } from "../domain/columns.js";
import { fieldsOfSurveys } from "../filters/fields.js";
import { random } from "./random.js";

const FLOATS =
  "magpsf sigmapsf magap fwhm rb drb sgscore1 sgscore2 sgscore3 distpsnr1 distpsnr2 distpsnr3 srmag1 srmag2 srmag3 sgmag1 simag1 ssdistnr ssmagnr magnr distnr classtar elong chinr sharpnr magdiff scorr diffmaglim jdstarthist";
const own = (name: string, type: ElementType) => ({ name, type, nullable: true, unit: null, description: name });
const FIELDS = [
  ...FLOATS.split(" ").map((name) => own(name, name.startsWith("jd") ? "Float64" : "Float32")),
  ...["nbad", "ndethist", "ncovhist", "fid"].map((name) => own(name, "Int32")),
];

export const BENCH_FIELDS = fieldsOfSurveys([
  {
    id: "ZTF",
    title: "ZTF",
    fields: FIELDS,
    bands: ["g", "r", "i"],
    publicProgramids: [1],
    counterpartRadiusArcsec: 1.5,
    pointColumns: [],
    pointFields: { detections: [], nonDetections: [], forced: [] },
    nightOffsetHours: 0,
  },
]);

const RANGES: Readonly<Record<string, readonly [number, number]>> = {
  jd: [2460000, 2460001],
  ra: [0, 360],
  dec: [-30, 90],
  galLat: [-90, 90],
  galLon: [0, 360],
  eclLat: [-90, 90],
  eclLon: [0, 360],
  fwhm: [0, 8],
  ssdistnr: [-5, 60],
  ssmagnr: [-5, 22],
  elong: [1, 2],
  nbad: [0, 6],
  ndethist: [1, 60],
  ncovhist: [1, 900],
  distpsnr1: [0, 20],
  distpsnr2: [0, 30],
  distpsnr3: [0, 30],
  flux: [-5e4, 5e4],
  fluxError: [100, 3000],
  snr: [3, 60],
  distnr: [0, 10],
  jdstarthist: [2458000, 2460000],
  sigmapsf: [0.01, 0.25],
  scorr: [4, 60],
  magdiff: [-1, 1],
  chinr: [0, 3],
  sharpnr: [-1, 1],
  fid: [1, 3],
};
const range = (name: string) => RANGES[name] ?? (/mag|lim/i.test(name) ? [15, 21] : [0, 1]);

/** The columns of an alert batch; one value in twelve of the survey's own is missing. */
export function benchBlock(rows: number): Block {
  const next = random(1);
  const columns = new Map<string, Column>();
  for (const { name, type, nullable } of [
    ...COMMON_FIELDS,
    { name: "programid", type: "Int32" as const, nullable: false },
    ...FIELDS,
  ]) {
    const [low, high] = range(name) as [number, number];
    const nulls = nullable ? Uint8Array.from({ length: rows }, () => (next() < 1 / 12 ? 1 : 0)) : null;
    const value = () => low + (high - low) * next();
    if (type === "String") {
      const values = Array.from({ length: rows }, (_, i) =>
        name === "band" ? "gri"[Math.floor(next() * 3)]! : `ZTF18${i}`,
      );
      columns.set(name, { type, values, nulls });
    } else if (type === "Int64") {
      columns.set(name, {
        type,
        values: BigInt64Array.from({ length: rows }, (_, i) => 2000000000000000000n + BigInt(i)),
        nulls,
      });
    } else if (type === "Bool") {
      columns.set(name, { type, values: Uint8Array.from({ length: rows }, () => (next() < 0.6 ? 1 : 0)), nulls });
    } else if (type === "Int32") {
      columns.set(name, { type, values: Int32Array.from({ length: rows }, () => Math.round(value())), nulls });
    } else if (type === "Float32") {
      columns.set(name, { type, values: Float32Array.from({ length: rows }, value), nulls });
    } else {
      columns.set(name, { type: "Float64", values: Float64Array.from({ length: rows }, value), nulls });
    }
  }
  return { rows, columns };
}

/** Twelve shapes from published ZTF filters (supernovae, cataclysmic variables, asteroids, nuclear transients, ...). */
export function variedFilters(count: number): string[] {
  const next = random(2);
  const n = (low: number, high: number, digits = 3) => (low + (high - low) * next()).toFixed(digits);
  const shapes: (() => string)[] = [
    () => `rb >= ${n(0.2, 0.6)} and drb > ${n(0.4, 0.9)} and fwhm > 0.5 and fwhm < ${n(5, 8)} and nbad < ${n(2, 6, 0)} and isPositive
      and (ssdistnr < 0 or ssdistnr >= ${n(8, 15)} or ssmagnr <= 0 or ssmagnr is null or abs(magpsf - ssmagnr) >= ${n(1, 3)})
      and abs(magpsf - magap) < ${n(0.5, 1)} and not (sgscore1 > ${n(0.6, 0.9)} and distpsnr1 < ${n(1, 3)})
      and not (distpsnr1 < ${n(10, 20)} and srmag1 > 0 and srmag1 < ${n(14, 16)} and sgscore1 > 0.49) and magpsf - sigmapsf < ${n(18, 20)}`,
    () =>
      `drb > ${n(0.5, 0.99)} and isPositive and magpsf < ${n(17, 19.5)} and not (sgscore1 > ${n(0.5, 0.8)} and distpsnr1 < ${n(1, 3)})`,
    () =>
      `abs(galLat) > ${n(5, 20)} and ndethist >= ${n(2, 8, 0)} and jd - jdstarthist < ${n(10, 1000)} and drb > ${n(0.3, 0.8)}`,
    () => `band = 'g' and magnitude between ${n(15, 16)} and ${n(18, 20)} and snr > ${n(5, 20)}`,
    () => `ssdistnr between 0 and ${n(3, 20)} and abs(ssmagnr - magpsf) < ${n(0.5, 2)} and abs(eclLat) < ${n(5, 30)}`,
    () =>
      `coalesce(distpsnr1, 99) < ${n(0.5, 2)} and sgscore1 < ${n(0.2, 0.5)} and magnr - magpsf < ${n(-1, 2)} and isPositive`,
    () =>
      `abs(flux) / fluxError > ${n(5, 15)} and flux > ${n(1000, 9000, 0)} and classtar > ${n(0.3, 0.7)} and elong < ${n(1.2, 1.8)}`,
    () => `band in ('g', 'r') and (rb > ${n(0.6, 0.9)} or drb > ${n(0.6, 0.9)}) and nbad = 0 and fwhm < ${n(3, 6)}`,
    () =>
      `ra between ${n(0, 100)} and ${n(150, 300)} and dec > ${n(-20, 30)} and magpsf < ${n(17, 20)} and ncovhist > ${n(10, 400, 0)}`,
    () =>
      `distnr < ${n(0.5, 2)} and abs(magdiff) < ${n(0.2, 0.8)} and chinr < ${n(1, 2)} and abs(sharpnr) < ${n(0.2, 0.5)} and scorr > ${n(5, 20)}`,
    () =>
      `sqrt(pow(distpsnr1, 2) + pow(distnr, 2)) < ${n(1, 6)} and diffmaglim - magpsf > ${n(0.3, 2)} and not (ssdistnr between 0 and ${n(5, 15)})`,
    () =>
      `least(distpsnr1, distpsnr2, distpsnr3) > ${n(1, 4)} and magpsf + ${n(0.1, 2)} < diffmaglim and (simag1 - srmag1 > ${n(0, 1)} or srmag1 is null)`,
  ];
  return Array.from({ length: count }, (_, i) => shapes[i % shapes.length]!());
}
