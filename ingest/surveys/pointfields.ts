// Tables of the fields of points, written one a line: name, column, type, unit ("-" for none), description; and the common
// ones that every survey's lists have. Called by the surveys' lists of fields.
import type { ElementType } from "../../domain/columns.js";
import type { PointColumn, PointField } from "../../domain/survey.js";

const LINE = /^(\S+)\s+(\S+)\s+(\S+)\s+(\S+)\s+(.+)$/;

export function pointTable(text: string): PointField[] {
  return text
    .trim()
    .split("\n")
    .map((line) => {
      const [, name, column, type, unit, description] = LINE.exec(line.trim())!;
      return {
        name: name!,
        column: column!,
        type: type as ElementType,
        unit: unit === "-" ? null : unit!,
        description: description!,
      };
    });
}

const TIMED = `
jd             jd             Float64 d    Time of the exposure, Julian date, UTC.
band           band           String  -    Filter band.
programid      programid      Int32   -    Rights of the point: 1 public.
`;
const FLUXES = `
flux           flux           Float64 nJy  Difference flux, negative where fainter than the reference.
fluxError      fluxError      Float64 nJy  1-sigma error of flux.
snr            snr            Float64 -    |flux| / fluxError.
isPositive     isPositive     Bool    -    True where the difference is brighter than the reference.
`;

/** The common fields of each list. */
export const COMMON_POINT_FIELDS = {
  detections: pointTable(`${TIMED.trim()}
candid         pointId        Int64   -    The survey's id of the detection, its alert's candid.
magnitude      magnitude      Float64 mag  AB magnitude of the absolute difference flux.
magnitudeError magnitudeError Float64 mag  1-sigma error of magnitude.
${FLUXES.trim()}`),
  nonDetections: pointTable(`${TIMED.trim()}
limitingMagnitude limitingMagnitude Float64 mag Expected 5-sigma limit of the difference image.`),
  forced: pointTable(`${TIMED.trim()}
${FLUXES.trim()}
magnitude      magnitude      Float64 mag  AB magnitude of |flux| where snr is 3 or more.
magnitudeError magnitudeError Float64 mag  1-sigma error of magnitude, to first order.`),
};

/** A survey's fields of a list: the common ones, and its own, which stand for themselves where the name is the same. */
export function withOwn(common: readonly PointField[], own: readonly PointField[]): PointField[] {
  const names = new Set(own.map(({ name }) => name));
  return [...common.filter(({ name }) => !names.has(name)), ...own];
}

/** Columns that fields name as `<survey>_<name>`, and places; `told` are those that packets may tell anew. */
export function ownColumns(
  survey: string,
  fields: readonly PointField[],
  told: readonly string[] = [],
): readonly PointColumn[] {
  const own = fields.filter(({ column }) => column === "ra" || column === "dec" || column.startsWith(`${survey}_`));
  return own.map(({ column, type }) => ({ name: column, type, isFixed: !told.includes(column) }));
}
