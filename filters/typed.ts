// The tree of an expression after checking: every name resolved, every part of one kind. Made by check.ts only, and the
// only thing that compile.ts accepts: text of a user reaches SQL as a parsed literal or not at all.
import type { FilterField, FilterList, Kind } from "./fields.js";
import type { ArithmeticSign, CompareSign } from "./syntax.js";

export type ScalarName =
  | "abs"
  | "sqrt"
  | "exp"
  | "ln"
  | "log10"
  | "pow"
  | "floor"
  | "ceil"
  | "round"
  | "least"
  | "greatest"
  | "coalesce"
  | "if"
  | "separation"
  | "magnitudeOf"
  | "fluxOf"
  | "startsWith"
  | "contains";

export type ListFunctionName =
  | "has"
  | "every"
  | "count"
  | "min"
  | "max"
  | "mean"
  | "sum"
  | "first"
  | "last"
  | "nearest";

export type Typed =
  | { readonly op: "number"; readonly kind: "number"; readonly value: number }
  | { readonly op: "id"; readonly kind: "id"; readonly value: bigint }
  | { readonly op: "text"; readonly kind: "text"; readonly value: string }
  | { readonly op: "truth"; readonly kind: "truth"; readonly value: boolean }
  | { readonly op: "field"; readonly kind: Kind; readonly field: FilterField }
  /** Of the element that the innermost list function around it looks at. */
  | { readonly op: "element"; readonly kind: Kind; readonly field: FilterField }
  | {
      readonly op: "list";
      readonly kind: Kind;
      readonly name: ListFunctionName;
      readonly list: FilterList;
      readonly value: Typed | null;
      readonly condition: Typed | null;
    }
  | { readonly op: "or" | "and"; readonly kind: "truth"; readonly operands: readonly Typed[] }
  | { readonly op: "not"; readonly kind: "truth"; readonly operand: Typed }
  | { readonly op: "negate"; readonly kind: "number"; readonly operand: Typed }
  | {
      readonly op: "arithmetic";
      readonly kind: "number";
      readonly sign: ArithmeticSign;
      readonly left: Typed;
      readonly right: Typed;
    }
  | {
      readonly op: "compare";
      readonly kind: "truth";
      readonly sign: CompareSign;
      readonly left: Typed;
      readonly right: Typed;
    }
  | {
      readonly op: "between";
      readonly kind: "truth";
      readonly negated: boolean;
      readonly value: Typed;
      readonly low: Typed;
      readonly high: Typed;
    }
  | {
      readonly op: "in";
      readonly kind: "truth";
      readonly negated: boolean;
      readonly value: Typed;
      readonly list: readonly Typed[];
    }
  | { readonly op: "isMissing"; readonly kind: "truth"; readonly negated: boolean; readonly value: Typed }
  | { readonly op: "call"; readonly kind: Kind; readonly name: ScalarName; readonly args: readonly Typed[] };
