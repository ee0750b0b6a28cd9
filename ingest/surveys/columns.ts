// Reading decoded columns and making normalised ones. Called by the surveys' normalise.
import type { Block, NumberColumn, StringColumn } from "../../domain/columns.js";

/** A numeric column as 64-bit floats, exactly; NaN where missing. */
export function floats(block: Block, name: string): Float64Array {
  const { values, nulls } = block.columns.get(name) as NumberColumn;
  const numbers = new Float64Array(values);
  if (nulls !== null) for (let i = 0; i < numbers.length; i += 1) if (nulls[i] === 1) numbers[i] = Number.NaN;
  return numbers;
}

/** A 64-bit column with its missing values as 0. */
export function longs(block: Block, name: string): { values: BigInt64Array; nulls: Uint8Array } {
  const column = block.columns.get(name) as { values: BigInt64Array; nulls: Uint8Array };
  return column;
}

export const strings = (block: Block, name: string): readonly string[] =>
  (block.columns.get(name) as StringColumn).values;

/** A column of 64-bit floats in which NaN and infinities are missing values. */
export function nullableFloats(values: Float64Array): NumberColumn {
  const nulls = new Uint8Array(values.length);
  for (let i = 0; i < values.length; i += 1) {
    if (!Number.isFinite(values[i])) {
      nulls[i] = 1;
      values[i] = 0;
    }
  }
  return { type: "Float64", values, nulls };
}

export const texts = (values: readonly string[]): StringColumn => ({ type: "String", values, nulls: null });
export const bools = (values: Uint8Array): NumberColumn => ({ type: "Bool", values, nulls: null });

/** A column of texts in which the empty one is a missing value. */
export function nullableTexts(values: readonly string[]): StringColumn {
  const nulls = new Uint8Array(values.length);
  for (let i = 0; i < values.length; i += 1) if (values[i] === "") nulls[i] = 1;
  return { type: "String", values, nulls };
}
