// Time: Julian dates (UTC), ISO 8601, epoch milliseconds, and TAI of the surveys that use it.
// Called by ingest/, stores/, resolvers/ and cli/. Days are 86,400 s long, as in POSIX and ClickHouse: a leap second
// counts as the second after it. A JD as a 64-bit float is good to 40 microseconds.
import { TocsinError } from "./errors.js";

export const JD_OF_MJD_ZERO = 2_400_000.5;
const JD_OF_EPOCH = 2_440_587.5;
const DAY_MS = 86_400_000;
/** Days that a JavaScript Date reaches, either way from 1970. */
const DATE_DAYS = 1e8;
/** 1e12 days either way: whole days and their calendar stay exact integers. */
const FARTHEST = 1e12;

const bad = (message: string, remedy?: string) =>
  new TocsinError("BAD_ARGUMENT", message, remedy === undefined ? {} : { remedy });

export const mjdFromJd = (jd: number): number => jd - JD_OF_MJD_ZERO;

/** Whether it can be a time at all: NaN is none, nor is what no calendar reaches. */
export const isJd = (jd: number): boolean => Math.abs(jd) <= FARTHEST;

/** Milliseconds since 1970-01-01 UTC, to the nearest. */
export function epochMsFromJd(jd: number): number {
  const { day, ms } = split(jd);
  return day * DAY_MS + ms;
}

export function jdFromEpochMs(epochMs: number): number {
  const day = Math.floor(epochMs / DAY_MS);
  // Both terms are exact, so that the sum is rounded once.
  return day + JD_OF_EPOCH + (epochMs - day * DAY_MS) / DAY_MS;
}

/** Whole days since 1970-01-01 and milliseconds of the day. */
function split(jd: number): { day: number; ms: number } {
  if (!isJd(jd)) throw bad(`A Julian date must be a number within ${FARTHEST} days, found ${jd}.`);
  const days = jd - JD_OF_EPOCH;
  const day = Math.floor(days);
  const ms = Math.round((days - day) * DAY_MS);
  return ms === DAY_MS ? { day: day + 1, ms: 0 } : { day, ms };
}

/** Days since 1970-01-01 of a date of the proleptic Gregorian calendar; years counted from March, eras of 400. */
function dayOfDate(year: number, month: number, date: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const ofEra = y - era * 400;
  const ofYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + date - 1;
  return era * 146_097 + ofEra * 365 + Math.floor(ofEra / 4) - Math.floor(ofEra / 100) + ofYear - 719_468;
}

function dateOfDay(day: number): { year: number; month: number; date: number } {
  const shifted = day + 719_468;
  const era = Math.floor(shifted / 146_097);
  const ofEra = shifted - era * 146_097;
  const y = Math.floor(
    (ofEra - Math.floor(ofEra / 1460) + Math.floor(ofEra / 36_524) - Math.floor(ofEra / 146_096)) / 365,
  );
  const ofYear = ofEra - (365 * y + Math.floor(y / 4) - Math.floor(y / 100));
  const fromMarch = Math.floor((5 * ofYear + 2) / 153);
  const month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9;
  const date = ofYear - Math.floor((153 * fromMarch + 2) / 5) + 1;
  return { year: era * 400 + y + (month <= 2 ? 1 : 0), month, date };
}

const digits = (n: number, width: number): string => String(n).padStart(width, "0");

/**
 * ISO 8601 in UTC with milliseconds, "2023-10-12T03:04:05.678Z". Years outside 0000 to 9999 in the expanded form, with
 * sign and at least six digits.
 */
export function isoFromJd(jd: number): string {
  const { day, ms } = split(jd);
  // Within its range Date writes the same text, five times as fast.
  if (Math.abs(day) < DATE_DAYS) return new Date(day * DAY_MS + ms).toISOString();
  const { year, month, date } = dateOfDay(day);
  const plain = year >= 0 && year <= 9999;
  const years = plain ? digits(year, 4) : `${year < 0 ? "-" : "+"}${digits(Math.abs(year), 6)}`;
  const seconds = Math.floor(ms / 1000);
  const clock = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60].map((n) => digits(n, 2));
  return `${years}-${digits(month, 2)}-${digits(date, 2)}T${clock.join(":")}.${digits(ms % 1000, 3)}Z`;
}

const ISO =
  /^(\d{4}|[+-]\d{6,10})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2}(?:[.,]\d{1,12})?))?\s?(Z|[+-]\d{2}(?::?\d{2})?)?)?$/i;

