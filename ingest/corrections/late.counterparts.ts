// Packets of one survey that come after alerts of another one whose counterparts they tell of: filters that read the
// counterparts' detections are run again over those alerts. Used by late.ts.
import { setTimeout as delay } from "node:timers/promises";
import { counterpartList } from "../../domain/photometry.js";
import type { Survey, SurveyDescription } from "../../domain/survey.js";
import type { ActiveFilters } from "../../filters/active.js";
import type { Arrival, ArrivalStore } from "../../stores/corrections.store.js";
import { otherSurvey } from "../../stores/counterparts.store.js";
import type { FilterStore } from "../../stores/filters.store.js";
import { concerned } from "./concerned.js";
import type { Tell } from "./teller.js";

/** Batches that were on their way while this one was written are through after so long. */
const SETTLED_MS = 10_000;
/** Late objects that are looked at together. */
const OBJECTS = 1_000;
/** Alerts that are told of together. */
const TOGETHER = 10_000;
/** While alerts come in, so many times the time of a look is left to others. */
const REST_BUSY = 9;

export interface LateCounterpartsParts {
  readonly arrivals: Pick<ArrivalStore, "latestJd" | "objectsIn" | "alertsNear">;
  readonly active: Pick<ActiveFilters, "of">;
  readonly filters: Pick<FilterStore, "active">;
  readonly surveys: ReadonlyMap<Survey, SurveyDescription>;
  readonly tell: Tell;
  readonly isBusy: () => boolean;
  /** Of the rule by which an alert is late. */
  readonly version: string;
}

export interface LateCounterparts {
  came(arrival: Arrival, committedAt: number): void;
  /** Looks at what came and has settled. Safe to repeat after a failure. */
  look(signal: AbortSignal): Promise<void>;
  /** When the first was committed that has not been looked at (epoch ms); null: nothing waits. */
  waitsSince(): number | null;
}

export function createLateCounterparts(parts: LateCounterpartsParts): LateCounterparts {
  const { arrivals, active, filters, surveys, tell, version } = parts;
  /** In the order of commits. */
  const waiting: { readonly arrival: Arrival; readonly committedAt: number }[] = [];

  /** Since when alerts of the survey were for its filters that read the list to find; null: none reads it. */
  async function readSince(survey: Survey, list: string): Promise<number | null> {
    const readers = new Set((await concerned(active, survey, [list])).map(({ id }) => id));
    if (readers.size === 0) return null;
    const read = (await filters.active()).filter(({ id }) => readers.has(id));
    return Math.min(...read.map(({ versions }) => versions.at(-1)!.createdAt));
  }

  async function lookFor(arrival: Arrival, of: SurveyDescription, signal: AbortSignal): Promise<void> {
    const own = surveys.get(arrival.survey);
    if (own === undefined) return;
    const list = counterpartList(own.id);
    const since = await readSince(of.id, list);
    if (since === null) return;
    const latest = (await arrivals.latestJd(of.id)) ?? Number.NEGATIVE_INFINITY;
    // An alert of the same time knows of it too.
    if (arrival.minJd > latest) return;
    const objects = await arrivals.objectsIn(arrival, own.publicProgramids, nextAfter(latest));
    const other = otherSurvey(of, own);
    const change = { survey: of.id, what: "PHOTOMETRY" as const, step: "late", version, source: list, scope: null };
    for (let at = 0; at < objects.length && !signal.aborted; at += OBJECTS) {
      const startedAt = performance.now();
      const alerts = await arrivals.alertsNear(of.id, other, objects.slice(at, at + OBJECTS), since);
      for (let from = 0; from < alerts.length; from += TOGETHER) {
        await tell([{ ...change, alerts: alerts.slice(from, from + TOGETHER), reads: [list], forFilters: true }]);
      }
      if (parts.isBusy()) {
        await delay((performance.now() - startedAt) * REST_BUSY, undefined, { signal }).catch(() => {});
      }
    }
  }

  return {
    came(arrival, committedAt) {
      waiting.push({ arrival, committedAt });
    },
    async look(signal) {
      while (waiting.length > 0 && waiting[0]!.committedAt < Date.now() - SETTLED_MS) {
        const [{ arrival }] = waiting as [(typeof waiting)[number]];
        for (const of of surveys.values()) if (of.id !== arrival.survey) await lookFor(arrival, of, signal);
        if (signal.aborted) return;
        waiting.shift();
      }
    },
    waitsSince: () => waiting[0]?.committedAt ?? null,
  };
}

/** Times before this one are up to then. */
const nextAfter = (jd: number): number => jd + Math.abs(jd) * Number.EPSILON;
