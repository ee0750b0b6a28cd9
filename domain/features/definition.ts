// What a feature is: its name, type, unit and meaning, from which tables, operands, API types and docs are made.
// Used by the lists of features beside it.

export interface Feature<Name extends string = string> {
  /** Stable, camelCase; what filters write after `feature.` (and the band). */
  readonly name: Name;
  /** Float32 has 7 digits; times are Float64. String is the name of a band. */
  readonly type: "Float32" | "Float64" | "Int32" | "Bool" | "String";
  readonly unit: string | null;
  readonly description: string;
}

export const feature = <Name extends string>(
  name: Name,
  type: Feature["type"],
  unit: string | null,
  description: string,
): Feature<Name> => ({ name, type, unit, description });

/** Place of each feature in a list of values. */
export function places<Name extends string>(features: readonly Feature<Name>[]): Readonly<Record<Name, number>> {
  return Object.freeze(Object.fromEntries(features.map(({ name }, place) => [name, place])) as Record<Name, number>);
}
