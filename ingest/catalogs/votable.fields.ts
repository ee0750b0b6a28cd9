// FIELD elements of a VOTable: names, types and how wide their values are. Called by votable.ts and votable.binary.ts.
import type { ElementType } from "../../domain/columns.js";

export interface Field {
  readonly name: string;
  /** Null for arrays and complex numbers; a single bit is a truth value. */
  readonly type: ElementType | null;
  readonly unit: string | null;
  description: string;
  readonly datatype: string;
  /** Elements of each value; null where each value tells its own number. */
  readonly length: number | null;
  /** Text that stands for a missing value. */
  missing: string | null;
}

const TYPES: Readonly<Record<string, ElementType>> = {
  boolean: "Bool",
  bit: "Bool",
  unsignedByte: "UInt8",
  short: "Int16",
  int: "Int32",
  long: "Int64",
  float: "Float32",
  double: "Float64",
};

export function fieldOf(attributes: Readonly<Record<string, string>>, place: number): Field {
  const { datatype = "char", arraysize, unit, name, ID } = attributes;
  const isText = datatype === "char" || datatype === "unicodeChar";
  // "3x4", "*", "12*", "2x*": a star at the end is a length that values tell.
  const sizes = (arraysize ?? "1").split("x").map((part) => part.trim());
  const length = sizes.some((part) => part.endsWith("*")) ? null : sizes.reduce((all, part) => all * Number(part), 1);
  const isOne = length === 1;
  return {
    name: name ?? ID ?? `col${place + 1}`,
    type: isText ? (sizes.length === 1 ? "String" : null) : isOne ? (TYPES[datatype] ?? null) : null,
    unit: unit === undefined || unit.trim() === "" ? null : unit.trim(),
    description: "",
    datatype,
    length,
    missing: null,
  };
}
