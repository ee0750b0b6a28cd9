// The way of a micro-batch from packets to delivered hits: this page names the steps in order. Called by ingest/intake.ts.
import pLimit from "p-limit";
import type { Alert, AlertBatch } from "../domain/alert.js";
import { type ErrorCode, TocsinError } from "../domain/errors.js";
import type { FoundHit } from "../domain/filter.js";
import type { MissingStep } from "../domain/missing.js";
import type { DeadLetter, Packet } from "../domain/packet.js";
import type { BatchTallies } from "../domain/receipt.js";
import type { Survey } from "../domain/survey.js";
import type { FilterRun } from "../filters/run.js";
import type { AlertStore } from "../stores/alerts.store.js";
import type { BatchStore, UncommittedPacket } from "../stores/batches.store.js";
import type { CounterpartStore } from "../stores/counterparts.store.js";
import type { DeadLetterStore } from "../stores/deadletters.store.js";
import type { HitStore } from "../stores/hits.store.js";
import type { MissingStore } from "../stores/missing.store.js";
import type { ObjectStore } from "../stores/objects.store.js";
import type { PacketStore } from "../stores/packets.store.js";
import type { ReceiptStore } from "../stores/receipts.store.js";
import { decode } from "./decode.js";
import { checksumOf, type Deduped, dedupe } from "./dedupe.js";
import { classify } from "./enrich/class.js";
import { findCounterparts } from "./enrich/counterparts.js";
import { type Enrichment, enrich, versionsOf } from "./enrich/enrichment.js";
import type { GraphFollower } from "./follow.js";
import { type Outages, persistently } from "./persistently.js";
import { Receipts } from "./receipt.js";
import { alertAt, bigColumn } from "./rows.js";
import type { Sequencer } from "./sequencer.js";
import { STEP_VERSIONS } from "./steps.js";
import { type IngestWatch, type Stage, timed, unwatched } from "./watch.js";

export interface PipelineStores {
  readonly alerts: AlertStore;
  readonly objects: ObjectStore;
  readonly hits: HitStore;
  readonly batches: BatchStore;
  readonly deadLetters: DeadLetterStore;
  readonly counterparts: CounterpartStore;
  readonly packets: PacketStore;
  readonly receipts: Pick<ReceiptStore, "write">;
  readonly missing: Pick<MissingStore, "add">;
}

export interface PipelineParts {
  readonly stores: PipelineStores;
  readonly filters: FilterRun;
  readonly follower: Pick<GraphFollower, "enter">;
  readonly sequencer: Pick<Sequencer, "committed" | "followed">;
  /** Called with active filters that could not run on a batch; the others did. */
  readonly onBroken: (broken: readonly { filterId: string; message: string }[]) => void;
  /** In this order: later ones may read what earlier ones added. */
  readonly enrichments: readonly Enrichment[];
  /** Called with what a batch lacks. */
  readonly onMissing: (missing: MissingStep) => void;
  /** Hears of a lost store; the batch is tried again. */
  readonly outages: Outages;
  readonly watch?: IngestWatch;
}

export interface Counts {
  read: number;
  stored: number;
  duplicates: number;
  deadLetters: number;
  hits: number;
}
export const noCounts = (): Counts => ({ read: 0, stored: 0, duplicates: 0, deadLetters: 0, hits: 0 });
export function addCounts(sum: Counts, more: Counts): void {
  for (const key of Object.keys(sum) as (keyof Counts)[]) sum[key] += more[key];
}

/** What became of a micro-batch, with its dead letters. */
export interface Taken extends Counts {
  readonly letters: readonly DeadLetter[];
}

export interface Pipeline {
  /**
   * Take a micro-batch in. Resolves once everything in it is stored and filtered and, where this process numbers hits,
   * delivered to the hub and linked. Batches may overlap: one is read while the one before is written, and those before
   * are numbered and linked. `onDelivered` is called when the batch waits for nothing but its links.
   */
  take(packets: readonly Packet[], letters: readonly DeadLetter[], onDelivered?: () => void): Promise<Taken>;
}

