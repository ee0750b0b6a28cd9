// Where users' watch lists, areas and sky maps are taken in, changed and withdrawn. What they held before goes when it has
// been told what that changes: ingest/corrections/marks.ts. Made by cli/; called by resolvers/mark and server/marks.ts.
import { randomUUID } from "node:crypto";
import pLimit from "p-limit";
import { TocsinError } from "../../domain/errors.js";
import {
  MAX_HELD,
  MAX_MARKS,
  type Mark,
  type MarkedCells,
  type MarkKind,
  markOperand,
  mayChangeMark,
  maySeeMark,
  requireMarkName,
  type SkymapEvent,
  type WatchedPositions,
} from "../../domain/mark.js";
import { badMark, type Moc, mocFraction } from "../../domain/moc.js";
import type { ReadSkymap } from "../../domain/skymap.fits.js";
import { credibleArea } from "../../domain/skymap.js";
import { jdFromEpochMs } from "../../domain/time.js";
import type { Viewer } from "../../domain/viewer.js";
import type { MarkAbout, MarkChange, MarkDesk, MarkStores, SkymapAbout } from "../../stores/marks.store.js";
import { EntryCheck } from "./entries.js";
import type { HeldMarks } from "./held.js";

const MAX_DAYS = 3_660;
/** Positions of one insert. */
const PART = 100_000;

export interface DeskParts {
  readonly stores: Pick<MarkStores, "registry" | "contents">;
  /** Null in a process that only serves. */
  readonly held: Pick<HeldMarks, "settled"> | null;
}

export class Desk implements MarkDesk {
  /** One at a time: each looks for the name and for the room that is left before it adds. */
  readonly #serially = pLimit(1);

  constructor(private readonly parts: DeskParts) {}

  list(viewer: Viewer, kind: MarkKind): Mark[] {
    return this.parts.stores.registry.all().filter((mark) => mark.kind === kind && maySeeMark(viewer, mark));
  }

  get(viewer: Viewer, kind: MarkKind, name: string): Mark | null {
    return this.list(viewer, kind).find((mark) => mark.name === name) ?? null;
  }

  hidden(viewer: Viewer): ReadonlySet<string> {
    const unseen = this.parts.stores.registry.all().filter((mark) => !maySeeMark(viewer, mark));
    return new Set(unseen.map(markOperand));
  }

