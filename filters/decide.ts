// Which alerts of a batch pass which filters. Of a large batch in two steps: lists are sent to the engine only for alerts
// that are left when everything else has been looked at, mostly a few in a hundred. Called by run.ts.
import type { Block, Column } from "../domain/columns.js";
import type { InFlightQuery } from "../stores/inflight.store.js";
import { shapeOf } from "./alike.js";
import type { CompiledFilter } from "./compiled.js";
import { evaluate } from "./evaluate.js";

/** For each row that passed any: the filters it passed, in their order. Rows are in ascending order. */
export type Passes = ReadonlyMap<number, readonly CompiledFilter[]>;

export interface Decided {
  readonly passes: Passes;
  /** Reasons, by the texts that the engine could not evaluate; their filters pass nothing. */
  readonly refused: ReadonlyMap<string, string>;
}

/** So many alerts with their lists, and so many texts to plan, cost less than another query does. */
const FEW = { alerts: 200, shapes: 8 };

export async function decide(
  inFlight: InFlightQuery,
  alerts: Block,
  filters: readonly CompiledFilter[],
  fewAlerts = FEW.alerts,
): Promise<Decided> {
  const quickTexts = filters.flatMap(({ where }) => where.quick ?? []);
  const slowTexts = filters.flatMap(({ where }) => where.slow ?? []);
  const isSmall = alerts.rows <= fewAlerts && new Set(slowTexts.map(shapeOf)).size <= FEW.shapes;
  const quick = await evaluate(inFlight, alerts, isSmall ? [...quickTexts, ...slowTexts] : quickTexts);
  const everyRow = Uint32Array.from({ length: alerts.rows }, (_, row) => row);
  const left = filters.map(({ where }) => (where.quick ? rowsOf(quick.columns.get(where.quick.sql)) : everyRow));
  const asked = filters.flatMap(({ where }, i) =>
    where.slow && left[i]!.length > 0 ? [{ ...where, rows: left[i]! }] : [],
  );
  const [rows, slow] = isSmall ? [everyRow, quick] : await askedForLists();
  const indexOf = new Map(Array.from(rows, (row, i) => [row, i]));
  const holds = ({ where }: CompiledFilter, row: number) =>
    where.slow === null || slow.columns.get(where.slow.sql)?.values[indexOf.get(row)!] === 1;

  async function askedForLists() {
    const leftByAny = union(
      alerts.rows,
      asked.map((one) => one.rows),
    );
    const texts = asked.map((one) => one.slow!);
    return [leftByAny, await evaluate(inFlight, alerts, texts, leftByAny)] as const;
  }

  const byRow: CompiledFilter[][] = new Array(alerts.rows);
  filters.forEach((filter, i) => {
    for (const row of left[i]!) {
      if (holds(filter, row)) {
        byRow[row] ??= [];
        byRow[row].push(filter);
      }
    }
  });
  const passes = new Map<number, CompiledFilter[]>();
  byRow.forEach((passed, row) => {
    passes.set(row, passed);
  });
  return { passes, refused: new Map([...quick.refused, ...slow.refused]) };
}

/** Rows where a condition holds; none where it could not be evaluated. */
function rowsOf(column: Column | undefined): Uint32Array {
  const values = column?.values as Uint8Array | undefined;
  const rows: number[] = [];
  for (let row = values ? values.indexOf(1) : -1; row >= 0; row = values!.indexOf(1, row + 1)) rows.push(row);
  return Uint32Array.from(rows);
}

/** Rows that are in any of the sets, in ascending order. */
function union(rows: number, sets: readonly Uint32Array[]): Uint32Array {
  const isIn = new Uint8Array(rows);
  for (const set of sets) for (const row of set) isIn[row] = 1;
  return rowsOf({ type: "UInt8", values: isIn, nulls: null });
}
