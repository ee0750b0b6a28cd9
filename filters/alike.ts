// Conditions that differ in their numbers only, as filters made from one example do: the engine plans them once and gives
// a list of their results. Called by evaluate.ts.
import type { Block, Column } from "../domain/columns.js";
import { type CompiledExpression, parameterName } from "./compile.js";

/** One column of a query, and the expressions whose results it holds. */
export interface Asked {
  readonly sql: string;
  readonly members: readonly CompiledExpression[];
}

/** Within a list of results everything that is read exists once for each member: rows and list items times members. */
const MOST_ITEMS = 1_000_000;

/** Every expression once; `block` is what they will be evaluated over. */
export function together(expressions: readonly CompiledExpression[], block: Block): Asked[] {
  const items = Math.max(block.rows, ...[...(block.lists ?? new Map()).values()].map(({ ends }) => ends.at(-1) ?? 0));
  const most = Math.max(1, Math.floor(MOST_ITEMS / Math.max(1, items)));
  const alike = new Map<string, CompiledExpression[]>();
  for (const expression of expressions) {
    const shape = shapeOf(expression);
    alike.set(shape, [...(alike.get(shape) ?? []), expression]);
  }
  return [...alike.values()].flatMap((members) => pieces(members, most).map(asked));
}

/** The same for those that are planned once. */
export const shapeOf = (expression: CompiledExpression): string => expression.shape?.sql ?? expression.sql;

function asked(members: readonly CompiledExpression[]): Asked {
  const [first] = members as [CompiledExpression];
  const { shape } = first;
  if (members.length === 1 || shape === undefined) return { sql: first.sql, members };
  const names = shape.numbers.map((_, at) => parameterName(at));
  const lists = shape.numbers.map(
    (_, at) => `[${members.map((member) => member.shape!.numbers[at]!.text).join(", ")}]`,
  );
  return { sql: `arrayMap((${names.join(", ")}) -> ${shape.sql}, ${lists.join(", ")})`, members };
}

/** Results of the members, by their own texts. */
export function apart({ members }: Asked, alias: string, result: Block): [string, Column][] {
  const single = result.columns.get(alias);
  if (single !== undefined) return [[members[0]!.sql, single]];
  const all = result.lists!.get(alias)!.items.values as Uint8Array;
  return members.map(({ sql }, at) => {
    const values = new Uint8Array(result.rows);
    for (let row = 0; row < values.length; row += 1) values[row] = all[row * members.length + at]!;
    return [sql, { type: "UInt8", values, nulls: null }];
  });
}

function pieces<T>(items: readonly T[], most: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / most) }, (_, n) => items.slice(n * most, (n + 1) * most));
}
