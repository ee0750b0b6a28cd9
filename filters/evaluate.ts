// Many compiled expressions over one block of alerts, in as few queries as the engine's bounds allow. Called by run.ts.
import type { Block, Column, ListColumn } from "../domain/columns.js";
import { TocsinError } from "../domain/errors.js";
import { takeRows } from "../domain/rows.js";
import type { CompiledColumn, InFlightQuery } from "../stores/inflight.store.js";
import { absentColumn, absentList } from "./absent.js";
import { apart, together } from "./alike.js";
import type { CompiledExpression } from "./compile.js";
import { slowTexts, TOO_SLOW } from "./slowtexts.js";

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

/** Equal texts are evaluated once, over these rows of the block in their order, or over all. */
export async function evaluate(
  inFlight: InFlightQuery,
  block: Block,
  expressions: readonly CompiledExpression[],
  rows: Uint32Array | null = null,
): Promise<Evaluated> {
  const columns = new Map<string, Column>();
  const refused = new Map<string, string>();
  const distinct = [...new Map(expressions.map((expression) => [expression.sql, expression])).values()].filter(
    ({ sql }) => {
      const isSlow = slowTexts.has(inFlight, sql);
      if (isSlow) refused.set(sql, TOO_SLOW);
      return !isSlow;
    },
  );

  async function select(part: readonly CompiledExpression[]): Promise<void> {
    const read = sent(block, part, rows);
    const asked = together(part, read);
    const selected: CompiledColumn[] = asked.map(({ sql }, i) => ({ alias: `__result${i}`, sql }));
    try {
      const result = await inFlight.select(read, selected);
      asked.forEach((one, i) => {
        for (const [sql, column] of apart(one, selected[i]!.alias, result)) columns.set(sql, column);
      });
    } catch (error) {
      // One text that the engine refuses must not stop the others: halve until it stands alone.
      const isSlow = tookTooLong(error);
      if (!isSlow && !isRefusal(error)) throw error;
      if (part.length === 1) {
        const [{ sql }] = part as [CompiledExpression];
        if (isSlow) {
          // Where the engine is slow with everything, this throws: then it is no fault of the text, and the batch waits.
          await inFlight.select(sent(block, [], rows), [{ alias: "__control", sql: "candid" }]);
          slowTexts.add(inFlight, sql);
        }
        refused.set(sql, isSlow ? TOO_SLOW : (error as TocsinError).message);
        return;
      }
      const half = part.length >> 1;
      await select(part.slice(0, half));
      await select(part.slice(half));
    }
  }

  const triedAgain = new Set(distinct.filter(({ sql }) => slowTexts.isTriedAgain(inFlight, sql)));
  for (const part of parts(distinct.filter((expression) => !triedAgain.has(expression)))) {
    await select(part);
  }
  for (const expression of triedAgain) {
    await select([expression]);
    if (!refused.has(expression.sql)) slowTexts.remove(inFlight, expression.sql);
  }
  return { columns, refused };
}

/** Only the columns that are read, and candid so that there is a row even where nothing is read. */
function sent(block: Block, expressions: readonly CompiledExpression[], rows: Uint32Array | null): Block {
  const columns = new Map<string, Column>([["candid", ownColumn(block, "candid")]]);
  const lists = new Map<string, ListColumn>();
  for (const field of expressions.flatMap((expression) => expression.fields)) {
    const { column: name, origin } = field;
    if (origin === "list") {
      if (!lists.has(name)) lists.set(name, block.lists?.get(name) ?? absentList(field, block.rows));
    } else if (!columns.has(name)) {
      const known = origin === "alert" ? ownColumn(block, name) : block.columns.get(name);
      columns.set(name, known ?? absentColumn(field, block.rows));
    }
  }
  const read = { rows: block.rows, columns, lists };
  return rows ? takeRows(read, rows) : read;
}

function ownColumn(block: Block, name: string): Column {
  const column = block.columns.get(name);
  if (!column) throw new TocsinError("INTERNAL", `The batch has no column ${name}.`);
  return column;
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

/** ClickHouse's codes of a query that it stopped because of its time, or did not begin. */
const TOO_LONG: readonly unknown[] = [159, 160];

const tookTooLong = (error: unknown): boolean =>
  error instanceof TocsinError && TOO_LONG.includes(error.details.engineCode);

/**
 * True where the engine answered, and the answer was about the text. False where it was lost or overloaded, or where the
 * fault is ours: then the batch must not go on without its hits.
 */
function isRefusal(error: unknown): error is TocsinError {
  if (!(error instanceof TocsinError) || error.details.engineCode === undefined) return false;
  return error.code === "INTERNAL" || error.code === "QUERY_TOO_LARGE";
}
