// TimeWindow as JD, with its bounds checked. Used by every area whose queries take one.
import type { TimeWindow } from "../schema/alert/alert.input.js";
import { badArgument } from "./bounds.js";

const MINUTES_PER_DAY = 1_440;
/** A hundred years: longer than any survey. */
const MAX_MINUTES = 100 * 365.25 * MINUTES_PER_DAY;

/** `argument` names it in messages. Throws BAD_ARGUMENT. */
export function windowOf(argument: string, { start, minutes, end }: TimeWindow): { startJd: number; endJd: number } {
  if ((minutes == null) === (end == null)) {
    const found = end == null ? "neither" : "both";
    throw badArgument(`${argument} must have exactly one of minutes and end, found ${found}.`, { argument });
  }
  const length = minutes ?? ((end as number) - start) * MINUTES_PER_DAY;
  if (!(length > 0 && length <= MAX_MINUTES)) {
    const name = end == null ? "minutes" : "end";
    const bound = end == null ? `above 0 and at most ${MAX_MINUTES}` : "after start, by at most 100 years";
    throw badArgument(`${name} must be ${bound}, found ${minutes ?? "a window without any time in it or too long"}.`, {
      argument: `${argument}.${name}`,
    });
  }
  return { startJd: start, endJd: end ?? start + length / MINUTES_PER_DAY };
}
