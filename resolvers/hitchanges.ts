// What became of hits since they were sent: those that do not stand any more by the values of today. One look for all hits of
// a request.
import DataLoader from "dataloader";
import type { Hit } from "../domain/filter.js";
import type { HitChange } from "../stores/corrections.store.js";
import type { Context } from "./context.js";

const loaders = new WeakMap<Context, DataLoader<Hit, HitChange | null>>();

/** The withdrawal of a hit; null where it stands. */
export function withdrawalOf(context: Context, hit: Hit): Promise<HitChange | null> {
  const known = loaders.get(context);
  if (known !== undefined) return known.load(hit);
  const made = new DataLoader<Hit, HitChange | null>(async (hits) => {
    const changes = await context.stores.hitChecks.changes(hits);
    const byKey = new Map(changes.map((change) => [keyOf(change), change]));
    return hits.map((one) => {
      const change = byKey.get(keyOf(one));
      return change?.isWithdrawn ? change : null;
    });
  });
  loaders.set(context, made);
  return made.load(hit);
}

const keyOf = ({ filterId, filterVersion, survey, candid }: Omit<HitChange, "isWithdrawn" | "changedAt" | "because">) =>
  `${survey} ${candid} ${filterId} ${filterVersion}`;
