// HitStore on ClickHouse. Made by stores.ts; batches.ts tells it which batches are complete.
import pLimit from "p-limit";
import type { Block } from "../../domain/columns.js";
import { TocsinError } from "../../domain/errors.js";
import type { Hit, NewHit } from "../../domain/filter.js";
import type { Viewer } from "../../domain/viewer.js";
import type { HitStore } from "../hits.store.js";
import {
  bigints,
  blockOf,
  counts,
  eachRow,
  floats,
  integers,
  numbers,
  signed,
  strings,
  stringsOrNull,
  texts,
  textsOrNull,
  unsigned,
} from "./blocks.js";
import type { ArchiveClient, Parameter } from "./client.js";
import { HIT_CURSOR_KEY } from "./migrations/0005-keys.js";
import { STOP_WHEN_FULL } from "./pages.js";
import { visibleAcross } from "./visibility.js";

const HIT_COLUMNS = "seq, filterId, filterVersion, survey, candid, objectId, jd, programid, annotations, passedAt";

/** A hit that has its seq and whose batch is not complete. */
interface OpenHit {
  readonly hit: Hit;
  batch: bigint;
  /** False until an insert that held it has succeeded. */
  stored: boolean;
}

/**
 * One process appends. A hit keeps the seq that it was given first until its batch is complete: when an insert failed,
 * when the batch is tried again, and (read back at the start) when the process died in between and another batch brings
 * the same alert. Seqs become readable in their order: what an earlier insert may have failed to store goes first, in
 * the same insert, with the seqs it has, which is harmless if it was stored after all.
 */
export class ArchiveHits implements HitStore {
  readonly #serially = pLimit(1);

  private constructor(
    private readonly client: ArchiveClient,
    private last: bigint,
    private readonly open: Map<string, OpenHit>,
  ) {}

  static async start(client: ArchiveClient): Promise<ArchiveHits> {
    const last = bigints(await client.query("SELECT seq FROM hits ORDER BY seq DESC LIMIT 1"), "seq")[0] ?? 0n;
    const complete = "(SELECT batch FROM batches)";
    const block = await client.query(
      `SELECT ${HIT_COLUMNS}, batch FROM hits WHERE batch NOT IN ${complete} AND seq NOT IN (
        SELECT seq FROM hits WHERE batch IN ${complete}
          AND seq IN (SELECT seq FROM hits WHERE batch NOT IN ${complete})
      ) ORDER BY seq, batch`,
    );
    const batches = bigints(block, "batch");
    const open = hitsOf(block).map((hit, row) => [keyOf(hit), { hit, batch: batches[row]!, stored: true }] as const);
    return new ArchiveHits(client, last, new Map(open));
  }

