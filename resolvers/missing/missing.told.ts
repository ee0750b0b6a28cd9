// What an alert lacks, as a viewer may be told: of batches' broken steps, and of models that said nothing of it. Called by
// missing.resolver.ts.
import type { Alert } from "../../domain/alert.js";
import { MARK_PREFIX, type MarkKind, markOperand } from "../../domain/mark.js";
import type { MissingValues } from "../../domain/missing.js";
import { epochMsFromJd } from "../../domain/time.js";
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

/** Models that are alerts' own, and make no fit of most. */
const OWN_MODELS = ["microlensing"];

/** Why an alert has no scores of a model of which there is neither an answer nor a fault; null where it has. */
export async function notRun(
  { loaders }: Context,
  { survey, candid, objectId, jd }: LackingAlert,
  model: string,
): Promise<MissingValues | null> {
  const scores = await loaders.scores.load({ survey, candid, objectId, jd, shadow: true });
  if (OWN_MODELS.includes(model) || scores.some((one) => one.model === model)) return null;
  const clock = await loaders.clock.load({ survey, id: candid });
  const since = clock?.filteredAt ?? clock?.storedAt ?? epochMsFromJd(jd);
  const reason = `${model} did not run when the alert came`;
  return { step: "scores", part: model, code: "NOT_RUN", reason, since, filledAt: null };
}

/** Models are everybody's to know, catalogs while they are matched with, marks as their owners share them. */
function mayBeTold({ services, viewer }: Context, { step, part }: MissingValues): boolean {
  if (part === null) return true;
  if (step === "crossmatch") return services.matchedCatalogs?.().some(({ name }) => name === part) ?? false;
  if (step !== "marks") return true;
  const kinds = Object.keys(MARK_PREFIX) as MarkKind[];
  return kinds.some((kind) => services.marks?.desk.list(viewer, kind).some((mark) => markOperand(mark) === part));
}
