// Rubin packets as common columns and photometry points. Called by lsst.survey.ts.
// Fluxes are difference fluxes in nJy; times are MJD of TAI and become JD of UTC.
import type { Column, NumberColumn } from "../../../domain/columns.js";
import { magnitudeErrorFromFlux, magnitudeFromFlux } from "../../../domain/flux.js";
import { POINT_KIND } from "../../../domain/photometry.js";
import { isJd, utcJdFromTaiMjd } from "../../../domain/time.js";
import type { Decoded, Layout, ListBlock } from "../../avro/columnar.js";
import { bools, floats, longs, nullableFloats, nullableTexts, strings, texts } from "../columns.js";
import { Points } from "../points.js";
import type { Normalised } from "../survey.js";
import { LSST_FIELDS, OBJECT_FIELDS, SOURCE_FIELDS } from "./lsst.fields.js";
import { LSST_POINT_COLUMNS } from "./lsst.points.js";

const field = (path: string, type: Layout["fields"][number]["type"], column = path) => ({ path, column, type });
const MEASURED = [
  field("midpointMjdTai", "Float64"),
  field("band", "String"),
  field("psfFlux", "Float32"),
  field("psfFluxErr", "Float32"),
];

/** Values of a source that the columns of points have besides. */
const RETOLD = ["ra", "dec", "reliability"] as const;
const columnOf = (name: string): string => (name === "reliability" ? "lsst_reliability" : name);

export const LSST_LAYOUT: Layout = {
  fields: [
    ...["ra", "dec"].map((name) => field(`diaSource.${name}`, "Float64", name)),
    field("diaSource.band", "String", "band"),
    field("diaSource.snr", "Float32", "snr"),
    field("diaObject.diaObjectId", "Int64"),
    field("ssSource.designation", "String"),
    field("mpc_orbits.designation", "String"),
    field("MPCORB.mpcDesignation", "String"),
    ...SOURCE_FIELDS.map(({ name, type }) => field(`diaSource.${name}`, type, name)),
    ...OBJECT_FIELDS.map(({ name, type }) => field(name.replace("_", "."), type, name)),
  ],
  lists: [
    {
      path: "prvDiaSources",
      name: "prvDiaSources",
      fields: [
        ...MEASURED,
        field("diaSourceId", "Int64"),
        field("isNegative", "Bool"),
        ...RETOLD.map((name) => field(name, name === "ra" || name === "dec" ? "Float64" : "Float32")),
      ],
    },
    {
      path: "prvDiaForcedSources",
      name: "prvDiaForcedSources",
      fields: [
        ...MEASURED,
        field("visit", "Int64"),
        field("detector", "Int32"),
        // Before 7.0, instead of the two.
        field("ccdVisitId", "Int64"),
      ],
    },
    {
      path: "prvDiaNondetectionLimits",
      name: "prvDiaNondetectionLimits",
      fields: [
        field("midpointMjdTai", "Float64"),
        field("band", "String"),
        field("ccdVisitId", "Int64"),
        field("diaNoise", "Float32"),
      ],
    },
  ],
};

/** All of Rubin's alerts are public. */
const PUBLIC = 1;

/**
 * What names the image of a forced point: visit and detector, as the survey's own ccdVisitId does. Not
 * diaForcedSourceId: a light curve has one forced point an image, whichever processing measured it.
 */
const imageId = (visit: bigint, detector: number): bigint => BigInt.asIntN(64, visit * 1000n + BigInt(detector));

/** The object's id, else that of its solar-system object or of the source itself; 0 stands for none. */
function objectIdOf(diaObjectId: bigint, otherDiaObjectId: bigint, ssObjectId: bigint, diaSourceId: bigint): string {
  if (diaObjectId !== 0n) return diaObjectId.toString();
  if (otherDiaObjectId !== 0n) return otherDiaObjectId.toString();
  return ssObjectId !== 0n ? `sso${ssObjectId}` : `dia${diaSourceId}`;
}

