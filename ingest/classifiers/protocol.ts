// What the service and the scorer's process say to each other. Used by scorer.ts (the service) and scorer.child.ts.
import type { Survey } from "../../domain/survey.js";
import type { Manifest } from "./manifest.js";

/** Values in the service's process, made of columns; cutouts are made in the other one, of packets. */
export type PreparedInput =
  | { readonly kind: "tensor"; readonly values: Float32Array; readonly shape: readonly number[] }
  | { readonly kind: "cutouts" };

export interface ModelWork {
  /** name and version. */
  readonly key: string;
  readonly file: string;
  readonly manifest: Manifest;
  /** In the manifest's order; shapes are those of one row. */
  readonly inputs: readonly PreparedInput[];
  /** 1 where a row has all that the prepared inputs must have. */
  readonly usable: Uint8Array;
}

/** Alerts of one survey to be scored. */
export interface Job {
  readonly kind: "job";
  readonly provider: Provider;
  readonly survey: Survey;
  readonly rows: number;
  /** Empty where no model wants cutouts. `schemas` are Avro texts. */
  readonly packets: readonly { readonly bytes: Uint8Array; readonly schema: number }[];
  readonly schemas: readonly string[];
  readonly models: readonly ModelWork[];
}

export const PROVIDERS = ["cpu", "cuda"] as const;
export type Provider = (typeof PROVIDERS)[number];

/** What one model said of the rows of a job. */
export interface Scored {
  /** rows x outputs; NaN throughout a row that has a reason. */
  readonly values: Float32Array;
  /** Text of why a row has no values; null where it has. */
  readonly reasons: readonly (string | null)[];
  readonly hashes: BigUint64Array;
  /** How long it took, without loading the model. */
  readonly ms: number;
  /** The model's batch is fixed to one alert. */
  readonly oneByOne: boolean;
}

export type Answer =
  /** Now at work on this; each has its own time. */
  | { readonly kind: "begin"; readonly phase: Phase }
  | { readonly kind: "scored"; readonly key: string; readonly scored: Scored }
  | { readonly kind: "failed"; readonly key: string; readonly message: string }
  | { readonly kind: "end" };

/** Reading cutouts, or the key of a model. */
export type Phase = { readonly cutouts: true } | { readonly key: string };
