// The tree of an expression as written, before names and types are known. Made by the parser, read by the checker.
import type { Place } from "./problem.js";

export type CompareSign = "=" | "!=" | "<" | "<=" | ">" | ">=";
export type ArithmeticSign = "+" | "-" | "*" | "/";

/** `let name = value;` The place is the name's. */
export interface LetPart extends Place {
  readonly name: string;
  readonly value: Node;
}

export type Node = Place &
  (
    | { readonly kind: "number"; readonly text: string }
    | { readonly kind: "text"; readonly value: string }
    | { readonly kind: "truth"; readonly value: boolean }
    | { readonly kind: "name"; readonly name: string }
    | { readonly kind: "call"; readonly name: string; readonly nameEnd: number; readonly args: readonly Node[] }
    | { readonly kind: "or" | "and"; readonly operands: readonly Node[] }
    | { readonly kind: "not"; readonly operand: Node }
    | { readonly kind: "negate"; readonly operand: Node }
    | { readonly kind: "compare"; readonly sign: CompareSign; readonly left: Node; readonly right: Node }
    | { readonly kind: "arithmetic"; readonly sign: ArithmeticSign; readonly left: Node; readonly right: Node }
    | {
        readonly kind: "between";
        readonly negated: boolean;
        readonly value: Node;
        readonly low: Node;
        readonly high: Node;
      }
    | { readonly kind: "in"; readonly negated: boolean; readonly value: Node; readonly list: readonly Node[] }
    | { readonly kind: "isNull"; readonly negated: boolean; readonly value: Node }
  );
