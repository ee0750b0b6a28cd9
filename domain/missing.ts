// Values that enrichment could not add to alerts, and why. Told by ingest/enrich, kept by stores/missing.store.ts, shown by
// the API.
import { POINT_LISTS } from "./photometry.js";

export const MISSING_CODES = {
  STEP_FAILED: "The step, or this part of it, broke over the whole batch.",
  MODEL_FAILED: "The model gave no answer for the whole batch.",
  MODEL_SUSPENDED: "The model has failed too often and runs no more until its state is set.",
  NO_ANSWER: "The model said nothing of this alert: an input is missing, or its answer was no number.",
  NOT_RUN: "The model did not run when the alert came: it was added or activated later, or had been retired.",
} as const;
export type MissingCode = keyof typeof MISSING_CODES;

/** What a batch lacks of a step. */
export interface MissingStep {
  /** The step's name, as each batch keeps its version: features, crossmatch. */
  readonly step: string;
  /** A catalog, a model, or a mark as filters write it (watch.mine); null: all that the step adds. */
  readonly part: string | null;
  readonly code: MissingCode;
  /** For people: by reasonOf. */
  readonly reason: string;
  /** For the log alone. */
  readonly cause?: unknown;
}

/** What an alert lacks, or has lacked. */
export interface MissingValues extends Omit<MissingStep, "cause"> {
  /** When the step failed; epoch milliseconds. */
  readonly since: number;
  /** When the values were made after all, in epoch milliseconds; null: they are missing. */
  readonly filledAt: number | null;
}

const MAX_REASON = 300;
/** Parts of one step that are told one by one. */
const MAX_PARTS = 50;
const REMOVED = "…";
/** Addresses, secrets and places on disk, in this order. */
const UNTOLD = [
  /\b[a-z][a-z\d+.-]*:\/\/\S+/gi,
  /\b(?:password|passwd|token|secret|api_?key)\b["']?\s*[=:]\s*\S+/gi,
  /\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?/g,
  /(?:\b[A-Za-z]:)?(?:[\\/][^\s\\/:'"`,;()<>]+){2,}[\\/]?/g,
];

/** What a fault says, fit to be told: its first line, without addresses, secrets and paths, at most 300 characters. */
export function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const [line = ""] = message.trim().split(/[\r\n]/, 1);
  // Of a longer one nothing is shown that has not been looked through.
  const told = UNTOLD.reduce((text, untold) => text.replace(untold, REMOVED), line.slice(0, 10 * MAX_REASON));
  if (told === "") return "It did not say why.";
  return told.length <= MAX_REASON ? told : `${told.slice(0, MAX_REASON - 1)}${REMOVED}`;
}

/** A step, or a part of it, that broke. */
export const stepFailed = (step: string, part: string | null, error: unknown): MissingStep => ({
  ...{ step, part, code: "STEP_FAILED", reason: reasonOf(error), cause: error },
});

/** As they are kept: a step of which very many parts are missing as one. */
export function boundedMissing(missing: readonly MissingStep[]): MissingStep[] {
  return [...new Set(missing.map(({ step }) => step))].flatMap((step): MissingStep[] => {
    const parts = missing.filter((one) => one.step === step);
    if (parts.length <= MAX_PARTS) return parts;
    return [{ step, part: null, code: parts[0]!.code, reason: `${parts.length} of its parts failed.` }];
  });
}

/** Steps whose values readers put together from what was told: in the archive they are never missing. */
export const READ_ANEW: ReadonlySet<string> = new Set(["history", "counterparthistory"]);

/** An operand of filters, and what has to work for it. */
export interface OperandOrigin {
  /** As filters write it; of a list without its fields: match.gaia_dr3. */
  readonly operand: string;
  readonly step: string;
  readonly part: string | null;
}

const isPointList = (name: string): boolean => POINT_LISTS.some(([list]) => list === name);

/** Of a column that a compiled text reads; null: the alert's own. */
export function originOf(column: string): OperandOrigin | null {
  const [first, second, third] = column.split(".");
  if (second === undefined) return null;
  if (first === "feature") return { operand: column, step: "features", part: null };
  if (first === "score" || first === "class") return { operand: column, step: "scores", part: second };
  if (first === "match") return { operand: `match.${second}`, step: "crossmatch", part: second };
  if (first === "watch" || first === "area" || first === "skymap") {
    return { operand: `${first}.${second}`, step: "marks", part: `${first}.${second}` };
  }
  if (isPointList(first!)) return { operand: first!, step: "history", part: null };
  if (third !== undefined && isPointList(second)) {
    return { operand: `${first}.${second}`, step: "counterparthistory", part: null };
  }
  return null;
}
