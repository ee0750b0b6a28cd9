// Many compiled expressions over one block of alerts, in as few queries as the engine's bounds allow. Called by run.ts.
import type { Block, Column, ListColumn } from "../domain/columns.js";
import { TocsinError } from "../domain/errors.js";
import type { CompiledColumn, InFlightQuery } from "../stores/inflight.store.js";
import { absentColumn, absentList } from "./absent.js";
import type { CompiledExpression } from "./compile.js";

/**
 * SQL of one query: some 2,500 filters. The densest text (a sum of two-letter names) has 3 elements of a syntax tree in
 * 7 characters, which stays below the engine's bound (stores/archive/inflight.ts).
 */
const MAX_QUERY_CHARACTERS = 500_000;

/** Columns of results by the SQL text that made them. What the engine could not evaluate is missing, with the reason. */
export interface Evaluated {
  readonly columns: ReadonlyMap<string, Column>;
  readonly refused: ReadonlyMap<string, string>;
}

/** Equal texts are evaluated once. `keep` holds a 1 for each row of the block that is wanted; null for all rows. */
export async function evaluate(
  inFlight: InFlightQuery,
  block: Block,
  expressions: readonly CompiledExpression[],
  keep: Uint8Array | null,
): Promise<Evaluated> {
  const columns = new Map<string, Column>();
  const refused = new Map<string, string>();
  const distinct = [...new Map(expressions.map((expression) => [expression.sql, expression])).values()];

  async function select(part: readonly CompiledExpression[]): Promise<void> {
    const selected: CompiledColumn[] = part.map(({ sql }, i) => ({ alias: `__result${i}`, sql }));
    try {
      const result = await inFlight.select(sent(block, part, keep), selected, keep && KEEP);
      part.forEach(({ sql }, i) => {
        columns.set(sql, result.columns.get(`__result${i}`)!);
      });
    } catch (error) {
      // One text that the engine refuses must not stop the others: halve until it stands alone.
      if (!isRefusal(error)) throw error;
      if (part.length === 1) {
        refused.set(part[0]!.sql, error.message);
        return;
      }
      const half = part.length >> 1;
      await select(part.slice(0, half));
      await select(part.slice(half));
    }
  }

  for (const part of parts(distinct)) {
    await select(part);
  }
  return { columns, refused };
}

const KEEP = "__keep";

/** Only the columns that are read, and candid so that there is a row even where nothing is read. */
function sent(block: Block, expressions: readonly CompiledExpression[], keep: Uint8Array | null): Block {
  const { rows } = block;
  const columns = new Map<string, Column>();
  const lists = new Map<string, ListColumn>();
  const own = (name: string) => {
    const column = block.columns.get(name);
    if (!column) throw new TocsinError("INTERNAL", `The batch has no column ${name}.`);
    return column;
  };
  columns.set("candid", own("candid"));
  for (const field of expressions.flatMap((expression) => expression.fields)) {
    const { column: name, origin } = field;
    if (origin === "list") {
      if (!lists.has(name)) lists.set(name, block.lists?.get(name) ?? absentList(field, rows));
    } else if (!columns.has(name)) {
      columns.set(name, origin === "alert" ? own(name) : (block.columns.get(name) ?? absentColumn(field, rows)));
    }
  }
  if (keep) {
    columns.set(KEEP, { type: "UInt8", values: keep, nulls: null });
  }
  return { rows, columns, lists };
}

function* parts(expressions: readonly CompiledExpression[]): Generator<CompiledExpression[]> {
  let part: CompiledExpression[] = [];
  let characters = 0;
  for (const expression of expressions) {
    if (part.length > 0 && characters + expression.sql.length > MAX_QUERY_CHARACTERS) {
      yield part;
      part = [];
      characters = 0;
    }
    part.push(expression);
    characters += expression.sql.length;
  }
  if (part.length > 0) {
    yield part;
  }
}

/**
 * True where the engine answered, and the answer was about the text. False where it was lost or overloaded, or where the
 * fault is ours: then the batch must not go on without its hits.
 */
function isRefusal(error: unknown): error is TocsinError {
  if (!(error instanceof TocsinError) || error.details.engineCode === undefined) return false;
  return error.code === "INTERNAL" || error.code === "QUERY_TOO_LARGE";
}
