// What marks hold of alerts as the stream carries it: columns and lists that filters read, and rows of the table `marks`.
// Called by ingest/enrich/marks.ts and past.ts.
import type { Block, Column, ListColumn } from "../../domain/columns.js";
import { markOperand } from "../../domain/mark.js";
import { takeRows } from "../../domain/rows.js";
import type { Holding } from "./held.js";

/** The columns area.<name> and skymap.<name>, and the list columns watch.<name>.*, for the alerts that were asked for. */
export function markColumns(holdings: readonly Holding[]): {
  columns: Map<string, Column>;
  lists: Map<string, ListColumn>;
} {
  const columns = new Map<string, Column>();
  const lists = new Map<string, ListColumn>();
  for (const holding of holdings) {
    const { mark, level, distance } = holding;
    const name = markOperand(mark);
    if (level === null) {
      for (const [field, list] of Object.entries(fieldsOf(holding))) lists.set(`${name}.${field}`, list);
    } else if (mark.kind === "AREA") {
      columns.set(name, { type: "Bool", values: Uint8Array.from(level, (of) => Number(of === 1)), nulls: null });
    } else {
      columns.set(name, withMissing(level));
      for (const [field, values] of Object.entries(distance!))
        columns.set(`${name}.distance.${field}`, withMissing(values));
    }
  }
  return { columns, lists };
}

/** NaN is missing. */
function withMissing(values: Float64Array): Column {
  const nulls = Uint8Array.from(values, (of) => Number(Number.isNaN(of)));
  return { type: "Float64", values: values.map((of) => (Number.isNaN(of) ? 0 : of)), nulls };
}

/** By field of the list watch.<name>. */
function fieldsOf({ list, matches }: Holding): Record<"name" | "separationArcsec" | "ra" | "dec", ListColumn> {
  const { ends, rows, separationArcsec } = matches!;
  const { names, ra, dec } = list!;
  const floats = (values: Float64Array): ListColumn => ({ ends, items: { type: "Float64", values, nulls: null } });
  return {
    name: { ends, items: { type: "String", values: Array.from(rows, (row) => names.of(row)), nulls: null } },
    separationArcsec: floats(separationArcsec),
    ra: floats(Float64Array.from(rows, (row) => ra[row]!)),
    dec: floats(Float64Array.from(rows, (row) => dec[row]!)),
  };
}

/** Rows of `marks`: one for each alert and mark that holds it. `alerts` has objectId, jd and candid. */
export function markRows(alerts: Block, holdings: readonly Holding[]): Block {
  const taken: number[] = [];
  const contents: string[] = [];
  const levels: number[] = [];
  const distances = { mean: [] as number[], sigma: [] as number[] };
  const counts: number[] = [];
  const lists = { name: [] as string[], separationArcsec: [] as number[], ra: [] as number[], dec: [] as number[] };
  for (const { content, list, matches, level, distance } of holdings) {
    for (let row = 0; row < alerts.rows; row++) {
      const [from, to] = matches === null ? [0, 0] : [row === 0 ? 0 : matches.ends[row - 1]!, matches.ends[row]!];
      if (level === null ? from === to : Number.isNaN(level[row]!)) continue;
      taken.push(row);
      contents.push(content);
      levels.push(level?.[row] ?? 1);
      distances.mean.push(distance?.mean[row] ?? Number.NaN);
      distances.sigma.push(distance?.sigma[row] ?? Number.NaN);
      counts.push(to - from);
      for (let at = from; at < to; at++) {
        const own = matches!.rows[at]!;
        lists.name.push(list!.names.of(own));
        lists.separationArcsec.push(matches!.separationArcsec[at]!);
        lists.ra.push(list!.ra[own]!);
        lists.dec.push(list!.dec[own]!);
      }
    }
  }
  const kept = ["objectId", "jd", "candid"].map((name) => [name, alerts.columns.get(name)!] as const);
  const { columns } = takeRows({ rows: alerts.rows, columns: new Map(kept) }, Uint32Array.from(taken));
  let end = 0;
  const ends = Uint32Array.from(counts, (count) => (end += count));
  const floats = (values: readonly number[]): ListColumn => ({
    ends,
    items: { type: "Float64", values: Float64Array.from(values), nulls: null },
  });
  return {
    rows: taken.length,
    columns: new Map<string, Column>([
      ...columns,
      ["content", { type: "String", values: contents, nulls: null }],
      ["level", { type: "Float64", values: Float64Array.from(levels), nulls: null }],
      ["distanceMean", { type: "Float64", values: Float64Array.from(distances.mean), nulls: null }],
      ["distanceSigma", { type: "Float64", values: Float64Array.from(distances.sigma), nulls: null }],
    ]),
    lists: new Map<string, ListColumn>([
      ["names", { ends, items: { type: "String", values: lists.name, nulls: null } }],
      ["separations", floats(lists.separationArcsec)],
      ["ras", floats(lists.ra)],
      ["decs", floats(lists.dec)],
    ]),
  };
}
