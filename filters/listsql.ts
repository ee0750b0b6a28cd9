// The list functions as SQL: ClickHouse's higher-order functions over the list's columns. Called by compile.ts.
//
// What is missing is skipped by min, max, mean and sum: NULL in the array that they reduce. An aggregate of nothing is
// NULL (..OrNull). Conditions need no ifNull inside if(), where NULL stands for false as well.
import type { FilterField } from "./fields.js";
import type { Lambda } from "./lambda.js";
import { AND, asFloat64, asValue, atom, call, definite, type Sql, within } from "./sql.js";
import type { ListFunctionName, Typed } from "./typed.js";

type ListTyped = Typed & { op: "list" };

export interface ListParts {
  /** A new lambda over the list, one deeper than the place of the call. */
  lambda(): Lambda;
  compile(typed: Typed, lambda: Lambda): Sql;
  /** The column without a lambda around it. */
  array(field: FilterField): string;
}

export function listCall(typed: ListTyped, parts: ListParts): Sql {
  switch (typed.name) {
    case "has":
      return counted(typed, parts, "arrayExists", "notEmpty");
    case "every":
      return counted(typed, parts, "arrayAll", "empty");
    case "count":
      return { ...counted(typed, parts, "arrayCount", "length"), whole: true };
    case "min":
    case "max":
    case "mean":
    case "sum":
      return reduced(typed, parts);
    case "first":
    case "nearest":
      return chosen(typed, parts, "arrayFirstOrNull", 1);
    case "last":
      return chosen(typed, parts, "arrayLastOrNull", -1);
  }
}

function counted({ list, condition }: ListTyped, parts: ListParts, name: string, ofAll: string): Sql {
  if (!condition) return atom(`${ofAll}(${parts.array(list.counted)})`);
  const lambda = parts.lambda();
  return lambda.call(name, definite(parts.compile(condition, lambda)).text, {});
}

const AGGREGATES: Readonly<Partial<Record<ListFunctionName, string>>> = {
  min: "minOrNull",
  max: "maxOrNull",
  mean: "avgOrNull",
  sum: "sumOrNull",
};

function reduced({ name, value: valueTyped, condition }: ListTyped, parts: ListParts): Sql {
  const lambda = parts.lambda();
  const value = parts.compile(valueTyped!, lambda);
  const there = value.nan ? `NOT isNaN(${value.text})` : null;
  const wanted = condition ? within(parts.compile(condition, lambda), AND) : null;
  const guards = [wanted, there].filter((guard) => guard !== null).join(" AND ");
  const array =
    valueTyped!.op === "element" && guards === ""
      ? parts.array(valueTyped!.field)
      : lambda.call("arrayMap", guards === "" ? value.text : `if(${guards}, ${value.text}, NULL)`, {}).text;
  const aggregate = atom(`arrayReduce('${AGGREGATES[name]}', ${array})`, { nullable: true, infinite: value.infinite });
  // Sums of floats overflow to infinity; of both infinities there is no sum.
  if (name === "min" || name === "max") return { ...aggregate, whole: value.whole, float64: value.float64 };
  const float = asFloat64({ ...aggregate, float64: name === "mean" || !value.whole });
  return { ...float, infinite: !value.whole, nan: value.infinite };
}

function chosen({ value: valueTyped, condition }: ListTyped, parts: ListParts, name: string, index: number): Sql {
  const typed = valueTyped!;
  const lambda = parts.lambda();
  const value = asValue(parts.compile(typed, lambda));
  const known = {
    nullable: true,
    nan: value.nan,
    infinite: value.infinite,
    whole: value.whole,
    float64: value.float64,
  };
  const plain = typed.op === "element" ? typed.field : null;
  const array = plain ? parts.array(plain) : lambda.call("arrayMap", value.text, {}).text;
  if (!condition) return call("arrayElementOrNull", [atom(array), atom(String(index))], known);
  if (plain) return lambda.call(name, definite(parts.compile(condition, lambda)).text, known);
  const ofCondition = parts.lambda();
  return ofCondition.callOver(name, array, definite(parts.compile(condition, ofCondition)).text, known);
}