  append(batchId: bigint, hits: readonly NewHit[]): Promise<Hit[]> {
    return this.#serially(async () => {
      const passedAt = Date.now();
      const given = hits.map((hit) => this.#assign(batchId, hit, passedAt));
      const unstored = [...this.open.values()].filter(({ stored }) => !stored);
      if (unstored.length > 0) {
        await this.client.insert("hits", blockFor(unstored.sort((a, b) => (a.hit.seq < b.hit.seq ? -1 : 1))));
        for (const hit of unstored) hit.stored = true;
      }
      return given;
    });
  }

  /** Its alerts are duplicates from now on: nobody will bring its hits again. */
  batchCompleted(batchId: bigint): void {
    for (const [key, { batch }] of this.open) if (batch === batchId) this.open.delete(key);
  }

  async page(
    viewer: Viewer,
    filterIds: readonly string[],
    first: number,
    after: bigint,
    upTo: bigint | null,
  ): Promise<Hit[]> {
    const visible = visibleAcross(viewer);
    if (visible === null || filterIds.length === 0) return [];
    const parameters: Record<string, Parameter> = { ...visible.parameters, filterIds };
    let within = `filterId IN {filterIds:Array(String)} AND ${visible.sql}`;
    if (upTo !== null) {
      within += " AND seq <= {upTo:UInt64}";
      parameters.upTo = upTo;
    }
    return this.#after(after, first, within, parameters);
  }

  since(after: bigint, first: number): Promise<Hit[]> {
    return this.#after(after, first, "1", {});
  }

  async lastSeq(): Promise<bigint> {
    return this.last;
  }

  async cursorKey(): Promise<Uint8Array> {
    const oldest = await this.client.query(
      "SELECT value FROM keys WHERE name = {name:String} ORDER BY createdAt, value LIMIT 1",
      { name: HIT_CURSOR_KEY },
    );
    const [value] = strings(oldest, "value");
    if (value === undefined) throw new TocsinError("INTERNAL", "The archive has lost the key of its hits' cursors.");
    return Buffer.from(value, "base64");
  }

  async #after(after: bigint, first: number, within: string, parameters: Record<string, Parameter>): Promise<Hit[]> {
    const block = await this.client.query(
      `SELECT ${HIT_COLUMNS} FROM hits WHERE seq > {after:UInt64} AND ${within}
      ORDER BY seq LIMIT 1 BY seq LIMIT {first:UInt32} ${STOP_WHEN_FULL}`,
      { ...parameters, after, first },
    );
    return hitsOf(block);
  }

  #assign(batch: bigint, hit: NewHit, passedAt: number): Hit {
    const key = keyOf(hit);
    const open = this.open.get(key);
    if (open === undefined) {
      this.last += 1n;
      const numbered: Hit = { ...hit, seq: this.last, passedAt };
      this.open.set(key, { hit: numbered, batch, stored: false });
      return numbered;
    }
    // Another batch brings it: it is written again under that one's name, so that it is complete when that one is.
    if (open.batch !== batch) Object.assign(open, { batch, stored: false });
    return open.hit;
  }
}

const keyOf = ({ filterId, survey, candid }: NewHit): string => `${survey}:${candid}:${filterId}`;

function blockFor(open: readonly OpenHit[]): Block {
  const hits = open.map(({ hit }) => hit);
  return blockOf(hits.length, {
    seq: unsigned(BigUint64Array.from(hits, ({ seq }) => seq)),
    filterId: texts(hits.map(({ filterId }) => filterId)),
    filterVersion: counts(Uint32Array.from(hits, ({ filterVersion }) => filterVersion)),
    survey: texts(hits.map(({ survey }) => survey)),
    candid: signed(BigInt64Array.from(hits, ({ candid }) => candid)),
    objectId: texts(hits.map(({ objectId }) => objectId)),
    jd: floats(Float64Array.from(hits, ({ jd }) => jd)),
    programid: integers(Int32Array.from(hits, ({ programid }) => programid)),
    annotations: textsOrNull(hits.map(({ annotations }) => annotations)),
    passedAt: signed(BigInt64Array.from(hits, ({ passedAt }) => BigInt(passedAt))),
    batch: unsigned(BigUint64Array.from(open, ({ batch }) => batch)),
  });
}

function hitsOf(block: Block): Hit[] {
  const seq = bigints(block, "seq");
  const filterId = strings(block, "filterId");
  const filterVersion = numbers(block, "filterVersion");
  const survey = strings(block, "survey");
  const candid = bigints(block, "candid");
  const objectId = strings(block, "objectId");
  const jd = numbers(block, "jd");
  const programid = numbers(block, "programid");
  const annotations = stringsOrNull(block, "annotations");
  const passedAt = bigints(block, "passedAt");
  return eachRow(block, (row) => ({
    seq: seq[row]!,
    filterId: filterId[row]!,
    filterVersion: filterVersion[row]!,
    survey: survey[row]!,
    candid: candid[row]!,
    objectId: objectId[row]!,
    jd: jd[row]!,
    programid: programid[row]!,
    annotations: annotations(row),
    passedAt: Number(passedAt[row]!),
  }));
}
