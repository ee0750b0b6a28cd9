// Positions in the notations that people type. Called by the API's scalars and by cli/.
import { TocsinError } from "./errors.js";

const DECIMAL = String.raw`\d{1,3}(?:\.\d*)?`;
const SECONDS = String.raw`\d{1,2}(?:\.\d*)?`;
/** "161.265 41.27", "161.265d, +41.27d". */
const DEGREES = new RegExp(`^([+-]?${DECIMAL})d?(?:\\s*,\\s*|\\s+|(?=[+-]))([+-]?${DECIMAL})d?$`);
/** Hours (or degrees with d) and degrees, each with minutes and seconds: colons, letters or spaces. */
const SEXAGESIMAL = new RegExp(
  String.raw`^(\d{1,3})(\s*:\s*|\s*[hd]\s*|\s+)(\d{1,2})(?:\s*:\s*|\s*m\s*|\s+)(${SECONDS})\s*s?` +
    String.raw`(?:\s*,\s*|\s+|(?=[+-]))` +
    String.raw`([+-]?)\s*(\d{1,2})(?:\s*:\s*|\s*d\s*|\s+)(\d{1,2})(?:\s*:\s*|\s*m\s*|\s+)(${SECONDS})\s*s?$`,
);
const LONGEST = 80;

function refuse(text: string, why: string): TocsinError {
  return new TocsinError("BAD_ARGUMENT", `${why}, found ${JSON.stringify(text.slice(0, LONGEST))}.`, {
    remedy: 'Write degrees ("161.265 +41.27") or sexagesimal hours and degrees ("10:45:03.6 +41:16:12").',
  });
}

/**
 * ICRS degrees of a position given as decimal degrees ("161.265, +41.27") or as sexagesimal hours and degrees
 * ("10:45:03.6 +41:16:08", "10h45m03.6s +41d16m08s", "10 45 03.6 +41 16 08"; "161d15m54s" is right ascension in degrees).
 * Right ascension 0 to 360 (360 becomes 0), declination -90 to 90; anything else is BAD_ARGUMENT.
 */
export function parsePosition(text: string): { ra: number; dec: number } {
  const plain = text
    .slice(0, LONGEST + 1)
    .trim()
    .toLowerCase()
    .replaceAll("\u2212", "-")
    .replaceAll("°", "d")
    .replaceAll(/['\u2032]/g, "m")
    .replaceAll(/["\u2033]/g, "s");
  if (text.length > LONGEST) throw refuse(text, `A position must be at most ${LONGEST} characters`);
  const degrees = DEGREES.exec(plain);
  if (degrees) return bounded(text, Number(degrees[1]), Number(degrees[2]));
  const parts = SEXAGESIMAL.exec(plain);
  if (!parts) throw refuse(text, "A position must be two angles in degrees or sexagesimal");
  const [, hours, unit, raMinutes, raSeconds, sign, deg, minutes, seconds] = parts;
  for (const part of [raMinutes, raSeconds, minutes, seconds]) {
    if (Number(part) >= 60) throw refuse(text, `Minutes and seconds must be below 60 (${part} is not)`);
  }
  // Whole seconds first: one rounding instead of three.
  const ra = (Number(hours) * 3600 + Number(raMinutes) * 60 + Number(raSeconds)) / (unit?.includes("d") ? 3600 : 240);
  const dec = (Number(deg) * 3600 + Number(minutes) * 60 + Number(seconds)) / 3600;
  return bounded(text, ra, sign === "-" ? -dec : dec);
}

function bounded(text: string, ra: number, dec: number): { ra: number; dec: number } {
  if (!(ra >= 0 && ra <= 360)) throw refuse(text, `Right ascension must be between 0 and 360 degrees (${ra} is not)`);
  if (!(dec >= -90 && dec <= 90)) throw refuse(text, `Declination must be between -90 and 90 degrees (${dec} is not)`);
  return { ra: ra === 360 ? 0 : ra, dec };
}
