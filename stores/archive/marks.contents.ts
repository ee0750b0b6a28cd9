// MarkContents on ClickHouse: positions of watch lists, cells of areas and sky maps. Made by stores.ts.
import type { Block } from "../../domain/columns.js";
import type { MarkedCells, WatchedPositions } from "../../domain/mark.js";
import type { MarkContents } from "../marks.store.js";
import { bigints, blockOf, counts, floats, numbers, repeated, strings, texts, unsigned } from "./blocks.js";
import type { ArchiveClient } from "./client.js";
import { sqlText } from "./http.form.js";
import { alterTable } from "./layout.js";

/** Rows of a statement. */
const PART = 200_000;
/** In this order: what names() tells of goes last. */
const TABLES = ["marks", "watched_positions", "marked_cells"] as const;

export class ArchiveMarkContents implements MarkContents {
  constructor(private readonly client: ArchiveClient) {}

  async addPositions(content: string, firstRow: number, positions: WatchedPositions): Promise<void> {
    const rows = positions.ra.length;
    if (rows === 0) return;
    const block = blockOf(rows, {
      ...keyOf(content, rows),
      row: counts(Uint32Array.from({ length: rows }, (_, n) => firstRow + n)),
      name: texts(positions.names),
      ra: floats(positions.ra),
      dec: floats(positions.dec),
      radiusArcsec: { type: "Float32", values: positions.radiusArcsec, nulls: null },
    });
    await this.client.insert("watched_positions", block);
  }

  async addCells(content: string, { start, end, level, distance }: MarkedCells): Promise<void> {
    for (let from = 0; from < level.length; from += PART) {
      const to = Math.min(level.length, from + PART);
      const block = blockOf(to - from, {
        ...keyOf(content, to - from),
        start: unsigned(start.slice(from, to)),
        end: unsigned(end.slice(from, to)),
        level: floats(level.slice(from, to)),
        ...(distance !== undefined && {
          distanceMean: { type: "Float32" as const, values: distance.mean.slice(from, to), nulls: null },
          distanceSigma: { type: "Float32" as const, values: distance.sigma.slice(from, to), nulls: null },
        }),
      });
      await this.client.insert("marked_cells", block);
    }
  }

  async *positions(content: string): AsyncIterable<WatchedPositions> {
    for (let from = 0; ; from += PART) {
      const block = await this.client.query(
        `SELECT name, ra, dec, radiusArcsec FROM watched_positions
        WHERE content = {content:String} AND row >= {from:UInt32} AND row < {to:UInt32}
        ORDER BY row LIMIT 1 BY row`,
        { content, from, to: from + PART },
      );
      if (block.rows === 0) return;
      yield {
        names: strings(block, "name"),
        ra: numbers(block, "ra") as Float64Array,
        dec: numbers(block, "dec") as Float64Array,
        radiusArcsec: numbers(block, "radiusArcsec") as Float32Array,
      };
    }
  }

  async cells(content: string): Promise<MarkedCells> {
    const parts: Block[] = [];
    for (let after = -1n; ; ) {
      const block = await this.client.query(
        `SELECT start, end, level, distanceMean, distanceSigma FROM marked_cells
        WHERE content = {content:String} AND start >= {from:UInt64}
        ORDER BY start LIMIT 1 BY start LIMIT {part:UInt32}`,
        { content, from: after + 1n, part: 5 * PART },
      );
      if (block.rows > 0) parts.push(block);
      if (block.rows < 5 * PART) break;
      after = bigints(block, "start").at(-1)!;
    }
    const size = parts.reduce((sum, { rows }) => sum + rows, 0);
    const cells = { start: new BigUint64Array(size), end: new BigUint64Array(size), level: new Float64Array(size) };
    const distance = { mean: new Float32Array(size), sigma: new Float32Array(size) };
    let at = 0;
    for (const part of parts) {
      cells.start.set(bigints(part, "start"), at);
      cells.end.set(bigints(part, "end"), at);
      cells.level.set(numbers(part, "level"), at);
      distance.mean.set(numbers(part, "distanceMean"), at);
      distance.sigma.set(numbers(part, "distanceSigma"), at);
      at += part.rows;
    }
    // Areas have none, and so have many maps.
    return distance.mean.every(Number.isNaN) ? cells : { ...cells, distance };
  }

  async names(): Promise<string[]> {
    const block = await this.client.query(
      `SELECT DISTINCT content FROM (
        SELECT DISTINCT content FROM watched_positions UNION ALL SELECT DISTINCT content FROM marked_cells
      ) AS kept ORDER BY content`,
    );
    return [...strings(block, "content")];
  }

  async drop(content: string): Promise<void> {
    for (const table of TABLES) {
      await alterTable(this.client, table, `DELETE WHERE content = ${sqlText(content)}`, "rows");
    }
  }
}

const keyOf = (content: string, rows: number) => ({ content: repeated(rows, content) });
