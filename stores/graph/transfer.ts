// The lines in which a whole graph travels: one JSON object each, a header, nodes, relationships, and a footer that proves
// them whole. Written by export.ts, read by import.ts.
import { createHash, type Hash } from "node:crypto";
import { TocsinError } from "../../domain/errors.js";
import type { Scalar } from "./graph.js";
import { KEYS } from "./migrations.js";
import type { Keys } from "./statements/transfer.js";

export type Value = Exclude<Scalar, null> | readonly string[] | readonly number[] | readonly boolean[];
export type Properties = Readonly<Record<string, Value>>;
type End = readonly [label: string, key: string];

export interface Header {
  readonly format: "tocsin-graph";
  readonly version: 1;
  /** Property that is the key of each label. */
  readonly keys: Keys;
}
/** Its key is among the properties. */
export interface NodeLine {
  readonly label: string;
  readonly properties: Properties;
}
export interface RelationshipLine {
  readonly type: string;
  readonly from: End;
  readonly to: End;
  readonly properties: Properties;
}
/** sha256: hexadecimal, of all lines before it, each with its line feed. */
export interface Footer extends Counts {
  readonly sha256: string;
}
export interface Counts {
  readonly nodes: number;
  readonly relationships: number;
}
export type Line = NodeLine | RelationshipLine;

/** Told now and then: lines written or stored so far, of how many in all. */
export type OnProgress = (done: number, total: number) => void;

/** Labels that travel. Each graph has its own record of migrations. */
export const LABELS: readonly string[] = Object.keys(KEYS)
  .filter((label) => label !== "Migration")
  .sort();
export const HEADER: Header = {
  format: "tocsin-graph",
  version: 1,
  keys: Object.fromEntries(LABELS.map((label) => [label, KEYS[label]!])),
};

/** Names of relationship types and properties: what may become Cypher text, or stand beside _from and _to. */
const TYPE = /^[A-Z][A-Z0-9_]{0,63}$/;
const PROPERTY = /^[A-Za-z][A-Za-z0-9_]{0,63}$/;

/** The same for both directions: what one engine would store differently from the other never travels. */
export const isType = (name: unknown): name is string => typeof name === "string" && TYPE.test(name);
export const isProperties = (value: unknown): value is Properties =>
  isRecord(value) && Object.entries(value).every(([name, inner]) => PROPERTY.test(name) && isValue(inner));
export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isScalar = (value: unknown): boolean =>
  typeof value === "string" ||
  typeof value === "boolean" ||
  (typeof value === "number" && Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value)));
const isValue = (value: unknown): boolean =>
  isScalar(value) ||
  (Array.isArray(value) && value.every((item) => isScalar(item) && typeof item === typeof (value as unknown[])[0]));

/** Properties by name, so that equal graphs make equal lines. */
export const sorted = (properties: Properties): Properties =>
  Object.fromEntries(Object.entries(properties).sort(([a], [b]) => (a < b ? -1 : 1)));

export const checksum = (): Hash => createHash("sha256");

export const badExport = (line: number, why: string): TocsinError =>
  new TocsinError("BAD_EXPORT", `Line ${line} of the export ${why}.`);