  async putList(viewer: Viewer, about: MarkAbout, blocks: AsyncIterable<WatchedPositions>): Promise<Mark> {
    requireMayChange(viewer);
    requireMarkName(about.name);
    const iterator = blocks[Symbol.asyncIterator]();
    try {
      // With its first block the whole upload is here: others do not wait for a slow one.
      const first = await iterator.next();
      return await this.#put(viewer, "WATCH_LIST", about, async (content) => {
        const check = new EntryCheck();
        for (let next = first; !next.done; next = await iterator.next()) {
          for (const part of parts(next.value)) {
            const firstRow = check.rows;
            await this.parts.stores.contents.addPositions(content, firstRow, check.take(part));
          }
        }
        check.end();
        return { size: check.rows, fraction: null, skymap: null };
      });
    } finally {
      await iterator.return?.();
    }
  }

  putArea(viewer: Viewer, about: MarkAbout, moc: Moc): Promise<Mark> {
    return this.#put(viewer, "AREA", about, async (content) => {
      const size = moc.edges.length / 2;
      if (size === 0) throw badMark("The area is empty.");
      const start = moc.edges.filter((_, n) => n % 2 === 0);
      const end = moc.edges.filter((_, n) => n % 2 === 1);
      await this.parts.stores.contents.addCells(content, { start, end, level: new Float64Array(size).fill(1) });
      return { size, fraction: mocFraction(moc), skymap: null };
    });
  }

  putSkymap(viewer: Viewer, about: SkymapAbout, map: ReadSkymap): Promise<Mark> {
    return this.#put(viewer, "SKYMAP", about, async (content, before) => {
      const skymap = eventOf(about, map, before?.skymap ?? null);
      await this.parts.stores.contents.addCells(content, map satisfies MarkedCells);
      return { size: map.level.length, fraction: null, skymap };
    });
  }

  change(viewer: Viewer, kind: MarkKind, name: string, change: MarkChange): Promise<Mark> {
    return this.#serially(async () => {
      const mark = this.#own(viewer, kind, name);
      if (change.name !== undefined && change.name !== name) this.#requireFree(kind, change.name);
      return this.parts.stores.registry.save({ ...mark, ...change });
    });
  }

  retract(viewer: Viewer, name: string): Promise<Mark> {
    return this.#end(viewer, "SKYMAP", name, "RETRACTED");
  }

  remove(viewer: Viewer, kind: MarkKind, name: string): Promise<Mark> {
    return this.#end(viewer, kind, name, "REMOVED");
  }

  #end(viewer: Viewer, kind: MarkKind, name: string, state: "RETRACTED" | "REMOVED"): Promise<Mark> {
    return this.#serially(async () => {
      const mark = this.#own(viewer, kind, name);
      return mark.state === state ? mark : this.parts.stores.registry.save({ ...mark, state });
    });
  }

  #put(
    viewer: Viewer,
    kind: MarkKind,
    about: MarkAbout,
    fill: (content: string, before: Mark | null) => Promise<Pick<Mark, "size" | "fraction" | "skymap">>,
  ): Promise<Mark> {
    const { registry, contents } = this.parts.stores;
    return this.#serially(async () => {
      requireMayChange(viewer);
      requireMarkName(about.name);
      const pastFromJd = pastFrom(about.pastDays);
      await registry.refresh();
      const before = registry.all().find((mark) => mark.kind === kind && mark.name === about.name) ?? null;
      if (before !== null && !mayChangeMark(viewer, before)) throw notYours(about.name);
      const others = registry.all().filter((mark) => mark.kind === kind && mark.id !== before?.id);
      if (others.length >= MAX_MARKS) throw badMark(`There may be ${MAX_MARKS} of a kind; remove one first.`);
      const content = randomUUID();
      try {
        const filled = await fill(content, before);
        const held = others.reduce((sum, { size }) => sum + size, filled.size);
        if (held > MAX_HELD && filled.size > MAX_HELD / 50) {
          throw badMark(
            `All of a kind may hold ${MAX_HELD} positions or cells together; with this one it were ${held}.`,
          );
        }
        const mark = await registry.save({
          id: before?.id ?? randomUUID(),
          ...{ kind, name: about.name, scope: before?.scope ?? viewer.scope, content, ...filled },
          description: about.description ?? before?.description ?? "",
          isShared: about.isShared ?? before?.isShared ?? false,
          state: "ACTIVE",
          revision: (before?.revision ?? 0) + 1,
          pastFromJd,
          createdAt: before?.createdAt ?? Date.now(),
          changedAt: 0,
        });
        // In force: the next batch is marked by it.
        await this.parts.held?.settled();
        return mark;
      } catch (error) {
        if (!registry.all().some((mark) => mark.content === content)) await contents.drop(content).catch(() => {});
        throw error;
      }
    });
  }

  #own(viewer: Viewer, kind: MarkKind, name: string): Mark {
    requireMayChange(viewer);
    const mark = this.get(viewer, kind, name);
    if (mark === null)
      throw new TocsinError("UNKNOWN_MARK", `There is none of the name ${JSON.stringify(name.slice(0, 80))}.`);
    if (!mayChangeMark(viewer, mark)) throw notYours(name);
    return mark;
  }

  #requireFree(kind: MarkKind, name: string): void {
    requireMarkName(name);
    if (this.parts.stores.registry.all().some((mark) => mark.kind === kind && mark.name === name)) {
      throw new TocsinError("DUPLICATE_KEY", `The name ${name} is taken.`);
    }
  }
}

function requireMayChange(viewer: Viewer): void {
  if (!viewer.mayChange)
    throw new TocsinError("NOT_ALLOWED", "The caller may not make or change watch lists, areas and sky maps.");
}
const notYours = (name: string) => new TocsinError("NOT_ALLOWED", `${name} belongs to somebody else.`);

function pastFrom(days: number | null | undefined): number {
  if (days == null) return 0;
  if (!(days >= 0 && days <= MAX_DAYS)) throw badMark(`pastDays must be from 0 to ${MAX_DAYS}, found ${days}.`);
  return jdFromEpochMs(Date.now()) - days;
}

function eventOf(about: SkymapAbout, map: ReadSkymap, before: SkymapEvent | null): SkymapEvent {
  const jd = about.jd ?? map.header.jd ?? before?.jd;
  if (jd === undefined || jd === null) throw badMark("The file does not say when the event was; say it (time=…).");
  const days = (name: "daysBefore" | "daysAfter", kept: number) => {
    const value = about[name] ?? kept;
    if (!(value >= 0 && value <= MAX_DAYS)) throw badMark(`${name} must be from 0 to ${MAX_DAYS}, found ${value}.`);
    return value;
  };
  return {
    event: about.event ?? map.header.event ?? before?.event ?? null,
    jd,
    startJd: jd - days("daysBefore", before === null ? 0 : before.jd - before.startJd),
    endJd: jd + days("daysAfter", before === null ? 14 : before.endJd - before.jd),
    area50: credibleArea(map, 0.5),
    area90: credibleArea(map, 0.9),
    distanceMpc: map.header.distanceMpc,
    distanceErrorMpc: map.header.distanceErrorMpc,
  };
}

/** In blocks of bounded size. */
function* parts({ names, ra, dec, radiusArcsec }: WatchedPositions): Generator<WatchedPositions> {
  for (let from = 0; from < ra.length; from += PART) {
    const to = from + PART;
    yield {
      names: names.slice(from, to),
      ra: ra.slice(from, to),
      dec: dec.slice(from, to),
      radiusArcsec: radiusArcsec.slice(from, to),
    };
  }
}
