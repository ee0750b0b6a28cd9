// A checked part of an expression, and what parts of one kind have in common. Called by checker.ts and its rooms.
import type { FilterField, FilterList, Kind } from "./fields.js";
import type { Place } from "./problem.js";
import type { Node } from "./syntax.js";
import type { Typed } from "./typed.js";

export interface Part {
  readonly typed: Typed;
  readonly node: Node;
  /** Unit of a number, null where none is known. */
  readonly unit: string | null;
  /** Value of a whole number written out, exact beyond 2^53: it becomes an id beside an id. */
  readonly whole: bigint | null;
  /** How messages call it. */
  readonly shown: string;
}

/** What the rooms of the checker ask of it. Answers are null where a problem was noted. */
export interface Checking {
  part(node: Node): Part | null;
  /** `user` is the operator or function that needs the kind. */
  ofKind(node: Node, kind: Kind, user: string): Part | null;
  problem(place: Place, message: string): null;
  warning(place: Place, message: string): void;
  /** Another text over the same alerts, which knows nothing of this one. */
  apart(text: string): Apart;
  /** Names are those of the list's elements meanwhile. */
  inside<T>(list: FilterList, check: () => T): T;
}

/** What a text by itself comes to; null, with the reason, where it is not valid. */
export interface Apart {
  readonly part: Part | null;
  readonly problem: string | null;
  readonly fieldsRead: ReadonlySet<string>;
  /** List functions inside one another. */
  readonly depth: number;
}

export const A_KIND: Readonly<Record<Kind, string>> = {
  number: "a number",
  text: "text",
  truth: "a truth value",
  id: "a 64-bit id",
};

export function made(node: Node, typed: Typed, shown?: string): Part {
  return { node, typed, unit: null, whole: null, shown: shown ?? "this" };
}

export function all(parts: readonly (Part | null)[]): parts is readonly Part[] {
  return parts.every((part) => part !== null);
}

export function typedOf(parts: readonly Part[]): Typed[] {
  return parts.map((part) => part.typed);
}

/** The kind that decides for all: an id where there is one, else the first part's. */
export function kindOfAll(parts: readonly Part[]): Kind {
  return parts.some((part) => part.typed.kind === "id") ? "id" : parts[0]!.typed.kind;
}

const MIN_ID = -(2n ** 63n);
const MAX_ID = 2n ** 64n - 1n;

/** False, with a problem noted, where the parts cannot stand beside one another. */
export function oneKind(checking: Checking, parts: readonly Part[], user: string): boolean {
  const kind = kindOfAll(parts);
  const first = parts.find((part) => part.typed.kind === kind);
  for (const part of parts) {
    if (part.typed.kind !== kind && !(kind === "id" && isWhole(part))) {
      checking.problem(part.node, mismatch(first!, part, user));
      return false;
    }
    if (kind === "id" && part.whole !== null && (part.whole < MIN_ID || part.whole > MAX_ID)) {
      checking.problem(part.node, `${part.shown} does not fit into 64 bits; no id is like this`);
      return false;
    }
  }
  return true;
}

export function asKind(parts: readonly Part[], kind: Kind): Typed[] {
  return parts.map(({ typed, whole }) =>
    kind === "id" && whole !== null ? { op: "id", kind: "id", value: whole } : typed,
  );
}

/** The unit that the parts share, or the first of several with a warning. */
export function commonUnit(checking: Checking, parts: readonly Part[], user: string, place: Place): string | null {
  const known = parts.filter((part) => part.unit !== null);
  const first = known[0];
  const other = known.find((part) => part.unit !== first?.unit);
  if (first && other) {
    checking.warning(place, `${user} mixes ${first.unit} (${first.shown}) with ${other.unit} (${other.shown})`);
  }
  return first?.unit ?? null;
}

function isWhole({ whole, typed }: Part): boolean {
  return whole !== null || ((typed.op === "field" || typed.op === "element") && isWholeColumn(typed.field));
}

function isWholeColumn(field: FilterField): boolean {
  return field.kind === "number" && !field.columnType.startsWith("Float");
}

function mismatch(first: Part, other: Part, user: string): string {
  const found = `${user} between ${first.shown} (${A_KIND[first.typed.kind]}) and ${other.shown} (${A_KIND[other.typed.kind]})`;
  const kinds = new Set([first.typed.kind, other.typed.kind]);
  if (kinds.has("id")) {
    return `${found}; an id compares with ids and whole numbers, written without quotes, point or exponent`;
  }
  if (kinds.has("truth")) {
    const truth = first.typed.kind === "truth" ? first : other;
    return `${found}; a truth value stands alone: ${truth.shown}, or not ${truth.shown}`;
  }
  const [number, text] = first.typed.kind === "number" ? [first, other] : [other, first];
  return number.typed.op === "number" && (text.typed.op === "field" || text.typed.op === "element")
    ? `${found}; text compares with text in single quotes: '${number.shown}'`
    : `${found}; both must be of one kind`;
}
