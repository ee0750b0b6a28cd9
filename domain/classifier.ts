// Trained models and what they say of alerts. Made by ingest/classifiers, stored by stores/scores.store.ts, shown by the API.
import type { Survey } from "./survey.js";

/**
 * active: its scores are operands of filters and shown. shadow: they are stored and shown only on demand, to be judged
 * first. retired: it does not run; what it said stays.
 */
export const MODEL_STATES = ["active", "shadow", "retired"] as const;
export type ModelState = (typeof MODEL_STATES)[number];

/** One version of a model, with where it comes from. */
export interface Model {
  readonly name: string;
  readonly version: string;
  readonly licence: string;
  readonly description: string;
  /** What it learned from. */
  readonly trainedOn: string;
  /** Figures as its maker measured them: numbers, and tables of numbers. */
  readonly quality: Readonly<Record<string, unknown>>;
  readonly surveys: readonly Survey[];
  /** In the order in which scores are stored. */
  readonly outputs: readonly string[];
  /** What `class.<name>` may be; empty where it gives no class. */
  readonly classes: readonly string[];
  /** Hex SHA-256 of its file. */
  readonly sha256: string;
  readonly state: ModelState;
  /** Why it does not run although its state says so; null where it does. */
  readonly suspended: string | null;
  /** How far it holds up the stream, where it regularly takes long for a batch; null where it does not. */
  readonly slow: string | null;
}

/** What one version of a model said of one alert. */
export interface AlertScores {
  readonly model: string;
  readonly version: string;
  /** Output → value; empty where it said nothing. */
  readonly outputs: Readonly<Record<string, number>>;
  readonly class: string | null;
  /** First 8 bytes of the SHA-256 of what it was given, little-endian; 0 where that could not be made. */
  readonly inputHash: bigint;
  /** Why there are no outputs; null where there are. */
  readonly reason: string | null;
  /** Made while the model was only watched. */
  readonly shadow: boolean;
  /** Epoch milliseconds. */
  readonly saidAt: number;
}
