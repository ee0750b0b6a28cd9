// SequenceStore on ClickHouse: hits and counterpart pairs get their seqs after the commit of their batch. Made by stores.ts.
import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { TocsinError } from "../../domain/errors.js";
import type { FoundHit, Hit } from "../../domain/filter.js";
import type { CounterpartPair } from "../links.store.js";
import type { Found, SequenceStore } from "../sequence.store.js";
import { bigints, blockOf, numbers, signed, unsigned } from "./blocks.js";
import type { ArchiveClient, InsertOptions } from "./client.js";
import { foundPairs, insertPairs, type NumberedPair, pairKey, pairsWithSeq, upright } from "./counterparts.js";
import { foundHits, hitKey, hitsWithSeq, insertHits } from "./hits.js";

/**
 * A later epoch shuts out what an earlier one still sends, whenever it arrives. Epochs are the archive's own: the graph,
 * which keeps the lease, may have been lost or restored. Where two processes began the same one, one of them holds it.
 */
const IN_FORCE = "(SELECT max((epoch, holder)) FROM epochs) = ({epoch:UInt64}, {holder:UInt64})";

/**
 * Hits of one insert, unless a batch has more by itself: in memory at once, and few enough for the archive to have all of
 * them before it looks at the epoch (up to max_query_size; fence.test.ts).
 */
const HITS_TOGETHER = 20_000;

/** What goes to the archive together. */
interface Share {
  readonly batches: readonly bigint[];
  readonly hits: readonly Hit[];
  readonly pairs: readonly NumberedPair[];
}

interface Epoch {
  readonly epoch: bigint;
  /** Random. */
  readonly holder: bigint;
}

const fenceOf = (epoch: Epoch): InsertOptions => ({ onlyIf: IN_FORCE, parameters: { ...epoch } });

export class ArchiveSequence implements SequenceStore {
  #epoch: Epoch | null = null;
  #fence: InsertOptions | null = null;
  #lastHit = 0n;
  #lastPair = 0n;
  /** Sent to the archive and not answered: it goes again as it was, before anything else gets a seq. */
  #unconfirmed: Share | null = null;
  /** Sent in this epoch or an earlier one and never confirmed. */
  readonly #tried = new Set<bigint>();

  constructor(private readonly client: ArchiveClient) {}

  /** What lets an insert in only while this process numbers: another one in each epoch, null where it numbers nothing. */
  get fence(): InsertOptions | null {
    return this.#epoch === null ? null : this.#fence;
  }

  async begin(settleMs: number): Promise<bigint> {
    const before = bigints(await this.client.query("SELECT max(epoch) AS epoch FROM epochs"), "epoch")[0] ?? 0n;
    const begun = { epoch: before + 1n, holder: randomBytes(8).readBigUInt64BE() };
    await this.client.insert(
      "epochs",
      blockOf(1, {
        epoch: unsigned(BigUint64Array.of(begun.epoch)),
        holder: unsigned(BigUint64Array.of(begun.holder)),
      }),
    );
    await delay(settleMs);
    [this.#lastHit, this.#lastPair] = await Promise.all([this.#last("hits"), this.#last("counterparts")]);
    this.#unconfirmed = null;
    this.#epoch = begun;
    this.#fence = fenceOf(begun);
    return begun.epoch;
  }

  async pending(since: number, first: number): Promise<bigint[]> {
    const block = await this.client.query(
      `SELECT batch, hits FROM batches WHERE batch >= {floor:UInt64}
        AND batch NOT IN (SELECT batch FROM numbered WHERE batch >= {floor:UInt64})
      ORDER BY committedAt, batch LIMIT 1 BY batch LIMIT {first:UInt32}`,
      { floor: BigInt(Math.max(0, since)) << 20n, first },
    );
    const hits = numbers(block, "hits");
    let sum = 0;
    const fit = (_: bigint, row: number): boolean => {
      sum += hits[row]!;
      return row === 0 || sum <= HITS_TOGETHER;
    };
    return [...(bigints(block, "batch") as BigUint64Array)].filter(fit);
  }

  async number(batches: readonly bigint[], known: ReadonlyMap<bigint, Found>): Promise<Hit[] | null> {
    const epoch = this.#epoch;
    if (epoch === null) throw new TocsinError("INTERNAL", "Hits are numbered before an epoch began.");
    const earlier = this.#unconfirmed;
    if (earlier !== null) await this.#store(epoch, earlier);
    this.#unconfirmed = null;
    const share = await this.#share(
      batches.filter((batch) => !earlier?.batches.includes(batch)),
      known,
    );
    this.#unconfirmed = share;
    for (const batch of batches) this.#tried.add(batch);
    const isInForce = await this.#store(epoch, share);
    this.#unconfirmed = null;
    for (const batch of batches) this.#tried.delete(batch);
    if (isInForce) return [...(earlier?.hits ?? []), ...share.hits];
    this.#epoch = null;
    return null;
  }

