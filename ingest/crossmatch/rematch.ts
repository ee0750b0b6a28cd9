// Archived alerts are matched with catalogs that came or changed after them, slowly and beside everything else: what was
// begun goes on after a restart, and matches of removed catalogs go. Every alert, not only every object's latest: a
// backtest asks what lay near each of them. Made by cli/matching.ts.
import type { Catalog } from "../../domain/catalog.js";
import type { Block } from "../../domain/columns.js";
import type { Survey } from "../../domain/survey.js";
import type { CatalogStore } from "../../stores/catalogs.store.js";
import type { MatchedAlert, MatchedObject, MatchStore, Rematch, RematchStore } from "../../stores/matches.store.js";
import { createEachArchived } from "../archived.js";
import { CROSSMATCH_STEP } from "../enrich/crossmatch.js";
import { type Fillable, fillIn } from "../fillin.js";
import { passes } from "../persistently.js";
import { bigColumn, numberColumn, objectsOf } from "../rows.js";
import { createRest, createWorker } from "../worker.js";
import type { MatchedCatalogs } from "./catalogs.js";
import { matchRows } from "./rows.js";

/** Alerts at a time. */
const CHUNK = 5_000;
/** Batches that began so long before a catalog was there may have been written after it without being matched with it. */
const LATE_MS = 10 * 60_000;
/** What failed, was missed, or was another process's to do, is looked at again. */
const AGAIN_MS = 30_000;

export interface RematcherParts {
  readonly catalogs: Pick<MatchedCatalogs, "active" | "match" | "settled">;
  readonly registry: Pick<CatalogStore, "list" | "onChange">;
  readonly matches: Pick<MatchStore, "write" | "matchedBetween" | "catalogs" | "matchedAfter" | "withdraw">;
  readonly rematches: RematchStore;
  /** What could not be matched when it came. */
  readonly missing: Fillable;
  /** A new batch id: its rows take the place of those of earlier batches. */
  readonly begin: () => bigint;
  readonly surveys: readonly Survey[];
  /** Of the step: matches of earlier versions are made again. */
  readonly version: string;
  /** One process at a time; twice does no harm. */
  readonly mayRun: () => boolean;
  /** Whether ingest is at work. */
  readonly isBusy: () => boolean;
  /** Rows of alerts that have been matched again: the graph follows. */
  readonly onMatched?: (survey: Survey, catalog: Catalog, rows: Block) => Promise<void>;
  /** Alerts that have other matches in a catalog than before. After a crash also some that have not. */
  readonly onChanged?: (survey: Survey, catalog: string, alerts: readonly MatchedObject[]) => Promise<void>;
  readonly log: (line: string) => void;
}

export interface Rematcher {
  /** Resolves when nothing is left to do, or it has failed and waits. */
  idle(): Promise<void>;
  close(): Promise<void>;
}

