// What one process at a time may load: a name is claimed while the work on it goes on, by a lease where processes share the
// archive. Called by cli/catalogs.ts and cli/lightcurves.loaded.ts.
import { TocsinError } from "../domain/errors.js";
import type { NamedLease } from "../stores/lease.store.js";

/** A process that has died lets go after so long. */
export const CLAIM_SECONDS = 30;
const RENEW_MS = 5_000;

export interface Claims {
  /**
   * Work on what has this name ("catalog gaia") while nobody else does. The work's signal is the caller's, and is aborted too
   * where another process has taken over: this one was frozen for longer than a claim lasts.
   * @throws TocsinError LOAD_IN_PROGRESS, which says who works on it; and what the work throws.
   */
  during<T>(name: string, signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T>;
}

/** `leaseOf`: null where no other process can write to the archive. */
export function createClaims(
  leaseOf: ((name: string) => NamedLease | Promise<NamedLease>) | null,
  renewMs = RENEW_MS,
): Claims {
  const own = new Set<string>();
  return {
    async during(name, signal, work) {
      if (own.has(name)) throw claimed(name, `this one, ${process.pid}`);
      own.add(name);
      try {
        return leaseOf === null ? await work(signal) : await leased(await leaseOf(name), renewMs, name, signal, work);
      } finally {
        own.delete(name);
      }
    },
  };
}

async function leased<T>(
  lease: NamedLease,
  renewMs: number,
  name: string,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const taken = async (): Promise<TocsinError> => claimed(name, (await lease.holder()) ?? "another one");
  let epoch = await lease.hold();
  if (epoch === null) throw await taken();
  const lost = new AbortController();
  let renewing: Promise<void> | null = null;
  const renew = async (): Promise<void> => {
    const held = await lease.hold();
    // One that ran out and was taken by nobody else is ours again, under the next epoch.
    if (held === null || held > epoch! + 1n) lost.abort(await taken());
    else epoch = held;
  };
  const timer = setInterval(() => {
    // While the leases' keeper is away, nobody else takes this one.
    renewing ??= renew()
      .catch(() => {})
      .finally(() => {
        renewing = null;
      });
  }, renewMs).unref();
  try {
    return await work(AbortSignal.any([signal, lost.signal]));
  } catch (error) {
    throw lost.signal.aborted ? lost.signal.reason : error;
  } finally {
    clearInterval(timer);
    await renewing;
    await lease.release().catch(() => {});
  }
}

const claimed = (name: string, holder: string): TocsinError =>
  new TocsinError("LOAD_IN_PROGRESS", `The ${name} is being loaded or removed by the process ${holder}.`);
