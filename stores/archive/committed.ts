// Which batches are complete. Shared by batches.ts (adds) and alerts.ts (asks for every duplicate).
import { bigints } from "./blocks.js";
import type { ArchiveClient } from "./client.js";

/** A complete batch stays complete: those seen once are not asked for again. */
const REMEMBERED = 100_000;

export class CommittedBatches {
  readonly #seen = new Set<bigint>();

  constructor(private readonly client: ArchiveClient) {}

  add(batch: bigint): void {
    if (this.#seen.size >= REMEMBERED) this.#seen.clear();
    this.#seen.add(batch);
  }

  /** Those of the batches that are complete: one query at most, none where all are remembered. */
  async among(batches: Iterable<bigint>): Promise<Set<bigint>> {
    const asked = new Set(batches);
    const complete = new Set([...asked].filter((batch) => this.#seen.has(batch)));
    const unsure = [...asked].filter((batch) => !complete.has(batch));
    if (unsure.length === 0) return complete;
    const block = await this.client.query("SELECT DISTINCT batch FROM batches WHERE batch IN {batches:Array(UInt64)}", {
      batches: unsure,
    });
    for (const batch of bigints(block, "batch")) {
      this.add(batch);
      complete.add(batch);
    }
    return complete;
  }
}
