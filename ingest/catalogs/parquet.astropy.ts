// What astropy says of a table in a Parquet file beside the data: units, descriptions, and which columns are masks of
// others. Called by parquet.ts. Layout: astropy.io.misc.parquet.
import type { FileMetaData } from "hyparquet";
import { parse } from "yaml";
import { z } from "zod";
import type { Column } from "../../domain/columns.js";

const META = "table_meta_yaml";
const MASK = ".mask";

const written = z.object({
  datatype: z.array(
    z.object({
      name: z.string().or(z.number().transform(String)),
      datatype: z.string(),
      unit: z.string().nullish(),
      description: z.string().nullish(),
    }),
  ),
});

export interface AstropyTable {
  /** By column. */
  readonly told: ReadonlyMap<string, { readonly unit: string | null; readonly description: string }>;
  /** Columns that are true where the column beside them is missing, by that column. */
  readonly masks: ReadonlyMap<string, string>;
}

/** Nothing where another program wrote the file, or what it says cannot be read. */
export function astropyTable({ key_value_metadata }: FileMetaData): AstropyTable {
  const text = key_value_metadata?.find(({ key }) => key === META)?.value;
  const read = text === undefined ? null : written.safeParse(parsed(text));
  const columns = read?.success ? read.data.datatype : [];
  const names = new Set(columns.map(({ name }) => name));
  const masks = columns.filter(({ name, datatype }) => {
    return datatype === "bool" && name.endsWith(MASK) && names.has(name.slice(0, -MASK.length));
  });
  return {
    told: new Map(
      columns.map(({ name, unit, description }) => [name, { unit: unit ?? null, description: description ?? "" }]),
    ),
    masks: new Map(masks.map(({ name }) => [name.slice(0, -MASK.length), name])),
  };
}

function parsed(text: string): unknown {
  try {
    return parse(text, { logLevel: "silent" });
  } catch {
    return null;
  }
}

/** The column, missing where its mask is true as well. */
export function masked(column: Column, mask: ArrayLike<unknown>, start: number): Column {
  const { values, nulls } = column;
  const both = Uint8Array.from({ length: values.length }, (_, row) =>
    nulls?.[row] || mask[start + row] === true ? 1 : 0,
  );
  return { ...column, nulls: both };
}
