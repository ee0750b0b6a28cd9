// Nights of a survey, by which its topics, receipts and latencies are told apart. Called by ingest/, stores/ and resolvers/.
import { TocsinError } from "./errors.js";

const JD_OF_EPOCH = 2_440_587.5;
const DAY_MS = 86_400_000;
/** 0000-01-01 and 9999-12-31: whatever lies before or after belongs to these. */
const FIRST_DAY = -719_528;
const LAST_DAY = 2_932_896;

export interface Night {
  /** YYYYMMDD. */
  readonly name: string;
  /** [start, end) as JD UTC. */
  readonly startJd: number;
  readonly endJd: number;
}

/** Whole days of a time since that of 1970-01-01. `offsetHours`: SurveyDescription.nightOffsetHours. */
export function nightNumber(jd: number, offsetHours: number): number {
  const day = Math.floor(jd - zeroOf(offsetHours));
  return Math.min(Math.max(day, FIRST_DAY), LAST_DAY);
}

/** YYYYMMDD of nightNumber's days. */
export const nightName = (day: number): string => new Date(day * DAY_MS).toISOString().slice(0, 10).replaceAll("-", "");

/** JD at which the night of this number begins. */
export const nightStart = (day: number, offsetHours: number): number => day + zeroOf(offsetHours);

export const nightOf = (jd: number, offsetHours: number): string => nightName(nightNumber(jd, offsetHours));

/** Throws BAD_ARGUMENT where `name` is no date written YYYYMMDD. */
export function nightNamed(name: string, offsetHours: number): Night {
  const [, year, month, date] = /^(\d{4})(\d{2})(\d{2})$/.exec(name) ?? [];
  const day = Date.parse(`${year}-${month}-${date}T00:00:00Z`) / DAY_MS;
  if (Number.isNaN(day) || nightName(day) !== name) {
    const found = JSON.stringify(name.slice(0, 20));
    throw new TocsinError("BAD_ARGUMENT", `night must be a date written YYYYMMDD, found ${found}.`, {
      details: { argument: "night" },
    });
  }
  const start = day + zeroOf(offsetHours);
  return {
    name,
    startJd: day === FIRST_DAY ? Number.NEGATIVE_INFINITY : start,
    endJd: day === LAST_DAY ? Number.POSITIVE_INFINITY : start + 1,
  };
}

/** JD at which the night of 1970-01-01 begins. */
const zeroOf = (offsetHours: number): number => JD_OF_EPOCH + offsetHours / 24;
