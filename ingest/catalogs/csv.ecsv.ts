// The header of an ECSV file: YAML in comment lines. Called by csv.ts.
import { parse } from "yaml";
import { z } from "zod";
import type { ElementType } from "../../domain/columns.js";
import { badCatalog, type TableColumn } from "./table.js";

const header = z.object({
  delimiter: z.string().max(1).optional(),
  datatype: z
    .array(
      z.object({
        name: z.string().or(z.number().transform(String)),
        datatype: z.string(),
        subtype: z.unknown().optional(),
        unit: z.string().nullish(),
        description: z.string().nullish(),
      }),
    )
    .min(1),
});

/** Types as ECSV names them. Half floats are read as single ones; complex numbers and objects are not read. */
const TYPES: Readonly<Record<string, ElementType>> = {
  bool: "Bool",
  int8: "Int8",
  int16: "Int16",
  int32: "Int32",
  int64: "Int64",
  uint8: "UInt8",
  uint16: "Int32",
  uint32: "UInt32",
  uint64: "UInt64",
  float16: "Float32",
  float32: "Float32",
  float64: "Float64",
  string: "String",
};

/** The comment lines with which the file begins. */
export function ecsvHeader(lines: readonly string[], file: string): { delimiter: string; columns: TableColumn[] } {
  const text = lines
    .map((line) => line.replace(/^# ?/, ""))
    .filter((line) => !line.startsWith("%ECSV") && line.trim() !== "---")
    .join("\n");
  // Times and other objects of astropy carry tags (!astropy.…) that mean nothing here.
  const read = header.safeParse(parsed(text, file));
  if (!read.success) {
    const issue = read.error.issues[0]!;
    throw badCatalog(`its ECSV header cannot be used: ${issue.path.join(".")}: ${issue.message}.`, { file });
  }
  return {
    delimiter: read.data.delimiter ?? " ",
    columns: read.data.datatype.map(({ name, datatype, subtype, unit, description }) => ({
      name,
      type: subtype === undefined ? (TYPES[datatype] ?? null) : null,
      unit: unit ?? null,
      description: description ?? "",
    })),
  };
}

function parsed(text: string, file: string): unknown {
  try {
    return parse(text, { logLevel: "silent" });
  } catch (error) {
    throw badCatalog(`its ECSV header is not YAML: ${(error as Error).message}`, { file }, undefined, error);
  }
}