/** What the filters made of a batch. */
interface Filtered {
  readonly hits: readonly FoundHit[];
  /** The batch's values that filters read and that could not be made. */
  readonly missing: readonly MissingStep[];
  /** Epoch milliseconds. */
  readonly at: number;
}

/** A survey's part of a batch: what is new of it. */
interface Fresh {
  readonly batchId: bigint;
  /** As it was decoded. */
  readonly whole: AlertBatch;
  readonly deduped: Deduped;
}

/** It is in the archive, while its filters may still be at work. */
interface Written extends Fresh {
  readonly batch: AlertBatch;
  readonly filtered: Promise<Filtered>;
  /** Epoch milliseconds. */
  readonly storedAt: number;
}

export function createPipeline(parts: PipelineParts): Pipeline {
  const { stores, filters, follower, sequencer, onBroken, onMissing, outages, watch = unwatched } = parts;
  const steps = { ...STEP_VERSIONS, ...versionsOf(parts.enrichments) };
  const reading = pLimit(1);
  const writing = pLimit(1);
  const finishing = pLimit(1);
  const inFlight = new Map<Survey, Map<bigint, bigint>>();
  const receipts = new Receipts();

  /** decode → dedupe. Adds to `fresh` as it goes. */
  async function read(packets: readonly Packet[], fresh: Fresh[]): Promise<DeadLetter[]> {
    const about = { survey: null, batchId: null, alerts: packets.length };
    const decoded = await timed(watch, { ...about, stage: "decode" }, () => decode(packets));
    const letters = [...decoded.deadLetters];
    for (const whole of decoded.batches) {
      const batchId = stores.batches.begin();
      const taken = takenBy(inFlight, whole.survey);
      const deduped = await stepsOf(whole, batchId)("dedupe", () => dedupe(whole, stores.alerts, taken));
      remember(taken, deduped);
      letters.push(...deduped.conflicts);
      fresh.push({ batchId, whole, deduped });
    }
    return letters;
  }

  /**
   * classify → enrich → keep the packets → write to the archive, and filter meanwhile: what the filters find counts with
   * the batch's commit, not before.
   */
  async function write(part: Fresh): Promise<Written> {
    const { batchId, deduped } = part;
    const classified = classify(deduped.batch);
    const step = stepsOf(classified, batchId);
    if (classified.alerts.rows === 0) {
      return { ...part, batch: classified, filtered: NOTHING_FOUND, storedAt: Date.now() };
    }
    const batch = await step("enrich", () => enrich(classified, parts.enrichments));
    const filtered = step("filter", () => filter(batchId, batch));
    // Looked at in `finish`; the archive may fail before.
    filtered.catch(() => {});
    const kept = batch.packets.map(({ bytes, schema }, row) => {
      return { bytes, schema, checksum: checksumOf(deduped.contentHashes[row]!) };
    });
    const locations = await step("packets", () => stores.packets.append(kept));
    await step("store", () => stores.alerts.write(batchId, batch, deduped.contentHashes, locations));
    if (batch.missing !== undefined) await keepMissing(batchId, batch, batch.missing);
    return { ...part, batch, filtered, storedAt: Date.now() };
  }

  /** In their order: a later survey's part may be of the same objects. */
  async function writeAll(fresh: readonly Fresh[]): Promise<Written[]> {
    const written: Written[] = [];
    for (const part of fresh) written.push(await write(part));
    return written;
  }

  /** After the alerts themselves: what makes the values anew looks for them. */
  async function keepMissing(
    batchId: bigint,
    { survey, alerts }: AlertBatch,
    missing: readonly MissingStep[],
  ): Promise<void> {
    for (const one of missing) onMissing(one);
    await persistently(() => stores.missing.add(batchId, survey, alerts.rows, missing), outages);
  }

  /** receipt, counterparts → objects into the graph, what the filters found → commit → number, publish, follow. */
  async function finish({ batchId, batch, deduped, ...written }: Written, tallies: BatchTallies): Promise<number> {
    const step = stepsOf(batch, batchId);
    const receipt = step("receipt", () => stores.receipts.write(batchId, tallies));
    // Both are looked at below; a filter may fail before.
    receipt.catch(() => {});
    const counterparts = step("counterparts", async () => {
      const found = await findCounterparts(batch, stores.objects);
      await stores.counterparts.found(batchId, found);
      await follower.enter(batch);
      return found;
    });
    counterparts.catch(() => {});
    const { hits, missing, at } = await written.filtered;
    if (missing.length > 0) await keepMissing(batchId, batch, missing);
    const pairs = await counterparts;
    await receipt;
    await step("commit", () =>
      stores.batches.commit(batchId, {
        survey: batch.survey,
        read: batch.alerts.rows + deduped.duplicates + deduped.conflicts.length,
        stored: batch.alerts.rows,
        duplicates: deduped.duplicates,
        deadLetters: deduped.conflicts.length,
        hits: hits.length,
        steps,
        storedAt: written.storedAt,
        filteredAt: Math.max(at, written.storedAt),
      }),
    );
    await sequencer.committed({ batchId, hits, pairs, areNew: deduped.areNew, alertOf: alertsOf(batch) });
    return hits.length;
  }

  /** A step of a batch: tried again until it succeeds, and told how long it took. */
  function stepsOf({ survey, alerts }: AlertBatch, batchId: bigint) {
    return <T>(stage: Stage, work: () => Promise<T>): Promise<T> =>
      timed(watch, { stage, survey, batchId, alerts: alerts.rows }, () => persistently(work, outages));
  }

  /** Nothing but dead letters: their receipt is committed as a batch without alerts. */
  async function finishLetters(tallies: BatchTallies): Promise<void> {
    const batchId = stores.batches.begin();
    const [none, now] = [{ stored: 0, duplicates: 0, hits: 0, steps }, Date.now()];
    const counts = { ...none, survey: null, read: tallies.letters.length, deadLetters: tallies.letters.length };
    await persistently(async () => {
      await stores.receipts.write(batchId, tallies);
      await stores.batches.commit(batchId, { ...counts, storedAt: now, filteredAt: now });
    }, outages);
    await sequencer.committed({ batchId, hits: [], pairs: [], areNew: true, alertOf: noAlert });
  }

  async function finishAll(
    written: readonly Written[],
    letters: readonly DeadLetter[],
    tallies: readonly BatchTallies[],
  ): Promise<Counts> {
    const counts = { ...noCounts(), deadLetters: letters.length };
    const fresh = letters.filter(({ replayOf }) => replayOf === undefined);
    if (fresh.length > 0) await persistently(() => stores.deadLetters.add(fresh), outages);
    if (written.length === 0 && fresh.length > 0) await finishLetters(tallies[0]!);
    for (const [n, part] of written.entries()) {
      counts.hits += await finish(part, tallies[n]!);
      counts.stored += part.batch.alerts.rows;
      counts.duplicates += part.deduped.duplicates;
    }
    return counts;
  }

  /** Keeps the hits too. */
  async function filter(batchId: bigint, batch: AlertBatch): Promise<Filtered> {
    const enriched = await enrichedForFilters(batch);
    const found = await filters.run(enriched);
    if (found.broken.length > 0) onBroken(found.broken);
    const passedAt = Date.now();
    const hits = found.hits.map((hit) => ({ ...hit, passedAt }));
    await stores.hits.found(batchId, hits);
    return { hits, missing: enriched.missing?.slice(batch.missing?.length ?? 0) ?? [], at: Date.now() };
  }

  /** With what filters read that have become active since the batch was enriched. */
  function enrichedForFilters(batch: AlertBatch): Promise<AlertBatch> {
    const isBroken = (name: string) => batch.missing?.some(({ step }) => step === name);
    return enrich(
      batch,
      parts.enrichments.filter(({ name, followsFilters }) => followsFilters && !isBroken(name)),
    );
  }

  return {
    async take(packets, sourceLetters, onDelivered) {
      const fresh: Fresh[] = [];
      const now = Date.now();
      // Only streams tell when they read a packet.
      const received = packets.map((packet) =>
        packet.receivedAt === undefined ? { ...packet, receivedAt: now } : packet,
      );
      try {
        const letters = [...sourceLetters, ...(await reading(() => read(received, fresh)))];
        const written = await writing(() => writeAll(fresh));
        const tallies = receipts.of(received, sourceLetters, written, letters, now);
        const counts = await finishing(() => finishAll(written, letters, tallies));
        onDelivered?.();
        await sequencer.followed();
        return { ...counts, read: packets.length + sourceLetters.length, letters };
      } finally {
        // Complete by now, or failed: then whoever brings these alerts again must find them still to be done.
        for (const { deduped } of fresh) forget(takenBy(inFlight, deduped.batch.survey), deduped.batch);
      }
    },
  };
}

