// Micro-batches out of a stream of packets: 1,000 alerts, 96 MiB or 200 ms, whichever comes first. Called by cli/.
import type { DeadLetter, Packet } from "../domain/packet.js";
import { addCounts, type Counts, noCounts, type Pipeline } from "./pipeline.js";

export const BATCH_ALERTS = 1_000;
const BATCH_BYTES = 96 * 1024 * 1024;
const BATCH_MILLISECONDS = 200;
/** Batches read ahead while earlier ones are stored. */
const BATCHES_IN_FLIGHT = 2;

/**
 * Read the source to its end through the pipeline. `onBatch` is told the sums so far and the batch's
 * dead letters; `signal` ends the reading early. Reading waits when BATCHES_IN_FLIGHT batches are not stored yet, so a fast source cannot fill the
 * memory. Throws what the source or the pipeline threw, once nothing is in flight any more.
 */
export async function takeIn(
  source: AsyncIterable<Packet | DeadLetter>,
  pipeline: Pipeline,
  onBatch: (counts: Counts, letters: readonly DeadLetter[]) => void = () => {},
  signal?: AbortSignal,
): Promise<Counts> {
  const sums = noCounts();
  const inFlight = new Set<Promise<void>>();
  let failure: unknown = null;
  let packets: Packet[] = [];
  let letters: DeadLetter[] = [];
  let bytes = 0;
  let openedAt = 0;

  const send = async (): Promise<void> => {
    if (packets.length + letters.length === 0) return;
    const batch = pipeline.take(packets, letters).then(
      (taken) => {
        addCounts(sums, taken);
        onBatch(sums, taken.letters);
      },
      (error: unknown) => {
        failure ??= error;
      },
    );
    const tracked = batch.finally(() => inFlight.delete(tracked));
    inFlight.add(tracked);
    packets = [];
    letters = [];
    bytes = 0;
    while (inFlight.size >= BATCHES_IN_FLIGHT) await Promise.race(inFlight);
  };

  try {
    for await (const item of source) {
      if (failure !== null || signal?.aborted) break;
      if (packets.length + letters.length === 0) openedAt = performance.now();
      if ("reason" in item) letters.push(item);
      else packets.push(item);
      bytes += item.bytes?.length ?? 0;
      const full = packets.length >= BATCH_ALERTS || letters.length >= BATCH_ALERTS || bytes >= BATCH_BYTES;
      if (full || (packets.length > 0 && performance.now() - openedAt > BATCH_MILLISECONDS && inFlight.size === 0)) {
        await send();
      }
    }
  } catch (error) {
    // What was read before the source failed is taken in all the same.
    failure ??= error;
  }
  await send();
  await Promise.all(inFlight);
  if (failure !== null) throw failure;
  return sums;
}
