// The bounds of arguments, checked before any store is called. Every resolver with arguments uses them.
import { TocsinError } from "../domain/errors.js";
import { type Cone, MAX_RADIUS_ARCSEC } from "../domain/skyobject.js";
import { DEFAULT_PAGE, MAX_PAGE } from "../schema/paging/bounds.js";

/** Characters of an expression, a changelog or any other long text. */
export const MAX_TEXT = 10_000;
/** Characters of a name, an id or a designation. */
export const MAX_NAME = 200;

export const badArgument = (message: string, details: Record<string, unknown> = {}): TocsinError =>
  new TocsinError("BAD_ARGUMENT", message, { details });

const format = (n: number) => n.toLocaleString("en-US");

/** `first` of a page, 100 where it is absent. */
export function pageSize(first: number | null | undefined): number {
  const rows = first ?? DEFAULT_PAGE;
  if (rows < 1 || rows > MAX_PAGE) {
    throw badArgument(`first must be from 1 to ${format(MAX_PAGE)}, found ${rows}.`, { argument: "first" });
  }
  return rows;
}

/** A text of 1 to `longest` characters. */
export function text(argument: string, value: string, longest: number): string {
  if (value.length < 1 || value.length > longest) {
    const message = `${argument} must have from 1 to ${format(longest)} characters, found ${format(value.length)}.`;
    throw badArgument(message, { argument });
  }
  return value;
}

/** A list of `fewest` to `most` items. */
export function list<T>(argument: string, items: readonly T[], most: number, fewest = 0): readonly T[] {
  if (items.length < fewest || items.length > most) {
    const message = `${argument} must have from ${fewest} to ${format(most)} items, found ${format(items.length)}.`;
    throw badArgument(message, { argument });
  }
  return items;
}

/** A cone within the bounds of the sky and of radiusArcsec; ra 360 becomes 0. */
export function cone({ ra, dec, radiusArcsec }: Cone): Cone {
  if (!(ra >= 0 && ra <= 360)) throw badArgument(`ra must be from 0 to 360 degrees, found ${ra}.`, { argument: "ra" });
  if (!(dec >= -90 && dec <= 90)) {
    throw badArgument(`dec must be from -90 to 90 degrees, found ${dec}.`, { argument: "dec" });
  }
  if (!(radiusArcsec > 0 && radiusArcsec <= MAX_RADIUS_ARCSEC)) {
    const bound = `above 0 and at most ${format(MAX_RADIUS_ARCSEC)} arcsec (10 degrees)`;
    throw badArgument(`radiusArcsec must be ${bound}, found ${radiusArcsec}.`, { argument: "radiusArcsec" });
  }
  return { ra: ra === 360 ? 0 : ra, dec, radiusArcsec };
}

const INT64_MAX = 2n ** 63n - 1n;
/** Whether a store's Int64 column can hold the id: what is beyond it exists nowhere. */
export const isInt64 = (id: bigint): boolean => id <= INT64_MAX;