const NOTHING_FOUND: Promise<Filtered> = Promise.resolve({ hits: [], missing: [], at: 0 });

/** The alerts of a batch by candid, each made once, when it is asked for: many filters may have found it. */
function alertsOf(batch: AlertBatch): (candid: bigint) => Alert {
  const rowOf = new Map(Array.from(bigColumn(batch.alerts, "candid").values, (of, row) => [of, row]));
  const made = new Map<bigint, Alert>();
  return (candid) => {
    let alert = made.get(candid);
    if (alert === undefined) {
      alert = alertAt(batch, rowOf.get(candid)!);
      made.set(candid, alert);
    }
    return alert;
  };
}

const noAlert = (): never => {
  throw new Error("a batch of dead letters has no alerts");
};

function takenBy(inFlight: Map<Survey, Map<bigint, bigint>>, survey: Survey): Map<bigint, bigint> {
  const taken = inFlight.get(survey) ?? new Map<bigint, bigint>();
  inFlight.set(survey, taken);
  return taken;
}
function remember(taken: Map<bigint, bigint>, { batch, contentHashes }: Deduped): void {
  const candids = bigColumn(batch.alerts, "candid").values;
  for (let row = 0; row < candids.length; row += 1) taken.set(candids[row]!, contentHashes[row]!);
}
function forget(taken: Map<bigint, bigint>, batch: AlertBatch): void {
  for (const candid of bigColumn(batch.alerts, "candid").values) taken.delete(candid);
}

