// The list functions of the filter language in plain JavaScript, element by element. Called by filter.ts.
import type { Node } from "../../filters/syntax.js";
import type { Element, Row, Value } from "./filtervalues.js";

export const LIST_NAMES: ReadonlySet<string> = new Set([
  "has",
  "every",
  "count",
  "min",
  "max",
  "mean",
  "sum",
  "first",
  "last",
  "nearest",
]);

/** `of` evaluates a node for an element. */
export function evaluateList(
  { name, args }: Node & { kind: "call" },
  alert: Row,
  of: (node: Node, element: Element) => Value,
): Value {
  const [list, second, third] = args;
  const elements = alert[(list as Node & { kind: "name" }).name] as readonly Element[];
  const takesValue = !["has", "every", "count"].includes(name);
  const condition = takesValue ? third : second;
  const kept = elements.filter((element) => condition === undefined || of(condition, element) === true);
  switch (name) {
    case "has":
      return kept.length > 0;
    case "every":
      return kept.length === elements.length;
    case "count":
      return kept.length;
    case "first":
    case "nearest":
      return kept.length === 0 ? null : of(second!, kept[0]!);
    case "last":
      return kept.length === 0 ? null : of(second!, kept.at(-1)!);
    default:
      return aggregate(
        name,
        kept.map((element) => of(second!, element)).filter((value) => value !== null),
      );
  }
}

function aggregate(name: string, values: readonly Value[]): Value {
  if (values.length === 0) return null;
  const numbers = values.map(Number);
  // From the first to the last: sums of floats depend on the order.
  const sum = numbers.reduce((total, number) => total + number, 0);
  const result = { min: Math.min(...numbers), max: Math.max(...numbers), sum, mean: sum / numbers.length }[name]!;
  return Number.isNaN(result) ? null : result;
}
