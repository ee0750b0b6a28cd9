// Why hits do not stand any more: at once where a sky map was retracted, else once their filters have been run again.
import DataLoader from "dataloader";
import { Ctx, FieldResolver, Resolver, Root } from "type-graphql";
import { TocsinError } from "../../domain/errors.js";
import type { Hit } from "../../domain/filter.js";
import { type Mark, markOperand } from "../../domain/mark.js";
import { lookupCost } from "../../schema/cost.js";
import { FilterHitType } from "../../schema/hit/hit.type.js";
import type { Context } from "../context.js";
import { withdrawalOf } from "../hitchanges.js";

@Resolver(() => FilterHitType)
export class HitMarkResolver {
  @FieldResolver(() => String, {
    nullable: true,
    complexity: lookupCost,
    description:
      "Why the hit does not stand any more: the sky map that was retracted since, without which the alert does not pass, or what was corrected of it (withdrawnAt). Null where it stands.",
  })
  async withdrawnBecause(@Root() { hit }: Pick<FilterHitType, "hit">, @Ctx() context: Context): Promise<string | null> {
    return (await loaderOf(context).load(hit)) ?? (await withdrawalOf(context, hit))?.because ?? null;
  }
}

const loaders = new WeakMap<Context, DataLoader<Hit, string | null>>();

function loaderOf(context: Context): DataLoader<Hit, string | null> {
  const known = loaders.get(context);
  if (known !== undefined) return known;
  const made = new DataLoader<Hit, string | null>((hits) => withdrawals(context, hits));
  loaders.set(context, made);
  return made;
}

/** For each hit the reason, or null. Asks the archive only for filters whose text names a retracted map. */
export async function withdrawals(context: Context, hits: readonly Hit[]): Promise<(string | null)[]> {
  const { services, stores, viewer } = context;
  const retracted = (services.marks?.desk.list(viewer, "SKYMAP") ?? []).filter(({ state }) => state === "RETRACTED");
  if (retracted.length === 0) return hits.map(() => null);
  const filters = await stores.filters.byIds([...new Set(hits.map(({ filterId }) => filterId))]);
  const groups = new Map<string, { where: string; marks: Mark[]; of: number[] }>();
  for (const [n, hit] of hits.entries()) {
    const version = filters.get(hit.filterId)?.versions.find(({ number }) => number === hit.filterVersion);
    const marks = retracted.filter(
      (mark) => hit.passedAt <= mark.changedAt && namesIn(version?.where ?? "").has(markOperand(mark)),
    );
    if (version === undefined || marks.length === 0) continue;
    const key = `${hit.survey} ${marks.map(({ id }) => id)} ${version.where}`;
    const group = groups.get(key) ?? { where: version.where, marks, of: [] };
    groups.set(key, group);
    group.of.push(n);
  }
  const reasons = hits.map((): string | null => null);
  for (const { where, marks, of } of groups.values()) {
    const { survey } = hits[of[0]!]!;
    const candids = [...new Set(of.map((n) => hits[n]!.candid))];
    const stands = await passing(context, survey, where, candids);
    const reason = `${marks.map(markOperand).join(", ")} was retracted`;
    for (const n of of) if (stands !== null && !stands.has(hits[n]!.candid)) reasons[n] = reason;
  }
  return reasons;
}

const namesIn = (text: string): Set<string> => new Set(Array.from(text.matchAll(/\bskymap\.\w+/g), ([name]) => name));

/** Those that pass now; null where the text is not valid any more. */
async function passing(
  { services, stores, viewer }: Context,
  survey: Hit["survey"],
  where: string,
  candids: readonly bigint[],
): Promise<Set<bigint> | null> {
  try {
    const condition = services.design.condition(survey, where);
    const values = await stores.backtest.values(viewer, survey, candids, [condition]);
    return new Set([...values].flatMap(([candid, [value]]) => (value === true || value === 1 ? [candid] : [])));
  } catch (error) {
    if (error instanceof TocsinError && error.code === "BAD_EXPRESSION") return null;
    throw error;
  }
}