/** JD (UTC) of an ISO 8601 date or date and time; without a zone it is UTC. */
export function jdFromIso(text: string): number {
  const match = text.length <= 64 ? ISO.exec(text.trim()) : null;
  if (!match)
    throw bad(`A time must be ISO 8601 such as "2023-10-12T03:04:05Z", found ${JSON.stringify(text.slice(0, 64))}.`);
  const [, years, months, dates, hours = "0", minutes = "0", secs = "0", zone = "Z"] = match;
  const [year, month, date] = [Number(years), Number(months), Number(dates)];
  const [hour, minute, second] = [Number(hours), Number(minutes), Number(secs.replace(",", "."))];
  const day = dayOfDate(year, month, date);
  const real = dateOfDay(day);
  // 60 s only where a leap second can be: at the end of a day.
  const secondOk = second < 60 || (second < 61 && hour === 23 && minute === 59);
  if (real.month !== month || real.date !== date || hour > 23 || minute > 59 || !secondOk) {
    throw bad(`There is no such date or time as ${JSON.stringify(text)}.`);
  }
  const offset = /^z$/i.test(zone) ? 0 : zoneMinutes(zone);
  return day + JD_OF_EPOCH + ((hour * 60 + minute - offset) * 60 + second) / 86_400;
}

function zoneMinutes(zone: string): number {
  const [hours, minutes] = [Number(zone.slice(1, 3)), Number(zone.slice(3).replace(":", ""))];
  if (hours > 23 || minutes > 59) throw bad(`There is no time zone ${JSON.stringify(zone)}.`);
  return (zone.startsWith("-") ? -1 : 1) * (hours * 60 + minutes);
}

const MARKED = /^(M?JD)\s*([+-]?\d{1,10}(?:\.\d{0,20})?)$/i;
const BARE = /^\d{1,10}(?:\.\d{0,20})?$/;
/** JD of the end of the year 9999: a bare 20231012 is a date without dashes, not a Julian date. */
const LAST_JD = 5_373_484.5;

/**
 * JD (UTC) of a time as people write it: ISO 8601 (UTC unless it names a zone), "JD 2460000.5", "MJD 60000.5", or a bare
 * number, which is a JD from 2,000,000 and an MJD from 10,000 to 100,000.
 */
export function parseTime(text: string | number): number {
  const plain = String(text).slice(0, 65).trim();
  const marked = MARKED.exec(plain);
  if (marked) {
    const jd = Number(marked[2]) + (marked[1]?.length === 3 ? JD_OF_MJD_ZERO : 0);
    if (!(jd >= 0 && jd <= LAST_JD)) throw bad(`A Julian date must lie between 0 and ${LAST_JD}, found "${plain}".`);
    return jd;
  }
  if (typeof text === "number" || BARE.test(plain)) {
    const n = Number(plain);
    if (n >= 2_000_000 && n <= LAST_JD) return n;
    if (n >= 10_000 && n <= 100_000) return n + JD_OF_MJD_ZERO;
    throw bad(
      `The number ${plain} is neither a JD (2,000,000 to ${LAST_JD}) nor an MJD (10,000 to 100,000).`,
      'Write ISO 8601 ("2023-10-12T03:04:05Z"), "JD 2460000.5" or "MJD 60000.5".',
    );
  }
  return jdFromIso(plain);
}

/** First UTC day (MJD) on which TAI - UTC has this many seconds, newest first (IERS Bulletin C). */
const LEAP_SECONDS: readonly (readonly [mjdUtc: number, seconds: number])[] = [
  [57754, 37],
  [57204, 36],
  [56109, 35],
  [54832, 34],
  [53736, 33],
  [51179, 32],
  [50630, 31],
  [50083, 30],
  [49534, 29],
  [49169, 28],
  [48804, 27],
  [48257, 26],
  [47892, 25],
  [47161, 24],
  [46247, 23],
  [45516, 22],
  [45151, 21],
  [44786, 20],
  [44239, 19],
  [43874, 18],
  [43509, 17],
  [43144, 16],
  [42778, 15],
  [42413, 14],
  [42048, 13],
  [41683, 12],
  [41499, 11],
  [41317, 10],
];

/** JD in UTC of an MJD in TAI (Rubin's times). Before 1972, when UTC had no leap seconds yet, 10 s are taken. */
export function utcJdFromTaiMjd(mjdTai: number): number {
  const [, seconds] = LEAP_SECONDS.find(([mjdUtc, s]) => mjdTai >= mjdUtc + s / 86_400) ?? [0, 10];
  return mjdTai - seconds / 86_400 + JD_OF_MJD_ZERO;
}
