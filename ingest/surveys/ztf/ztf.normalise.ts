// ZTF packets as common columns and photometry points. Called by ztf.survey.ts.
// Magnitudes are AB, of |difference|; isdiffpos gives the sign. Counts of forced photometry have the zero point magzpsci.
import type { Column, NumberColumn, StringColumn } from "../../../domain/columns.js";
import { fluxErrorFromMagnitude, fluxFromCounts, fluxFromMagnitude } from "../../../domain/flux.js";
import { POINT_KIND } from "../../../domain/photometry.js";
import { isJd } from "../../../domain/time.js";
import type { Decoded, Layout, ListBlock } from "../../avro/columnar.js";
import { bools, floats, longs, nullableFloats, nullableTexts, strings, texts } from "../columns.js";
import { Points, type Tellers } from "../points.js";
import type { Normalised } from "../survey.js";
import { ZTF_FIELDS } from "./ztf.fields.js";
import { ZTF_POINT_COLUMNS } from "./ztf.points.js";

const field = (path: string, type: Layout["fields"][number]["type"], column = path) => ({ path, column, type });

/** Values of a detection that later packets tell again, and those that only its own alert has. */
const RETOLD = ["ra", "dec", "rb"] as const;
const OWN = ["drb", "ssdistnr", "ssmagnr"] as const;
const columnOf = (name: string): string => (name === "ra" || name === "dec" ? name : `ztf_${name}`);

export const ZTF_LAYOUT: Layout = {
  fields: [
    field("objectId", "String"),
    field("candid", "Int64"),
    field("candidate.jd", "Float64", "jd"),
    field("candidate.ra", "Float64", "ra"),
    field("candidate.dec", "Float64", "dec"),
    field("candidate.programid", "Int32", "programid"),
    ...ZTF_FIELDS.map(({ name, type }) => field(`candidate.${name}`, type, name)),
  ],
  lists: [
    {
      path: "prv_candidates",
      name: "prv_candidates",
      fields: [
        field("jd", "Float64"),
        field("fid", "Int32"),
        field("pid", "Int64"),
        field("candid", "Int64"),
        field("programid", "Int32"),
        field("diffmaglim", "Float32"),
        field("isdiffpos", "String"),
        field("magpsf", "Float32"),
        field("sigmapsf", "Float32"),
        ...RETOLD.map((name) => field(name, name === "ra" || name === "dec" ? "Float64" : "Float32")),
      ],
    },
    {
      path: "fp_hists",
      name: "fp_hists",
      fields: [
        field("jd", "Float64"),
        field("fid", "Int32"),
        field("pid", "Int64"),
        field("programid", "Int32"),
        field("diffmaglim", "Float32"),
        field("forcediffimflux", "Float32"),
        field("forcediffimfluxunc", "Float32"),
        field("magzpsci", "Float32"),
        field("procstatus", "String"),
      ],
    },
  ],
};

const BANDS = ["unknown", "g", "r", "i"];
const bandOf = (fid: number): string => BANDS[fid] ?? "unknown";
const POSITIVE: ReadonlySet<string> = new Set(["t", "1", "T", "true", "True"]);
const isPositive = (isdiffpos: string): number => (POSITIVE.has(isdiffpos) ? 1 : 0);
/** ZTF's sign for "no value" in forced photometry. */
const SENTINEL = -99999;
const real = (value: number): number => (value === SENTINEL ? Number.NaN : value);
/** No magnitude is so bright or faint: -999, -99999 and 99 stand for none. */
const magnitudeOf = (value: number): number => (Math.abs(value) < 99 ? value : Number.NaN);
const errorOf = (value: number): number => (value >= 0 ? value : Number.NaN);
/** The name of no object. */
const NO_NAME = /^\s*null\s*$/i;

