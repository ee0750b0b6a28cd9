// Packets that come late: an alert whose object has later ones already adds to their light curves. Looked for behind the
// stream, in the order of commits; begins where it was after a restart. Made by cli/corrections.ts.
import { setTimeout as delay } from "node:timers/promises";
import type { Survey } from "../../domain/survey.js";
import type { AlertOfProgram, Arrival, ArrivalStore, LateAlert } from "../../stores/corrections.store.js";
import { createWorker, type Worker } from "../worker.js";
import type { LateCounterparts } from "./late.counterparts.js";
import type { Change, Tell } from "./teller.js";

/** Of the rule by which an alert is late. */
export const LATE_VERSION = "1";

const WORK = "late packets";
const EVERY_MS = 2_000;
/** Commits of several processes are seen in another order than that of their times by so much at most. */
const OVERLAP_MS = 60_000;
/** How far it has come is kept so often: what comes after is looked at twice after a restart. */
const SAVE_MS = 30_000;
const BATCHES = 500;
/** Alerts that are told of together. */
const TOGETHER = 10_000;
/** While alerts come in, so many times the time of a look is left to others. */
const REST_BUSY = 9;

export interface LateParts {
  readonly arrivals: ArrivalStore;
  readonly counterparts: LateCounterparts;
  readonly tell: Tell;
  /** Makes the features of these alerts anew; their light curves have changed. */
  readonly remake: (survey: Survey, alerts: readonly AlertOfProgram[]) => Promise<void>;
  /** Programids that everybody may see. */
  readonly publicProgramids: (survey: Survey) => readonly number[];
  readonly mayRun: () => boolean;
  readonly isBusy: () => boolean;
  readonly log: (line: string) => void;
}

interface Changed {
  readonly change: Change & { readonly source: string };
  readonly alerts: readonly AlertOfProgram[];
}

export function createLateFinder(parts: LateParts): Worker {
  const { arrivals, counterparts, tell, remake, isBusy } = parts;
  /** Everything committed before is looked at, but for the overlap. */
  let since: number | null = null;
  let savedAt = 0;
  /** Batches looked at, with the times of their commits. */
  const seen = new Map<bigint, number>();
  /** The latest time that any alert had before. */
  const latest = new Map<Survey, number>();

  async function work(signal: AbortSignal): Promise<boolean> {
    since ??= (await arrivals.progress(WORK)) ?? (await begun());
    let from = since - OVERLAP_MS;
    for (;;) {
      const page = await arrivals.commits(from, BATCHES);
      const fresh = page.filter(({ batch }) => !seen.has(batch));
      const committed = new Map(fresh.map(({ batch, committedAt }) => [batch, committedAt]));
      for (const arrival of await arrivals.arrivals(fresh.map(({ batch }) => batch))) {
        if (signal.aborted || !parts.mayRun()) return false;
        await look(arrival, signal);
        counterparts.came(arrival, committed.get(arrival.batch)!);
      }
      for (const { batch, committedAt } of fresh) {
        seen.set(batch, committedAt);
        since = Math.max(since, committedAt);
      }
      for (const [batch, committedAt] of seen) if (committedAt < since - OVERLAP_MS) seen.delete(batch);
      await counterparts.look(signal);
      const done = Math.min(since, counterparts.waitsSince() ?? since);
      if (done - savedAt > SAVE_MS) {
        await arrivals.saveProgress(WORK, done);
        savedAt = done;
      }
      if (page.length < BATCHES) return false;
      from = page.at(-1)!.committedAt;
    }
  }

  /** What was archived before there was anybody to look is not looked at. */
  async function begun(): Promise<number> {
    const now = Date.now();
    await arrivals.saveProgress(WORK, now);
    return now;
  }

  async function look({ survey, batch, minJd, maxJd }: Arrival, signal: AbortSignal): Promise<void> {
    const before = latest.get(survey) ?? (await arrivals.latestJd(survey)) ?? Number.NEGATIVE_INFINITY;
    // Nearly every batch of a stream is later than all before.
    if (minJd < before) {
      const startedAt = performance.now();
      const changes = (await arrivals.late(survey, batch, before)).flatMap((late) => changeOf(survey, late) ?? []);
      for (const group of inGroups(changes)) await changed(survey, group);
      if (isBusy()) await delay((performance.now() - startedAt) * REST_BUSY, undefined, { signal }).catch(() => {});
    }
    latest.set(survey, Math.max(before, maxJd));
  }

  async function changed(survey: Survey, changes: readonly Changed[]): Promise<void> {
    const candids = changes.map(({ change }) => BigInt(change.source));
    const told = await arrivals.told(survey, candids, since! - OVERLAP_MS - 2 * SAVE_MS);
    const fresh = changes.filter((_, n) => !told.has(candids[n]!));
    if (fresh.length === 0) return;
    const alerts = new Map(fresh.flatMap(({ alerts: own }) => own.map((alert) => [alert.candid, alert])));
    // In this order: what was told of has been done.
    await remake(survey, [...alerts.values()]);
    await tell(fresh.map(({ change }) => change));
  }

  /** Of the later alerts those whose history holds the late one, and whose viewers may all know of it. */
  function changeOf(survey: Survey, { candid, programid, later }: LateAlert): Changed | null {
    const isPublic = parts.publicProgramids(survey).includes(programid);
    const alerts = later.filter((alert) => isPublic || alert.programid === programid);
    if (alerts.length === 0) return null;
    const change = {
      ...{ survey, alerts, what: "PHOTOMETRY" as const, step: "late", version: LATE_VERSION },
      ...{ source: String(candid), scope: null, reads: ["detections", "nonDetections", "forced"] },
    };
    return { change, alerts };
  }

  return createWorker({
    work,
    mayRun: parts.mayRun,
    everyMs: EVERY_MS,
    onFault: (error) => parts.log(`Late packets could not be looked for: ${error.message}`),
  });
}

function inGroups(changes: readonly Changed[]): Changed[][] {
  const groups: Changed[][] = [];
  let alerts = Number.POSITIVE_INFINITY;
  for (const one of changes) {
    if (alerts + one.alerts.length > TOGETHER) {
      groups.push([]);
      alerts = 0;
    }
    groups.at(-1)!.push(one);
    alerts += one.alerts.length;
  }
  return groups;
}
