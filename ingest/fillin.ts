// Values that a broken step left out, made after all by whoever makes values of archived alerts anew: crossmatch/rematch.ts,
// marks/past.ts and corrections/missed.ts.
import type { Block } from "../domain/columns.js";
import type { MissingBatch, MissingStore } from "../stores/missing.store.js";

export type Fillable = Pick<MissingStore, "open" | "alertsOf" | "filled">;

/** `make` makes the values of a batch's alerts (as MissingStore tells them), or says that it did not. */
export async function fillIn(
  missing: Fillable,
  step: string,
  make: (lacking: MissingBatch, alerts: Block) => Promise<boolean>,
): Promise<void> {
  for (const lacking of await missing.open(step)) {
    const { seen, alerts } = await missing.alertsOf(lacking);
    // A replica may be behind for moments.
    if (seen < lacking.alerts) continue;
    if (alerts.rows === 0 || (await make(lacking, alerts))) await missing.filled(lacking);
  }
}
