// Parameters that Grafeo and Neo4j treat differently are refused the same way on both. Called by the two adapters.
import { TocsinError } from "../../domain/errors.js";

/** `{key: r.key, n: $n}` of a MERGE, as written in the catalogue. */
const MERGE_KEYS = /\bMERGE\b[^{}]*?\{([^}]*)\}/g;
const UNWOUND = /\bUNWIND \$(\w+) AS (\w+)/g;
const sources = new Map<string, readonly string[]>();

/**
 * Throws BAD_ARGUMENT for: null in a key of a MERGE (Grafeo would merge a node without key), a list that is nested, mixed
 * or holds nulls, a map inside a row (Grafeo would store them), a number that is no finite double or no safe integer, and
 * any other type. `undefined` counts as null.
 */
export function checkParams(text: string, params: object): void {
  for (const [name, value] of Object.entries(params)) checkParam(name, value);
  for (const source of mergeKeys(text)) {
    const [name, field] = source.split(".") as [string, string?];
    const value: unknown = Reflect.get(params, name);
    const keys = field === undefined ? [value] : (value as Record<string, unknown>[]).map((row) => row[field]);
    if (keys.some((key) => key === null || key === undefined))
      refuse(source, "is the key of a MERGE and may not be null");
  }
}

/** Parameters that feed the keys of MERGE: "id" for $id, "rows.key" for r.key after UNWIND $rows AS r. */
function mergeKeys(text: string): readonly string[] {
  const known = sources.get(text);
  if (known) return known;
  const lists = new Map([...text.matchAll(UNWOUND)].map(([, list, row]) => [row!, list!]));
  const found = [...text.matchAll(MERGE_KEYS)].flatMap(([, body]) =>
    body!.split(",").flatMap((pair) => {
      const expression = pair.split(":")[1]!.trim();
      if (expression.startsWith("$")) return [expression.slice(1)];
      const [row, field] = expression.split(".") as [string, string?];
      const list = lists.get(row);
      if (list === undefined) return [];
      return [field === undefined ? list : `${list}.${field}`];
    }),
  );
  sources.set(text, found);
  return found;
}

const isMap = (value: unknown): value is object => typeof value === "object" && value !== null && !Array.isArray(value);

function checkParam(name: string, value: unknown): void {
  if (!Array.isArray(value)) checkScalar(name, value);
  else if (value.every(isMap)) for (const row of value) checkRow(name, row);
  else checkList(name, value);
}

function checkRow(list: string, row: object): void {
  for (const [field, value] of Object.entries(row)) {
    if (Array.isArray(value)) checkList(`${list}.${field}`, value);
    else checkScalar(`${list}.${field}`, value);
  }
}

function checkList(name: string, list: readonly unknown[]): void {
  const first = typeof list[0];
  for (const item of list) {
    if (item === null || item === undefined) refuse(name, "is a list with a null in it");
    checkScalar(name, item);
    if (typeof item !== first) refuse(name, "is a list of several types");
  }
}

function checkScalar(name: string, value: unknown): void {
  if (value === null || value === undefined || typeof value === "string" || typeof value === "boolean") return;
  if (typeof value !== "number") {
    refuse(name, `is ${Array.isArray(value) ? "a list" : `of type ${typeof value}`}, which a graph cannot hold there`);
  }
  if (!Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value))) {
    refuse(name, `is the number ${value}, which a graph cannot hold exactly; give it as text`);
  }
}

function refuse(name: string, why: string): never {
  throw new TocsinError("BAD_ARGUMENT", `The graph parameter ${name} ${why}.`);
}
