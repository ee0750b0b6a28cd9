// A stored filter, ready to run. Made by active.ts once per version, run by run.ts.
import { TocsinError } from "../domain/errors.js";
import type { Filter } from "../domain/filter.js";
import { type Checked, checkCondition, checkExpression } from "./check.js";
import { type CompiledExpression, compileValue } from "./compile.js";
import type { FieldTable, Kind } from "./fields.js";
import { compileInTwo, type TwoParts } from "./twoparts.js";
import type { Typed } from "./typed.js";

export interface CompiledAnnotation extends CompiledExpression {
  readonly name: string;
  readonly kind: Kind;
}
export interface CompiledFilter {
  readonly id: string;
  readonly version: number;
  /** The condition holds where both hold; null where there is no such part. */
  readonly where: TwoParts;
  readonly annotations: readonly CompiledAnnotation[];
}

/** A filter that cannot run, with the reason for people. */
export interface BrokenFilter {
  readonly filterId: string;
  readonly message: string;
}

/** The version in force. Throws BAD_EXPRESSION where its text is not valid (any more). */
export function compileFilter(filter: Filter, fields: FieldTable): CompiledFilter {
  const version = filter.versions.at(-1);
  if (!version) {
    throw new TocsinError("INTERNAL", `Filter ${filter.id} has no version.`);
  }
  const where = valid(checkCondition(version.where, fields), "where");
  return {
    id: filter.id,
    version: version.number,
    where: compileInTwo(where.typed),
    annotations: version.annotations.map(({ name, expression }) => {
      const checked = valid(checkExpression(expression, fields), `annotation ${name}`);
      return { name, kind: checked.typed.kind, ...compileValue(checked.typed) };
    }),
  };
}

function valid(checked: Checked, part: string): Checked & { readonly typed: Typed } {
  const { typed, problems } = checked;
  if (!typed) {
    const { line, column, message } = problems[0]!;
    throw new TocsinError("BAD_EXPRESSION", `${part}, line ${line}, column ${column}: ${message}`);
  }
  return { ...checked, typed };
}
