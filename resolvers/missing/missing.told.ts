// What an alert lacks, as a viewer may be told: of batches' broken steps, and of models that said nothing of it. Called by
// missing.resolver.ts.
import type { Alert } from "../../domain/alert.js";
import { MARK_PREFIX, type MarkKind, markOperand } from "../../domain/mark.js";
import type { MissingValues } from "../../domain/missing.js";
import type { Context } from "../context.js";

export type LackingAlert = Pick<Alert, "survey" | "candid" | "objectId" | "jd">;

/** Also what has been filled in since. `shadow`: of models that were only watched too. */
export async function missingOf(
  context: Context,
  { survey, candid, objectId, jd }: LackingAlert,
  shadow: boolean,
): Promise<MissingValues[]> {
  const { loaders } = context;
  const [ofBatch, scores] = await Promise.all([
    loaders.missing.load({ survey, id: candid }),
    loaders.scores.load({ survey, candid, objectId, jd, shadow }),
  ]);
  const told = (ofBatch ?? []).filter((missing) => mayBeTold(context, missing));
  const known = new Set(told.flatMap(({ step, part }) => (step === "scores" ? [part] : [])));
  for (const { model, reason } of scores) if (reason === null) known.add(model);
  for (const { model, reason, saidAt } of scores) {
    if (reason === null || known.has(model)) continue;
    known.add(model);
    told.push({ step: "scores", part: model, code: "NO_ANSWER", reason, since: saidAt, filledAt: null });
  }
  return told;
}

/** Models are everybody's to know, catalogs while they are matched with, marks as their owners share them. */
function mayBeTold({ services, viewer }: Context, { step, part }: MissingValues): boolean {
  if (part === null) return true;
  if (step === "crossmatch") return services.matchedCatalogs?.().some(({ name }) => name === part) ?? false;
  if (step !== "marks") return true;
  const kinds = Object.keys(MARK_PREFIX) as MarkKind[];
  return kinds.some((kind) => services.marks?.desk.list(viewer, kind).some((mark) => markOperand(mark) === part));
}