/** Codes of a packet that cannot be had any more. */
const GONE: readonly ErrorCode[] = ["DATA_DAMAGED", "PACKET_EXPIRED"];

/**
 * Finish what a crash interrupted: packets of batches that began and were never committed go through the pipeline again.
 * Called once at start, before anything else is taken in, for batches that began before `before` (epoch ms): younger ones
 * may be in the hands of another process. Resolves with the number of packets; those whose bytes a power cut took are
 * dead letters, and their alerts are finished when somebody brings them again.
 */
export async function recover(
  pipeline: Pipeline,
  stores: PipelineStores,
  batchSize: number,
  before: number,
): Promise<number> {
  const unfinished = await stores.batches.uncommittedPackets(before);
  let recovered = 0;
  for (let at = 0; at < unfinished.length; at += batchSize) {
    const packets: Packet[] = [];
    const letters: DeadLetter[] = [];
    for (const item of await Promise.all(unfinished.slice(at, at + batchSize).map(reread))) {
      if ("reason" in item) letters.push(item);
      else packets.push(item);
    }
    await pipeline.take(packets, letters);
    recovered += packets.length;
  }
  await stores.batches.recovered(before);
  return recovered;

  async function reread(packet: UncommittedPacket): Promise<Packet | DeadLetter> {
    const { survey, candid, location, ...times } = packet;
    const origin = { source: "packet store", position: `segment ${location.segment} offset ${location.offset}` };
    try {
      return { ...(await stores.packets.read(location)), ...times, origin };
    } catch (error) {
      if (!(error instanceof TocsinError && GONE.includes(error.code))) throw error;
      const message = `${survey} alert ${candid} waits to be ingested again: a crash interrupted it. ${error.message}`;
      return { reason: "UNREADABLE", message, origin, survey, bytes: null, schemaFingerprint: null };
    }
  }
}
