// The statement that reads one primitive value at position p and stores it into row r of a column. Called by generate.ts.
import type { ElementType } from "../../domain/columns.js";
import type { AvroNode } from "./schema.js";

const INT = "x = b[p++]; if (x < 128) x = (x >>> 1) ^ -(x & 1); else { x = readInt(b, p - 1); p = at.end; }";
const BOOLEAN = `x = b[p++]; if (!(x < 2)) fail("a truth value is neither 0 nor 1");`;

/**
 * Null where values of this kind do not fit the column. Numbers widen (int, long, float, double); a double in a Float32
 * column is rounded, a long in a 32-bit column must fit or the packet is malformed. Integers and truth values become text.
 */
export function storeCode(kind: AvroNode["kind"], type: ElementType, index: number, symbols: string): string | null {
  const cell = `v[${index}][r]`;
  const isFloat = type === "Float32" || type === "Float64";
  const isBig = type === "Int64" || type === "UInt64";
  if (type === "String") {
    if (kind === "string") return `${cell} = readString(b, p, r > 0 ? v[${index}][r - 1] : ""); p = at.end;`;
    // objectId as a long, isdiffpos as a truth value: written as text, exactly.
    if (kind === "int" || kind === "long") return `${cell} = readBigInt(b, p).toString(); p = at.end;`;
    if (kind === "boolean") return `${BOOLEAN} ${cell} = x === 1 ? "true" : "false";`;
    if (kind !== "enum") return null;
    return `x = ${symbols}[readNumber(b, p)]; p = at.end; if (x === undefined) fail("an enum has no such symbol"); ${cell} = x;`;
  }
  switch (kind) {
    case "boolean":
      return isBig ? null : `${BOOLEAN} ${cell} = x;`;
    case "int":
      if (isBig) return `${INT} v[${index}][2 * r] = x; v[${index}][2 * r + 1] = x >> 31;`;
      return type === "Bool" ? `${INT} ${cell} = x === 0 ? 0 : 1;` : `${INT} ${cell} = x;`;
    case "long":
      if (isBig) return `p = readLong(b, p, v[${index}], 2 * r);`;
      if (type === "Bool") return `${cell} = readNumber(b, p) === 0 ? 0 : 1; p = at.end;`;
      return `${cell} = ${isFloat ? "readNumber" : "readInt"}(b, p); p = at.end;`;
    case "float":
      return isFloat ? `${cell} = d.getFloat32(p, true); p += 4;` : null;
    case "double":
      return isFloat ? `${cell} = d.getFloat64(p, true); p += 8;` : null;
    default:
      return null;
  }
}