export function createRematcher(parts: RematcherParts): Rematcher {
  const { catalogs, registry, matches, rematches, surveys, version, mayRun, log } = parts;
  const rest = createRest(parts.isBusy);
  const each = createEachArchived({ rematches, chunk: CHUNK, rest, mayRun });
  /** Catalogs have changed since all of them were gone through, or that has failed. */
  let stale = false;

  async function work(signal: AbortSignal): Promise<boolean> {
    try {
      if (stale) await rematchAll(signal);
      await matchMissed(signal);
    } catch (error) {
      stale = true;
      throw error;
    }
    return stale;
  }

  async function rematchAll(signal: AbortSignal): Promise<void> {
    stale = false;
    // A large catalog takes a while to be read.
    await Promise.race([catalogs.settled(), aborted(signal)]);
    if (signal.aborted) return;
    await withdraw(new Set((await registry.list()).map(({ name }) => name)), signal);
    for (const [catalog, survey] of catalogs.active().flatMap((one) => surveys.map((of) => [one, of] as const))) {
      if (signal.aborted) return;
      await rematch(catalog, survey, signal);
    }
  }

  /** What the step could not match in the stream. A catalog that still cannot be matched is let be until the next time. */
  async function matchMissed(signal: AbortSignal): Promise<void> {
    const broken = new Map<string, Error>();
    await fillIn(parts.missing, CROSSMATCH_STEP, async ({ part, survey }, alerts) => {
      const startedAt = performance.now();
      for (const catalog of catalogs.active().filter(({ name }) => part === null || part === name)) {
        if (signal.aborted || stale || broken.has(catalog.name)) return false;
        try {
          await match(catalog, survey, alerts, false);
        } catch (error) {
          if (passes(error)) throw error;
          broken.set(catalog.name, error as Error);
          return false;
        }
      }
      await rest(startedAt, signal);
      return true;
    });
    for (const [name, { message }] of broken)
      log(`Catalog ${name} cannot be matched with alerts that miss it: ${message}`);
  }

  /** Told first: what is gone cannot be told of. */
  async function withdraw(kept: ReadonlySet<string>, signal: AbortSignal): Promise<void> {
    const gone = (await matches.catalogs()).filter((name) => !kept.has(name));
    for (const [name, survey] of gone.flatMap((one) => surveys.map((of) => [one, of] as const))) {
      for (let after: MatchedAlert | null = null; ; ) {
        if (signal.aborted) return;
        const alerts: MatchedObject[] = await matches.matchedAfter(survey, name, after, CHUNK);
        if (alerts.length > 0) await parts.onChanged?.(survey, name, alerts);
        if (alerts.length < CHUNK) break;
        after = alerts.at(-1)!;
      }
    }
    await matches.withdraw([...kept]);
  }

  async function rematch(catalog: Catalog, survey: Survey, signal: AbortSignal): Promise<void> {
    const { name, revision } = catalog;
    const begun = (await rematches.rematches([name])).find(
      (one) => one.revision === revision && one.version === version && one.survey === survey,
    );
    if (begun?.complete) return;
    let at: Rematch = begun ?? {
      ...{ catalog: name, revision, version, survey, startedAt: Date.now(), until: null, done: 0, complete: false },
      total: await rematches.alertCount(survey),
    };
    // So that a run which is interrupted is known to have begun.
    if (begun === undefined) await rematches.saveRematch(at);
    // A chunk may have been written before the interruption and not been told of: the first one is told of as a whole.
    let told = begun !== undefined;
    const startedAt = performance.now();
    const most = await each({ survey, after: at.until }, signal, async (alerts, last) => {
      if (!isActive(catalog)) return false;
      await match(catalog, survey, alerts, told);
      told = false;
      at = { ...at, until: last, done: at.done + alerts.rows };
      await rematches.saveRematch(at);
      return true;
    });
    // What was written meanwhile by batches that had begun before.
    const late = async (): Promise<boolean> =>
      each({ survey, after: null, writtenSince: at.startedAt - LATE_MS }, signal, async (alerts) => {
        if (!isActive(catalog)) return false;
        await match(catalog, survey, alerts, begun !== undefined);
        return true;
      });
    if (!most || !(await late())) {
      stale = true;
      return;
    }
    await rematches.saveRematch({ ...at, total: Math.max(at.done, at.total), complete: true });
    if (at.done > 0) {
      const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
      log(`Matched ${at.done} archived alerts of ${survey} with catalog ${name} in ${seconds} s.`);
    }
  }

  /** `whole`: all that have or had matches are told to have changed. */
  async function match(catalog: Catalog, survey: Survey, alerts: Block, whole: boolean): Promise<void> {
    const ra = numberColumn(alerts, "ra").values as Float64Array;
    const dec = numberColumn(alerts, "dec").values as Float64Array;
    const jd = numberColumn(alerts, "jd").values;
    const candid = bigColumn(alerts, "candid").values;
    const found = await catalogs.match(catalog, ra, dec);
    const before = await matches.matchedBetween(survey, catalog.name, jd[0]!, jd[alerts.rows - 1]!);
    const known = new Set(before.map((alert) => alert.candid));
    const emptied = Array.from({ length: alerts.rows }, (_, row) => row).filter((row) => known.has(candid[row]!));
    const rows = matchRows({ alerts, matches: found, catalog, version }, emptied);
    if (rows.rows === 0) return;
    const differing = await matches.write(survey, parts.begin(), rows);
    await parts.onMatched?.(survey, catalog, rows);
    const changed = objectsOf(rows).filter((one) => whole || differing.has(one.candid));
    if (changed.length > 0) await parts.onChanged?.(survey, catalog.name, changed);
  }

  const isActive = ({ name, revision }: Catalog): boolean =>
    catalogs.active().some((one) => one.name === name && one.revision === revision);

  const worker = createWorker({
    ...{ work, mayRun, everyMs: AGAIN_MS },
    onFault: (error) => log(`Archived alerts could not be matched with the catalogs: ${error.message}`),
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

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
