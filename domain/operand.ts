// What filters may read besides an alert's own fields: values and lists that enrichment adds to it. Told by the rooms that
// make them (histories, catalogs, features, models, watch lists), read by filters/ and shown by filterFields.
import type { ElementType } from "./columns.js";
import type { Survey } from "./survey.js";

/** A value: column `name` of a batch's alerts, and of an archived alert when it is read for filters. */
export interface Operand {
  /** As filters write it: feature.g.peakMag, score.braai.drb. A field of a list: its own name only. */
  readonly name: string;
  readonly type: ElementType;
  readonly nullable: boolean;
  readonly unit: string | null;
  readonly description: string;
}

/** A list in each alert: one list column `${name}.${field.name}` for each field, all of the same lengths. */
export interface OperandList {
  /** detections, forced, match.gaia_dr3. */
  readonly name: string;
  readonly description: string;
  /** How its elements are ordered: detections by time, matches nearest first. */
  readonly order: "time" | "separation";
  readonly fields: readonly Operand[];
}

export interface Operands {
  readonly values: readonly Operand[];
  readonly lists: readonly OperandList[];
}

/** One room's operands. They may change while the service runs: a catalog arrives, a watch list goes. */
export interface OperandSource {
  operands(survey: Survey): Operands;
  /** The listener is called after each change; the function ends it. */
  onChange(listener: () => void): () => void;
}
