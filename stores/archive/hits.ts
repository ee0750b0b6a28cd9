// HitStore on ClickHouse, and the rows of hits that sequence.ts numbers. Made by stores.ts.
import type { Block } from "../../domain/columns.js";
import { TocsinError } from "../../domain/errors.js";
import type { FoundHit, Hit, NewHit } from "../../domain/filter.js";
import type { Viewer } from "../../domain/viewer.js";
import type { HitNight, HitStore } from "../hits.store.js";
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
import type { ArchiveClient, InsertOptions, Parameter } from "./client.js";
import { HIT_CURSOR_KEY } from "./migrations/0005-keys.js";
import { NIGHT } from "./nights.js";
import { STOP_WHEN_FULL } from "./pages.js";
import { visibleAcross } from "./visibility.js";

const FOUND_COLUMNS = "filterId, filterVersion, survey, candid, objectId, jd, programid, annotations, passedAt";

export class ArchiveHits implements HitStore {
  constructor(private readonly client: ArchiveClient) {}

  async found(batchId: bigint, hits: readonly FoundHit[]): Promise<void> {
    const batch = unsigned(new BigUint64Array(hits.length).fill(batchId));
    await this.client.insert("hits_found", blockOf(hits.length, { ...foundColumns(hits), batch }));
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

  async perNight(viewer: Viewer, filterId: string, nightOffsetHours: number, nights: number): Promise<HitNight[]> {
    const visible = visibleAcross(viewer);
    if (visible === null) return [];
    const block = await this.client.query(
      `SELECT ${NIGHT} AS night, filterVersion, uniqExact(seq) AS hits FROM hits
      WHERE filterId = {filterId:String} AND ${visible.sql}
      GROUP BY night, filterVersion ORDER BY night DESC, filterVersion`,
      { ...visible.parameters, filterId, nightOffsetHours },
    );
    const night = numbers(block, "night");
    const version = numbers(block, "filterVersion");
    const hits = bigints(block, "hits");
    const counts = eachRow(block, (row) => ({ night: night[row]!, version: version[row]!, hits: Number(hits[row]!) }));
    const newest = new Set([...new Set(counts.map((count) => count.night))].slice(0, nights));
    return counts.filter((count) => newest.has(count.night));
  }

  since(after: bigint, first: number): Promise<Hit[]> {
    return this.#after(after, first, "1", {});
  }

  async lastSeq(): Promise<bigint> {
    return bigints(await this.client.query("SELECT seq FROM hits ORDER BY seq DESC LIMIT 1"), "seq")[0] ?? 0n;
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
      `SELECT seq, ${FOUND_COLUMNS} FROM hits WHERE seq > {after:UInt64} AND ${within}
      ORDER BY seq LIMIT 1 BY seq LIMIT {first:UInt32} ${STOP_WHEN_FULL}`,
      { ...parameters, after, first },
    );
    return hitsOf(block);
  }
}

/** A hit is one filter's of one alert, whoever finds it and however often. */
export const hitKey = ({ filterId, survey, candid }: Pick<NewHit, "filterId" | "survey" | "candid">): string =>
  `${survey}:${candid}:${filterId}`;

/** What the filters found in these batches, oldest first. */
export async function foundHits(client: ArchiveClient, batches: readonly bigint[]): Promise<FoundHit[]> {
  const block = await client.query(
    `SELECT ${FOUND_COLUMNS} FROM hits_found WHERE batch IN {batches:Array(UInt64)}
    ORDER BY passedAt, batch, jd, candid, filterId LIMIT 1 BY batch, survey, candid, filterId`,
    { batches },
  );
  return foundOf(block);
}

/** Keys of those that have a seq already. */
export async function hitsWithSeq(client: ArchiveClient, hits: readonly FoundHit[]): Promise<string[]> {
  if (hits.length === 0) return [];
  const { survey, candid, filterId } = foundColumns(hits);
  const block = await client.query(
    `SELECT DISTINCT survey, candid, filterId FROM hits
    WHERE (survey, candid, filterId) IN (SELECT survey, candid, filterId FROM asked)`,
    {},
    { external: [{ name: "asked", block: blockOf(hits.length, { survey, candid, filterId }) }] },
  );
  const surveys = strings(block, "survey");
  const candids = bigints(block, "candid");
  const filterIds = strings(block, "filterId");
  return eachRow(block, (row) => hitKey({ survey: surveys[row]!, candid: candids[row]!, filterId: filterIds[row]! }));
}

export async function insertHits(client: ArchiveClient, hits: readonly Hit[], options: InsertOptions): Promise<void> {
  const seq = unsigned(BigUint64Array.from(hits, (hit) => hit.seq));
  await client.insert("hits", blockOf(hits.length, { seq, ...foundColumns(hits) }), options);
}

const foundColumns = (hits: readonly FoundHit[]) => ({
  filterId: texts(hits.map(({ filterId }) => filterId)),
  filterVersion: counts(Uint32Array.from(hits, ({ filterVersion }) => filterVersion)),
  survey: texts(hits.map(({ survey }) => survey)),
  candid: signed(BigInt64Array.from(hits, ({ candid }) => candid)),
  objectId: texts(hits.map(({ objectId }) => objectId)),
  jd: floats(Float64Array.from(hits, ({ jd }) => jd)),
  programid: integers(Int32Array.from(hits, ({ programid }) => programid)),
  annotations: textsOrNull(hits.map(({ annotations }) => annotations)),
  passedAt: signed(BigInt64Array.from(hits, ({ passedAt }) => BigInt(passedAt))),
});

function hitsOf(block: Block): Hit[] {
  const seq = bigints(block, "seq");
  return foundOf(block).map((hit, row) => ({ ...hit, seq: seq[row]! }));
}

function foundOf(block: Block): FoundHit[] {
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
