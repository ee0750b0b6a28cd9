// Archived alerts are marked by watch lists, areas and sky maps that came after them, beside everything else: what was begun
// goes on after a restart. Made by cli/marks.ts.
import { setTimeout as delay } from "node:timers/promises";
import type { Block } from "../../domain/columns.js";
import { type Mark, markOperand } from "../../domain/mark.js";
import type { Survey } from "../../domain/survey.js";
import type { MarkedStore, MarkRegistry } from "../../stores/marks.store.js";
import type { MatchedObject, Rematch, RematchStore } from "../../stores/matches.store.js";
import { createEachArchived } from "../archived.js";
import { MARKS_STEP, MARKS_VERSION } from "../enrich/marks.js";
import { type Fillable, fillIn } from "../fillin.js";
import { numberColumn, objectsOf } from "../rows.js";
import { createRest, createWorker } from "../worker.js";
import type { HeldMarks } from "./held.js";
import { markRows } from "./rows.js";

/** Alerts at a time. */
const CHUNK = 20_000;
/** Marking is cheap: so many times a chunk's own time is left to others, beside ingest and alone. */
const REST_BUSY = 4;
const REST_ALONE = 0.2;
/** Batches that began so long before a mark was there may have been written after it without being marked by it. */
const LATE_MS = 60_000;
/** Every process has heard of a mark so long after it was saved. */
const HEARD_MS = 5_000;
const AGAIN_MS = 10_000;
const LOWEST_ID = -(2n ** 63n);

/** Progress is kept beside that of catalogs, under a name that no catalog has. */
export const pastKey = ({ content }: Pick<Mark, "content">): string => `mark ${content}`;

export interface PastMarkerParts {
  readonly registry: Pick<MarkRegistry, "all" | "onChange">;
  readonly held: Pick<HeldMarks, "hold" | "settled">;
  readonly marked: Pick<MarkedStore, "write">;
  readonly rematches: RematchStore;
  /** What could not be marked when it came. */
  readonly missing: Fillable;
  /** Alerts that a mark holds and that it should have marked when they came. */
  readonly onMissed?: (survey: Survey, mark: Mark, alerts: readonly MatchedObject[]) => Promise<void>;
  /** A new batch id. */
  readonly begin: () => bigint;
  readonly surveys: readonly Survey[];
  /** One process at a time; twice does no harm. */
  readonly mayRun: () => boolean;
  /** Whether ingest is at work. */
  readonly isBusy: () => boolean;
  /** Whether other processes ingest too. */
  readonly shared: boolean;
  readonly log: (line: string) => void;
}

export interface PastMarker {
  /** Resolves when nothing is left to do, or it has failed and waits. */
  idle(): Promise<void>;
  close(): Promise<void>;
}

export function createPastMarker(parts: PastMarkerParts): PastMarker {
  const { registry, held, marked, rematches, surveys, mayRun } = parts;
  const rest = createRest(parts.isBusy, REST_BUSY, REST_ALONE);
  const each = createEachArchived({ rematches, chunk: CHUNK, rest, mayRun });
  /** Marks have changed since all of them were gone through, or that has failed. */
  let stale = false;

  async function work(signal: AbortSignal): Promise<boolean> {
    try {
      if (stale) await markAll(signal);
      await markMissed(signal);
    } catch (error) {
      stale = true;
      throw error;
    }
    return stale;
  }

  const active = (): Mark[] => registry.all().filter(({ state }) => state === "ACTIVE");

  async function markAll(signal: AbortSignal): Promise<void> {
    stale = false;
    await held.settled();
    for (const mark of active()) {
      for (const survey of surveys) {
        if (signal.aborted) return;
        await markPast(mark, survey, signal);
      }
    }
  }

  /** What the step could not mark in the stream: by all, where the mark has another name by now. */
  async function markMissed(signal: AbortSignal): Promise<void> {
    await fillIn(parts.missing, MARKS_STEP, async ({ part, survey }, alerts) => {
      const named = active().filter((mark) => markOperand(mark) === part);
      for (const mark of named.length > 0 ? named : active()) {
        if (signal.aborted || stale) return false;
        const rows = await write(mark, survey, alerts);
        if (rows === null) return false;
        if (rows.rows > 0) await parts.onMissed?.(survey, mark, objectsOf(rows));
      }
      return true;
    });
  }

  async function markPast(mark: Mark, survey: Survey, signal: AbortSignal): Promise<void> {
    const key = pastKey(mark);
    const begun = (await rematches.rematches([key])).find(
      (one) => one.version === MARKS_VERSION && one.survey === survey,
    );
    if (begun?.complete) return;
    let at: Rematch = begun ?? {
      ...{ catalog: key, revision: mark.revision, version: MARKS_VERSION, survey, startedAt: Date.now() },
      ...{ until: null, done: 0, complete: false, total: await rematches.alertCount(survey) },
    };
    const fromJd = Math.max(mark.pastFromJd, mark.skymap?.startJd ?? 0);
    const first = fromJd === 0 ? null : { jd: fromJd, candid: LOWEST_ID };
    await each({ survey, after: at.until ?? first }, signal, async (alerts, last) => {
      if ((await write(mark, survey, alerts)) === null) return false;
      at = { ...at, until: last, done: at.done + alerts.rows };
      await rematches.saveRematch(at);
      return last.jd <= (mark.skymap?.endJd ?? Number.POSITIVE_INFINITY);
    });
    // What was written meanwhile by batches that had begun before, here or in processes that had not heard yet.
    if (parts.shared) await delay(Math.max(0, mark.changedAt + HEARD_MS - Date.now()), undefined, { signal });
    const whole = await each(
      { survey, after: null, writtenSince: mark.changedAt - LATE_MS },
      signal,
      async (alerts) => {
        return (await write(mark, survey, alerts)) !== null;
      },
    );
    if (whole) await rematches.saveRematch({ ...at, total: Math.max(at.done, at.total), complete: true });
  }

  /** The rows of the alerts that it holds; null where the mark has been replaced or removed. */
  async function write(mark: Mark, survey: Survey, alerts: Block): Promise<Block | null> {
    const [jd, ra, dec] = ["jd", "ra", "dec"].map((name) => numberColumn(alerts, name).values as Float64Array);
    const holdings = await held.hold(jd!, ra!, dec!, mark);
    if (holdings.length === 0) return null;
    const rows = markRows(alerts, holdings);
    await marked.write(survey, parts.begin(), rows);
    return rows;
  }

  const worker = createWorker({
    ...{ work, mayRun, everyMs: AGAIN_MS },
    onFault: (error) => parts.log(`Archived alerts could not be marked: ${error.message}`),
  });
  const nudge = (): void => {
    stale = true;
    worker.nudge();
  };
  const stopHearing = registry.onChange(nudge);
  nudge();
  return {
    idle: worker.idle,
    close() {
      stopHearing();
      return worker.close();
    },
  };
}