  async #share(batches: readonly bigint[], known: ReadonlyMap<bigint, Found>): Promise<Share> {
    const unknown = batches.filter((batch) => !known.has(batch));
    const read =
      unknown.length === 0
        ? { hits: [], pairs: [] }
        : { hits: await foundHits(this.client, unknown), pairs: await foundPairs(this.client, unknown) };
    const mine = batches.flatMap((batch) => known.get(batch) ?? []);
    const areNew = batches.every((batch) => known.get(batch)?.areNew && !this.#tried.has(batch));
    const [hits, pairs] = await Promise.all([
      this.#newHits([...mine.flatMap((found) => found.hits), ...read.hits], areNew),
      this.#newPairs([...mine.flatMap((found) => found.pairs.map(upright)), ...read.pairs]),
    ]);
    return {
      batches,
      hits: hits.map((hit) => ({ ...hit, seq: ++this.#lastHit })),
      pairs: pairs.map((pair) => ({ ...pair, seq: ++this.#lastPair })),
    };
  }

  /** Those without a seq, each once, in their order. */
  async #newHits(found: readonly FoundHit[], areNew: boolean): Promise<FoundHit[]> {
    const byKey = new Map<string, FoundHit>();
    for (const hit of found) if (!byKey.has(hitKey(hit))) byKey.set(hitKey(hit), hit);
    const asked = areNew ? [] : [...byKey.values()];
    for (const key of await hitsWithSeq(this.client, asked)) byKey.delete(key);
    return [...byKey.values()];
  }

  async #newPairs(found: readonly CounterpartPair[]): Promise<CounterpartPair[]> {
    const byKey = new Map(found.map((pair) => [pairKey(pair), pair]));
    for (const key of await pairsWithSeq(this.client, [...byKey.values()])) byKey.delete(key);
    return [...byKey.values()];
  }

  /** Resolves with whether this process numbers still, and so the archive took what it was sent. */
  async #store(epoch: Epoch, { batches, hits, pairs }: Share): Promise<boolean> {
    if (batches.length === 0) return this.#isInForce(epoch);
    const fence = fenceOf(epoch);
    await Promise.all([insertHits(this.client, hits, fence), insertPairs(this.client, pairs, fence)]);
    // Last: whoever finds a batch here finds its hits and pairs.
    const numbered = blockOf(batches.length, {
      batch: unsigned(BigUint64Array.from(batches)),
      epoch: unsigned(new BigUint64Array(batches.length).fill(epoch.epoch)),
      numberedAt: signed(new BigInt64Array(batches.length).fill(BigInt(Date.now()))),
    });
    const [isInForce] = await Promise.all([this.#isInForce(epoch), this.client.insert("numbered", numbered, fence)]);
    return isInForce;
  }

  async #isInForce(epoch: Epoch): Promise<boolean> {
    const inForce = await this.client.query(`SELECT toUInt8(${IN_FORCE}) AS inForce`, { ...epoch });
    return numbers(inForce, "inForce")[0] === 1;
  }

  async #last(table: "hits" | "counterparts"): Promise<bigint> {
    return bigints(await this.client.query(`SELECT max(seq) AS last FROM ${table}`), "last")[0] ?? 0n;
  }
}