export function normaliseLsst({ alerts, lists }: Decoded): Normalised {
  const { rows } = alerts;
  // Missing 64-bit values read as 0, which stands for "none" in the packets too.
  const [own, others, movers] = ["diaObjectId", "diaObject.diaObjectId", "ssObjectId"].map(
    (name) => longs(alerts, name).values,
  );
  const candid = longs(alerts, "diaSourceId");
  const objectId = Array.from({ length: rows }, (_, i) =>
    objectIdOf(own![i]!, others![i]!, movers![i]!, candid.values[i]!),
  );
  const jd = floats(alerts, "midpointMjdTai").map(utcJdFromTaiMjd);
  const band = strings(alerts, "band").map((name) => name || "unknown");
  const { flux, fluxError, magnitude, magnitudeError } = measured(alerts);
  const positive = signs(alerts, flux);

  const history = lists.get("prvDiaSources")!;
  const forced = lists.get("prvDiaForcedSources")!;
  const limits = lists.get("prvDiaNondetectionLimits")!;
  const points = new Points(rows + history.rows + forced.rows + limits.rows, LSST_POINT_COLUMNS);
  for (let i = 0; i < rows; i += 1) {
    const at = points.add(POINT_KIND.detection, candid.values, i, jd[i]!, band[i]!, PUBLIC, i);
    points.measure(at, flux[i]!, fluxError[i]!, magnitude[i]!, magnitudeError[i]!, positive[i]!);
  }
  // These are the first rows, in the alerts' order.
  for (const name of RETOLD) points.numbers(columnOf(name)).set(floats(alerts, name));
  addHistory(points, history, candid.values);
  addForced(points, forced);
  addLimits(points, limits);

  const designations = ["ssSource.designation", "mpc_orbits.designation", "MPCORB.mpcDesignation"].map((name) =>
    strings(alerts, name),
  );
  const names = Array.from({ length: rows }, (_, i) => designations.map((d) => d[i]!.trim()).find(Boolean) ?? "");
  const columns = new Map<string, Column>([
    ["candid", alerts.columns.get("diaSourceId")!],
    ["objectId", texts(objectId)],
    ["jd", { type: "Float64", values: jd, nulls: null }],
    ["ra", alerts.columns.get("ra")!],
    ["dec", alerts.columns.get("dec")!],
    ["band", texts(band)],
    ["magnitude", nullableFloats(magnitude)],
    ["magnitudeError", nullableFloats(magnitudeError)],
    ["flux", nullableFloats(flux)],
    ["fluxError", nullableFloats(fluxError)],
    ["snr", nullableFloats(floats(alerts, "snr"))],
    ["isPositive", bools(positive)],
    ["programid", { type: "Int32", values: new Int32Array(rows).fill(PUBLIC), nulls: null }],
    ["solarSystemName", nullableTexts(names)],
    ...LSST_FIELDS.map(({ name }) => [name, alerts.columns.get(name)!] as [string, Column]),
  ]);
  return { columns, ...points.finish({ objectId, jd, candid: candid.values }) };
}

/** psfFlux with its error and both as magnitudes; NaN where missing. */
function measured(block: Decoded["alerts"]) {
  const flux = floats(block, "psfFlux");
  const fluxError = floats(block, "psfFluxErr");
  const magnitude = flux.map((value) => magnitudeFromFlux(value) ?? Number.NaN);
  const magnitudeError = flux.map((value, i) => magnitudeErrorFromFlux(value, fluxError[i]!) ?? Number.NaN);
  return { flux, fluxError, magnitude, magnitudeError };
}

/** The survey's own word on the sign where it has one, else the sign of the flux. */
function signs(block: Decoded["alerts"], flux: Float64Array): Uint8Array {
  const isNegative = block.columns.get("isNegative") as NumberColumn;
  return Uint8Array.from(flux, (value, i) => {
    if (isNegative.nulls?.[i] === 0) return 1 - isNegative.values[i]!;
    return value >= 0 ? 1 : 0;
  });
}

/** Earlier sources; of the alert's own the alert itself has the word. */
function addHistory(points: Points, list: ListBlock, own: BigInt64Array): void {
  const jd = floats(list, "midpointMjdTai").map(utcJdFromTaiMjd);
  const id = longs(list, "diaSourceId");
  const band = strings(list, "band");
  const { flux, fluxError, magnitude, magnitudeError } = measured(list);
  const positive = signs(list, flux);
  const retold = RETOLD.map((name) => ({ from: floats(list, name), to: points.numbers(columnOf(name)) }));
  for (let i = 0; i < list.rows; i += 1) {
    if (!isJd(jd[i]!) || id.nulls[i] === 1 || id.values[i] === own[list.parents[i]!]) continue;
    const at = points.add(POINT_KIND.detection, id.values, i, jd[i]!, band[i] || "unknown", PUBLIC, list.parents[i]!);
    points.measure(at, flux[i]!, fluxError[i]!, magnitude[i]!, magnitudeError[i]!, positive[i]!);
    for (const { from, to } of retold) to[at] = from[i]!;
  }
}

function addForced(points: Points, list: ListBlock): void {
  const jd = floats(list, "midpointMjdTai").map(utcJdFromTaiMjd);
  const visit = longs(list, "visit");
  const detector = (list.columns.get("detector") as NumberColumn).values;
  const ccdVisit = longs(list, "ccdVisitId").values;
  const image = visit.values.map((number, i) => (visit.nulls[i] === 1 ? ccdVisit[i]! : imageId(number, detector[i]!)));
  const band = strings(list, "band");
  const flux = floats(list, "psfFlux");
  const fluxError = floats(list, "psfFluxErr");
  for (let i = 0; i < list.rows; i += 1) {
    if (!isJd(jd[i]!)) continue;
    const at = points.add(POINT_KIND.forced, image, i, jd[i]!, band[i] || "unknown", PUBLIC, list.parents[i]!);
    points.force(at, flux[i]!, fluxError[i]!);
  }
}

/** Schema 7.4 only: the noise of the difference image, of which 5 sigma is the limit. */
function addLimits(points: Points, list: ListBlock): void {
  const jd = floats(list, "midpointMjdTai").map(utcJdFromTaiMjd);
  const id = longs(list, "ccdVisitId").values;
  const band = strings(list, "band");
  const noise = floats(list, "diaNoise");
  for (let i = 0; i < list.rows; i += 1) {
    const limit = noise[i]! > 0 ? magnitudeFromFlux(5 * noise[i]!) : null;
    if (!isJd(jd[i]!) || limit === null) continue;
    const at = points.add(POINT_KIND.nonDetection, id, i, jd[i]!, band[i] || "unknown", PUBLIC, list.parents[i]!);
    points.limitingMagnitude[at] = limit;
  }
}
