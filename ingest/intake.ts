// Micro-batches out of a stream of packets: 4,000 alerts, 192 MiB or 200 ms, whichever comes first. Called by cli/.
import type { DeadLetter, Packet } from "../domain/packet.js";
import { addCounts, type Counts, noCounts, type Pipeline } from "./pipeline.js";

export const BATCH_ALERTS = 4_000;
const BATCH_BYTES = 192 * 1024 * 1024;
const BATCH_MILLISECONDS = 200;
/** Batches under way: one is read, one written, one numbered and linked. */
const BATCHES_IN_FLIGHT = 3;

export interface IntakeListener {
  /** The sums so far and the batch's dead letters. */
  readonly onBatch?: (counts: Counts, letters: readonly DeadLetter[]) => void;
  /**
   * Everything of these is stored everywhere: the source may forget them. Batches are told in the order in which they
   * were read; the next one waits for the promise.
   */
  readonly onStored?: (items: readonly (Packet | DeadLetter)[]) => Promise<void> | void;
  /** Ends the reading early. */
  readonly signal?: AbortSignal;
}

interface Batch {
  readonly packets: Packet[];
  readonly letters: DeadLetter[];
  bytes: number;
  readonly openedAt: number;
}

/**
 * Read the source to its end through the pipeline. Reading waits when BATCHES_IN_FLIGHT batches are not stored yet, so a
 * fast source cannot fill the memory. Throws what the source or the pipeline threw, once nothing is in flight any more.
 */
export async function takeIn(
  source: AsyncIterable<Packet | DeadLetter>,
  pipeline: Pipeline,
  { onBatch = () => {}, onStored = () => {}, signal }: IntakeListener = {},
): Promise<Counts> {
  const sums = noCounts();
  const inFlight = new Set<Promise<void>>();
  /** Those of them whose hits are still to be delivered. */
  const undelivered = new Set<Promise<void>>();
  let told: Promise<void> = Promise.resolve();
  let failure: unknown = null;
  let open: Batch | null = null;

  /** Send the open batch off; resolves when there is room for another. */
  async function send(): Promise<void> {
    if (open === null) return;
    const { packets, letters } = open;
    open = null;
    const before = told;
    let onDelivered = () => {};
    const delivered = new Promise<void>((resolve) => {
      onDelivered = () => {
        undelivered.delete(delivered);
        resolve();
      };
    });
    undelivered.add(delivered);
    const batch = pipeline
      .take(packets, letters, onDelivered)
      .then(async (taken) => {
        // Not before: a batch that fails is taken apart and tried again. Dead letters have copies.
        for (const { release } of packets) release?.();
        addCounts(sums, taken);
        onBatch(sums, taken.letters);
        await before;
        // A batch that failed before this one holds back the source's bookmark: it is read again from there.
        if (failure === null) await onStored([...packets, ...letters]);
      })
      .catch((error: unknown) => {
        failure ??= error;
      });
    told = batch;
    const tracked = batch.finally(() => {
      onDelivered();
      inFlight.delete(tracked);
    });
    inFlight.add(tracked);
    while (inFlight.size >= BATCHES_IN_FLIGHT) await Promise.race(inFlight);
  }

  const items = source[Symbol.asyncIterator]();
  try {
    let next = items.next();
    while (failure === null && !signal?.aborted) {
      const item = await until(next, open === null ? null : due(open), signal);
      if (item === ABORTED) break;
      if (item === TIME_IS_UP) {
        // While a batch is under way the open one may as well grow: each costs much the same, whatever its size.
        if (undelivered.size > 0) await Promise.race([...undelivered, next.catch(() => {})]);
        if (undelivered.size === 0) await send();
        continue;
      }
      if (item.done) break;
      next = items.next();
      // Looked at again where it is awaited; a source may fail while a batch is sent.
      next.catch(() => {});
      open ??= { packets: [], letters: [], bytes: 0, openedAt: performance.now() };
      add(open, item.value);
      if (isFull(open) || (performance.now() >= due(open) && undelivered.size === 0)) await send();
    }
  } catch (error) {
    // What was read before the source failed is taken in all the same.
    failure ??= error;
  }
  await send();
  await Promise.all(inFlight);
  // Not waited for: a source that is waiting itself ends when its owner closes it.
  if (signal?.aborted || failure !== null) items.return?.().catch(() => {});
  if (failure !== null) throw failure;
  return sums;
}

function add(batch: Batch, item: Packet | DeadLetter): void {
  if ("reason" in item) batch.letters.push(item);
  else batch.packets.push(item);
  batch.bytes += item.bytes?.length ?? 0;
}

const isFull = ({ packets, letters, bytes }: Batch): boolean =>
  packets.length >= BATCH_ALERTS || letters.length >= BATCH_ALERTS || bytes >= BATCH_BYTES;

const due = ({ openedAt }: Batch): number => openedAt + BATCH_MILLISECONDS;

const TIME_IS_UP = Symbol("time is up");
const ABORTED = Symbol("aborted");

/** The promise's value; TIME_IS_UP at `moment` (performance.now()), ABORTED with the signal. Leaves nothing behind. */
async function until<T>(
  promise: Promise<T>,
  moment: number | null,
  signal: AbortSignal | undefined,
): Promise<T | typeof TIME_IS_UP | typeof ABORTED> {
  let timer: NodeJS.Timeout | undefined;
  let end = () => {};
  const other = new Promise<typeof TIME_IS_UP | typeof ABORTED>((resolve) => {
    if (moment !== null) timer = setTimeout(resolve, Math.max(0, moment - performance.now()), TIME_IS_UP);
    end = () => resolve(ABORTED);
    signal?.addEventListener("abort", end, { once: true });
  });
  try {
    return await Promise.race([promise, other]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", end);
  }
}