export function normaliseZtf({ alerts, lists }: Decoded): Normalised {
  const { rows } = alerts;
  const magnitude = floats(alerts, "magpsf").map(magnitudeOf);
  const magnitudeError = floats(alerts, "sigmapsf").map(errorOf);
  const flux = new Float64Array(rows);
  const fluxError = new Float64Array(rows);
  const snr = new Float64Array(rows);
  const positive = Uint8Array.from(strings(alerts, "isdiffpos"), isPositive);
  for (let i = 0; i < rows; i += 1) {
    flux[i] = fluxFromMagnitude(magnitude[i]!) * (positive[i] === 1 ? 1 : -1);
    fluxError[i] = fluxErrorFromMagnitude(magnitude[i]!, magnitudeError[i]!);
    snr[i] = Math.abs(flux[i]!) / fluxError[i]!;
  }
  const band = Array.from(floats(alerts, "fid"), bandOf);

  const tellers = {
    objectId: strings(alerts, "objectId"),
    jd: floats(alerts, "jd"),
    candid: longs(alerts, "candid").values,
  };
  const programid = (alerts.columns.get("programid") as NumberColumn).values;
  const history = lists.get("prv_candidates")!;
  const forced = lists.get("fp_hists")!;
  const points = new Points(rows + history.rows + forced.rows, ZTF_POINT_COLUMNS);
  const limits = floats(alerts, "diffmaglim").map(magnitudeOf);
  for (let i = 0; i < rows; i += 1) {
    const at = points.add(POINT_KIND.detection, tellers.candid, i, tellers.jd[i]!, band[i]!, programid[i]!, i);
    points.measure(at, flux[i]!, fluxError[i]!, magnitude[i]!, magnitudeError[i]!, positive[i]!);
    points.limitingMagnitude[at] = limits[i]!;
  }
  // These are the first rows, in the alerts' order.
  for (const name of [...RETOLD, ...OWN]) points.numbers(columnOf(name)).set(floats(alerts, name));
  addHistory(points, history, programid, tellers.candid);
  addForced(points, forced, programid);

  const names = strings(alerts, "ssnamenr").map((name) => (NO_NAME.test(name) ? "" : name.trim()));
  const columns = new Map<string, Column>([
    ...["candid", "objectId", "jd", "ra", "dec", "programid"].map(
      (name) => [name, alerts.columns.get(name)!] as [string, Column],
    ),
    ["band", texts(band)],
    ["magnitude", nullableFloats(magnitude)],
    ["magnitudeError", nullableFloats(magnitudeError)],
    ["flux", nullableFloats(flux)],
    ["fluxError", nullableFloats(fluxError)],
    ["snr", nullableFloats(snr)],
    ["isPositive", bools(positive)],
    ["solarSystemName", nullableTexts(names)],
    ...ZTF_FIELDS.map(({ name }) => [name, alerts.columns.get(name)!] as [string, Column]),
  ]);
  return { columns, ...points.finish(tellers satisfies Tellers) };
}

/** Rights of a history point: its own programid, else that of the packet. */
function rights(list: ListBlock, alertRights: ArrayLike<number>): Int32Array {
  const { values, nulls } = list.columns.get("programid") as NumberColumn;
  const programid = new Int32Array(values);
  for (let i = 0; i < list.rows; i += 1) if (nulls?.[i]) programid[i] = alertRights[list.parents[i]!]!;
  return programid;
}

/**
 * Entries with a candid are earlier detections, the others upper limits; an entry without a time tells nothing, and of the
 * alert's own detection the alert itself has the word.
 */
function addHistory(points: Points, list: ListBlock, alertRights: ArrayLike<number>, own: BigInt64Array): void {
  const jd = floats(list, "jd");
  const fid = floats(list, "fid");
  const pid = longs(list, "pid");
  const candid = longs(list, "candid");
  const limit = floats(list, "diffmaglim").map(magnitudeOf);
  const magnitude = floats(list, "magpsf").map(magnitudeOf);
  const magnitudeError = floats(list, "sigmapsf").map(errorOf);
  const isdiffpos = strings(list, "isdiffpos");
  const programid = rights(list, alertRights);
  const retold = RETOLD.map((name) => ({ from: floats(list, name), to: points.numbers(columnOf(name)) }));
  for (let i = 0; i < list.rows; i += 1) {
    const detected = candid.nulls[i] === 0;
    if (!isJd(jd[i]!) || !(detected || Number.isFinite(limit[i]))) continue;
    if (detected && candid.values[i] === own[list.parents[i]!]) continue;
    const kind = detected ? POINT_KIND.detection : POINT_KIND.nonDetection;
    const ids = (detected ? candid : pid).values;
    const at = points.add(kind, ids, i, jd[i]!, bandOf(fid[i]!), programid[i]!, list.parents[i]!);
    points.limitingMagnitude[at] = limit[i]!;
    if (!detected) continue;
    const positive = isPositive(isdiffpos[i]!);
    const flux = fluxFromMagnitude(magnitude[i]!) * (positive === 1 ? 1 : -1);
    const fluxError = fluxErrorFromMagnitude(magnitude[i]!, magnitudeError[i]!);
    points.measure(at, flux, fluxError, magnitude[i]!, magnitudeError[i]!, positive);
    for (const { from, to } of retold) to[at] = from[i]!;
  }
}

function addForced(points: Points, list: ListBlock, alertRights: ArrayLike<number>): void {
  const jd = floats(list, "jd");
  const fid = floats(list, "fid");
  const pid = longs(list, "pid");
  const limit = floats(list, "diffmaglim").map(magnitudeOf);
  const counts = floats(list, "forcediffimflux").map(real);
  const countsError = floats(list, "forcediffimfluxunc").map(errorOf);
  const zeroPoint = floats(list, "magzpsci").map(magnitudeOf);
  const status = list.columns.get("procstatus") as StringColumn;
  const procstatus = points.texts("ztf_procstatus");
  const programid = rights(list, alertRights);
  for (let i = 0; i < list.rows; i += 1) {
    if (!isJd(jd[i]!)) continue;
    const band = bandOf(fid[i]!);
    const at = points.add(POINT_KIND.forced, pid.values, i, jd[i]!, band, programid[i]!, list.parents[i]!);
    const scale = fluxFromCounts(1, zeroPoint[i]!);
    points.force(at, counts[i]! * scale, countsError[i]! * scale);
    if (status.nulls?.[i] !== 1) procstatus[at] = status.values[i]!;
    points.zeroPoint[at] = zeroPoint[i]!;
    points.limitingMagnitude[at] = limit[i]!;
  }
}
