// What the active marks hold, in memory, and which positions they hold: the same for the live stream and for the past.
// Made by cli/; asked by ingest/enrich/marks.ts, past.ts and desk.ts.
import { nestedPixels } from "../../domain/healpix.js";
import { MAX_WATCH_MATCHES, type Mark, type MarkedCells, type WatchedPositions } from "../../domain/mark.js";
import { buildSkyJoin, type SkyJoin, type SkyMatches } from "../../domain/skyjoin.js";
import { cellAt } from "../../domain/skymap.js";
import type { MarkContents, MarkRegistry } from "../../stores/marks.store.js";

/** A load that failed is tried again after this, or with the next change. */
const AGAIN_MS = 5_000;

/** Names end to end: a million texts of their own would take three times the memory. */
class Names {
  readonly #bytes: Buffer;
  readonly #ends: Uint32Array;

  constructor(names: readonly (readonly string[])[], count: number) {
    this.#ends = new Uint32Array(count);
    const parts = names.map((part) => Buffer.from(part.join("\0")));
    let row = 0;
    let at = 0;
    for (const part of names) {
      for (const name of part) {
        at += Buffer.byteLength(name) + 1;
        this.#ends[row++] = at;
      }
    }
    this.#bytes = Buffer.concat(parts.flatMap((part) => [part, Buffer.from("\0")]));
  }

  of(row: number): string {
    return this.#bytes.toString("utf8", row === 0 ? 0 : this.#ends[row - 1]!, this.#ends[row]! - 1);
  }
}

export interface HeldList {
  readonly join: SkyJoin;
  readonly names: { of(row: number): string };
  readonly ra: Float64Array;
  readonly dec: Float64Array;
}

interface Held {
  readonly content: string;
  readonly list: HeldList | null;
  readonly cells: MarkedCells | null;
}

/** A mark and the positions that it holds. Of a list `matches` says which of its positions, of the others `level`. */
export interface Holding {
  readonly mark: Mark;
  /** What has decided it: Mark.content, or for moments the one before it. */
  readonly content: string;
  readonly list: HeldList | null;
  readonly matches: SkyMatches | null;
  /** Of areas and sky maps: NaN where the position is not held. */
  readonly level: Float64Array | null;
  /** Of sky maps, Mpc: NaN where the position is not held or the map does not tell. */
  readonly distance: { readonly mean: Float64Array; readonly sigma: Float64Array } | null;
}

export interface HeldMarks {
  /**
   * What each active mark holds of these alerts. Waits for the first load: an alert is never stored without its marks. One
   * that fails is told and left out; where nobody hears of it, its error is thrown.
   */
  hold(
    jd: ArrayLike<number>,
    ra: Float64Array,
    dec: Float64Array,
    only?: Mark | null,
    onBroken?: (mark: Mark, error: unknown) => void,
  ): Promise<Holding[]>;
  /** Resolves when everything that the registry tells of has been loaded. Throws why it could not be. */
  settled(): Promise<void>;
  close(): void;
}

export interface HeldMarksParts {
  readonly registry: Pick<MarkRegistry, "all" | "onChange">;
  readonly contents: Pick<MarkContents, "positions" | "cells">;
  /** Takes a line that is worth telling. */
  readonly log: (line: string) => void;
}

export function createHeldMarks({ registry, contents, log }: HeldMarksParts): HeldMarks {
  /** By the mark's id. */
  const held = new Map<string, Held>();
  let closed = false;
  let loading: Promise<void> | null = null;
  let again: NodeJS.Timeout | undefined;
  const active = () => registry.all().filter(({ state }) => state === "ACTIVE");

  async function load(): Promise<void> {
    const ids = new Set(active().map(({ id }) => id));
    for (const id of held.keys()) if (!ids.has(id)) held.delete(id);
    for (let missing = next(); missing !== undefined && !closed; missing = next()) {
      const read = await read_(missing);
      held.set(missing.id, read);
    }
  }
  const next = () => active().find(({ id, content }) => held.get(id)?.content !== content);

  async function read_({ kind, content }: Mark): Promise<Held> {
    if (kind !== "WATCH_LIST") return { content, list: null, cells: await contents.cells(content) };
    return { content, list: await heldList(contents.positions(content)), cells: null };
  }

  function changed(): void {
    clearTimeout(again);
    loading = (loading ?? Promise.resolve()).catch(() => {}).then(load);
    loading.catch((error: unknown) => {
      if (closed) return;
      log(`Watch lists, areas or sky maps could not be loaded: ${(error as Error).message}`);
      again = setTimeout(changed, AGAIN_MS).unref();
    });
  }

  const stopHearing = registry.onChange(changed);
  changed();
  let isReady = false;

  return {
    async hold(jd, ra, dec, only = null, onBroken) {
      if (!isReady) await loading;
      isReady = true;
      let pixels: BigUint64Array | null = null;
      return active().flatMap((mark): Holding[] => {
        const own = held.get(mark.id);
        if (own === undefined || (only !== null && (mark.id !== only.id || own.content !== only.content))) return [];
        const { content, list, cells } = own;
        try {
          const matches = list?.join.join(ra, dec, MAX_WATCH_MATCHES) ?? null;
          if (cells === null) return [{ mark, content, list, matches, level: null, distance: null }];
          if (pixels === null) {
            const made = new BigUint64Array(ra.length);
            nestedPixels(ra, dec, made);
            pixels = made;
          }
          return [{ mark, content, list, matches, ...valuesOf(mark, cells, pixels, jd) }];
        } catch (error) {
          if (onBroken === undefined) throw error;
          onBroken(mark, error);
          return [];
        }
      });
    },
    async settled() {
      await loading;
    },
    close() {
      closed = true;
      clearTimeout(again);
      stopHearing();
      held.clear();
    },
  };
}

/** Of a list of positions, in blocks. */
export async function heldList(blocks: AsyncIterable<WatchedPositions>): Promise<HeldList> {
  const parts: WatchedPositions[] = [];
  for await (const block of blocks) parts.push(block);
  const count = parts.reduce((sum, { ra }) => sum + ra.length, 0);
  const joined = <A extends Float64Array | Float32Array>(all: A, of: (part: WatchedPositions) => A): A => {
    let at = 0;
    for (const part of parts) {
      all.set(of(part), at);
      at += of(part).length;
    }
    return all;
  };
  const ra = joined(new Float64Array(count), (part) => part.ra);
  const dec = joined(new Float64Array(count), (part) => part.dec);
  const radiusArcsec = joined(new Float32Array(count), (part) => part.radiusArcsec);
  const names = new Names(
    parts.map((part) => part.names),
    count,
  );
  return { join: await buildSkyJoin({ ra, dec, radiusArcsec }), names, ra, dec };
}

function valuesOf(
  { kind, skymap }: Mark,
  cells: MarkedCells,
  pixels: BigUint64Array,
  jd: ArrayLike<number>,
): Pick<Holding, "level" | "distance"> {
  const missing = () => new Float64Array(pixels.length).fill(Number.NaN);
  const level = missing();
  const distance = kind === "SKYMAP" ? { mean: missing(), sigma: missing() } : null;
  for (let row = 0; row < pixels.length; row++) {
    if (skymap !== null && !(jd[row]! >= skymap.startJd && jd[row]! < skymap.endJd)) continue;
    const cell = cellAt(cells, pixels[row]!);
    if (cell === null) continue;
    level[row] = cells.level[cell]!;
    if (distance === null || cells.distance === undefined) continue;
    distance.mean[row] = cells.distance.mean[cell]!;
    distance.sigma[row] = cells.distance.sigma[cell]!;
  }
  return { level, distance };
}
