// Values of expressions for single alerts: annotations, and the reasons of an explanation. Called by backtest.ts.
import type { Block } from "../../domain/columns.js";
import type { ArchiveExpression, Value } from "../backtest.store.js";
import type { EnrichedArchive } from "./backtest.window.js";
import { bigints, numbers } from "./blocks.js";
import { enrichedAlerts } from "./enriched/source.js";
import { EVALUATION_SETTINGS } from "./evaluation.js";

type Row = readonly (Value | readonly Value[])[];

export async function valuesOf(
  { client, sources, survey, table, visible }: EnrichedArchive,
  candids: readonly bigint[],
  expressions: readonly ArchiveExpression[],
): Promise<Map<bigint, Row>> {
  const asked = { survey: survey.id, candids };
  // Their times first: the table is ordered by them, and the annexes are.
  const times = await client.query(
    `SELECT DISTINCT jd FROM alert_index WHERE survey = {survey:String} AND candid IN {candids:Array(Int64)}`,
    asked,
  );
  const jds = Array.from(numbers(times, "jd"));
  if (jds.length === 0) return new Map();
  const [startJd, endJd] = [jds.reduce((a, b) => Math.min(a, b)), jds.reduce((a, b) => Math.max(a, b)) + 1e-6];
  const window = {
    ...{ survey: survey.id, table, startJd, endJd },
    where: `jd IN {jds:Array(Float64)} AND candid IN {candids:Array(Int64)} AND ${visible.sql}`,
    parameters: { ...visible.parameters, jds, candids },
  };
  const columns = expressions.flatMap((expression) => expression.columns);
  const alerts = await enrichedAlerts(sources, window, columns);
  const list = expressions.map(({ sql }, n) => `${sql} AS __value${n}`);
  const block = await client.query(
    `SELECT candid AS __candid, ${list.join(", ")} FROM ${alerts.sql} SETTINGS max_threads = 1, ${EVALUATION_SETTINGS}`,
    alerts.parameters,
    alerts,
  );
  const readers = expressions.map((_, n) => readerOf(block, `__value${n}`));
  return new Map(Array.from(bigints(block, "__candid"), (candid, row) => [candid, readers.map((read) => read(row))]));
}

function readerOf(block: Block, name: string): (row: number) => Value | readonly Value[] {
  const list = block.lists?.get(name);
  if (list !== undefined) {
    const item = cellOf(list.items);
    return (row) => {
      const from = row === 0 ? 0 : list.ends[row - 1]!;
      return Array.from({ length: list.ends[row]! - from }, (_, n) => item(from + n));
    };
  }
  const column = block.columns.get(name);
  return column === undefined ? () => null : cellOf(column);
}

/** NaN is missing, as it is in filters. */
function cellOf({
  type,
  values,
  nulls,
}: {
  type: string;
  values: ArrayLike<number | bigint | string>;
  nulls: Uint8Array | null;
}) {
  return (row: number): Value => {
    const value = values[row]!;
    if (nulls?.[row] || Number.isNaN(value)) return null;
    return type === "Bool" ? value === 1 : value;
  };
}
