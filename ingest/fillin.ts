// Values that a broken step left out, made after all by whoever makes values of archived alerts anew: crossmatch/rematch.ts
// and marks/past.ts.
import type { Block } from "../domain/columns.js";
import type { MissingBatch, MissingStore } from "../stores/missing.store.js";

export type Fillable = Pick<MissingStore, "open" | "alertsOf" | "filled">;

/** `make` makes the values of a batch's alerts (objectId, jd, candid, ra, dec; by time), or says that it did not. */
export async function fillIn(
  missing: Fillable,
  step: string,
  make: (lacking: MissingBatch, alerts: Block) => Promise<boolean>,
): Promise<void> {
  for (const lacking of await missing.open(step)) {
    const alerts = await missing.alertsOf(lacking);
    // A replica may be behind for moments.
    if (alerts.rows < lacking.alerts) continue;
    if (await make(lacking, alerts)) await missing.filled(lacking);
  }
}
