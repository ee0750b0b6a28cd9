// Corrections get their numbers: batch by batch, in the process that numbers hits, fenced by its epoch as hits are
// (sequence.ts). Used by corrections.ts.
import type { Block } from "../../domain/columns.js";
import { bigints, numbers, unsigned } from "./blocks.js";
import type { ArchiveClient, InsertOptions } from "./client.js";

/** Rows of one insert, unless a batch has more by itself. */
const TOGETHER = 20_000;
const BATCHES_AT_ONCE = 200;
/** A batch is told within moments of its beginning; all are looked at when an epoch begins, and now and then. */
const BACK_MS = 10 * 60_000;
const SWEEP_MS = 10 * 60_000;
const COLUMNS =
  "batch, toldAt, survey, objectId, candid, jd, programid, what, step, version, source, scope, filterId, filterVersion";

export class CorrectionNumbers {
  #fence: InsertOptions | null = null;
  /** Another epoch has begun: this one numbers nothing any more. */
  #isOver = false;
  #last = 0n;
  #since = 0n;
  #sweptAt = Number.NEGATIVE_INFINITY;
  /** Sent to the archive and not answered: it goes again as it was, before anything else gets a number. */
  #unconfirmed: Block | null = null;

  constructor(
    private readonly client: ArchiveClient,
    private readonly fence: () => InsertOptions | null,
  ) {}

  async number(): Promise<boolean> {
    const fence = this.fence();
    if (fence === null) return false;
    if (fence !== this.#fence) {
      this.#last =
        bigints(await this.client.query("SELECT max(seq) AS last FROM corrections_numbered"), "last")[0] ?? 0n;
      this.#sweptAt = Number.NEGATIVE_INFINITY;
      this.#unconfirmed = null;
      this.#isOver = false;
      this.#fence = fence;
    }
    if (this.#isOver) return false;
    if (this.#unconfirmed !== null) await this.#store(this.#unconfirmed, fence);
    const isSweep = performance.now() - this.#sweptAt > SWEEP_MS;
    this.#since = isSweep ? 0n : BigInt(Date.now() - BACK_MS) << 20n;
    const batches = await this.#pending();
    if (batches.length === 0) {
      if (isSweep) this.#sweptAt = performance.now();
      return false;
    }
    const told = await this.client.query(
      `SELECT ${COLUMNS} FROM corrections_told WHERE batch IN {batches:Array(UInt64)} AND isShown
      ORDER BY batch, jd, candid, what, filterId, source
      LIMIT 1 BY batch, survey, objectId, candid, what, filterId, source`,
      { batches },
    );
    const seq = BigUint64Array.from({ length: told.rows }, () => ++this.#last);
    await this.#store({ ...told, columns: new Map(told.columns).set("seq", unsigned(seq)) }, fence);
    const inForce = await this.client.query(`SELECT toUInt8(${fence.onlyIf}) AS inForce`, fence.parameters);
    this.#isOver = numbers(inForce, "inForce")[0] !== 1;
    return !this.#isOver;
  }

  /** Those that a row of `corrections_numbered` names are numbered: an insert is there whole or not at all. */
  async #pending(): Promise<bigint[]> {
    const block = await this.client.query(
      `SELECT batch, uniqExact(survey, objectId, candid, what, filterId, source) AS rows FROM corrections_told
      WHERE batch >= {since:UInt64} AND isShown
        AND batch NOT IN (SELECT batch FROM corrections_numbered AS numbered WHERE batch >= {since:UInt64})
      GROUP BY batch ORDER BY batch LIMIT {first:UInt32}`,
      { since: this.#since, first: BATCHES_AT_ONCE },
    );
    const rows = bigints(block, "rows");
    let sum = 0;
    return Array.from(bigints(block, "batch")).filter((_, n) => {
      sum += Number(rows[n]!);
      return n === 0 || sum <= TOGETHER;
    });
  }

  async #store(block: Block, fence: InsertOptions): Promise<void> {
    this.#unconfirmed = block;
    await this.client.insert("corrections_numbered", block, fence);
    this.#unconfirmed = null;
  }
}
