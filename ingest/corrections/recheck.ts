// Filters are run again over alerts whose values have changed, by the archive's evaluation of their texts, and what differs
// from their hits is told. Slowly and beside everything else; what was begun goes on after a restart. Made by cli/corrections.ts.
import { TocsinError } from "../../domain/errors.js";
import type { Survey } from "../../domain/survey.js";
import type { Viewer } from "../../domain/viewer.js";
import type { ActiveFilters } from "../../filters/active.js";
import type { CompiledExpression } from "../../filters/compile.js";
import type { BacktestStore } from "../../stores/backtest.store.js";
import type {
  AlertToCheck,
  CorrectionStore,
  HitChange,
  HitCheckStore,
  ToldCorrection,
} from "../../stores/corrections.store.js";
import type { FilterStore } from "../../stores/filters.store.js";
import { createRest, createWorker, type Worker } from "../worker.js";
import { type ConcernedFilter, concerned } from "./concerned.js";

/** Of the comparison. Raise it with every change of what is a hit that was withdrawn or added. */
const RECHECK_VERSION = "1";

/** Alerts of one evaluation. */
const PAGE = 1_000;
const BATCHES_AT_ONCE = 20;
const EVERY_MS = 60_000;
/** What could not be done is looked at again after so long. */
const AGAIN_MS = 5_000;
/** All that was ever told is looked at when the process begins, later what was told in the last day. */
const BACK_MS = 86_400_000;
/** An alert that is not committed by then never will be under this batch. */
const WAIT_MS = 3_600_000;

export interface RecheckParts {
  readonly checks: HitCheckStore;
  readonly corrections: Pick<CorrectionStore, "tell">;
  readonly active: Pick<ActiveFilters, "of">;
  readonly filters: Pick<FilterStore, "active">;
  readonly backtest: Pick<BacktestStore, "values">;
  readonly begin: () => bigint;
  readonly mayRun: () => boolean;
  readonly isBusy: () => boolean;
  readonly onTold: () => void;
  readonly log: (line: string) => void;
}

/** A filter as it is run again. */
interface Checked extends ConcernedFilter {
  readonly version: number;
  /** Epoch milliseconds: alerts from then on were its to find. */
  readonly since: number;
}

interface Evaluated {
  /** By filter. */
  readonly passes: ReadonlyMap<string, ReadonlySet<bigint>>;
  /** Those of the alerts that are there for good. */
  readonly committed: ReadonlySet<bigint>;
  /** False where it must be tried again. */
  readonly isWhole: boolean;
}

interface Running {
  readonly id: string;
  readonly parts: readonly CompiledExpression[];
}

type Values = ReadonlyMap<bigint, readonly unknown[]>;

export function createRecheck(parts: RecheckParts): Worker {
  const { checks, corrections, active, filters, backtest, begin, log } = parts;
  const rest = createRest(parts.isBusy);
  let since = 0;

  async function work(signal: AbortSignal): Promise<boolean> {
    let done = 0;
    const pending = await checks.pending(BATCHES_AT_ONCE, since);
    for (const batch of pending) {
      if (signal.aborted || !parts.mayRun()) return false;
      if (!(await check(batch, signal))) continue;
      await checks.checked(batch);
      done += 1;
    }
    if (done > 0 && pending.length === BATCHES_AT_ONCE) return true;
    if (done < pending.length) setTimeout(() => worker.nudge(), AGAIN_MS).unref();
    else since = Date.now() - BACK_MS;
    return false;
  }

  /** False where it must be done again: some alerts are still on their way through the stream. */
  async function check(batch: bigint, signal: AbortSignal): Promise<boolean> {
    let whole = true;
    for (const alerts of alike(await checks.alerts(batch))) {
      const concerns = await filtersOf(alerts[0]!);
      for (let at = 0; at < alerts.length && concerns.length > 0; at += PAGE) {
        if (signal.aborted) return false;
        const startedAt = performance.now();
        if (!(await checkPage(alerts.slice(at, at + PAGE), concerns))) whole = false;
        await rest(startedAt, signal);
      }
    }
    return whole || Number(batch >> 20n) < Date.now() - WAIT_MS;
  }

  async function filtersOf({ survey, reads }: AlertToCheck): Promise<Checked[]> {
    const concerns = await concerned(active, survey, reads);
    const known = new Map((await filters.active()).map((filter) => [filter.id, filter]));
    return concerns.flatMap((one) => {
      const version = known.get(one.id)?.versions.at(-1);
      return version === undefined ? [] : [{ ...one, version: version.number, since: version.createdAt }];
    });
  }

  async function checkPage(alerts: readonly AlertToCheck[], concerns: readonly Checked[]): Promise<boolean> {
    const { survey } = alerts[0]!;
    const candids = alerts.map(({ candid }) => candid);
    const ids = concerns.map(({ id }) => id);
    const { passes, committed, isWhole } = await evaluate(survey, candids, concerns);
    const takenAt = await checks.takenAt(survey, candids);
    const keyOf = (filterId: string, candid: bigint) => `${candid} ${filterId}`;
    const hitVersions = new Map(
      (await checks.hits(survey, candids, ids)).map((hit) => [keyOf(hit.filterId, hit.candid), hit.hitVersion]),
    );
    const keys = concerns.flatMap(({ id, version }) =>
      candids.map((candid) => ({ filterId: id, filterVersion: version, survey, candid })),
    );
    const changed = new Map((await checks.changes(keys)).map((one) => [keyOf(one.filterId, one.candid), one]));
    const told: ToldCorrection[] = [];
    for (const { id, version, since } of concerns) {
      const passing = passes.get(id);
      if (passing === undefined) continue;
      for (const alert of alerts) {
        const { candid } = alert;
        if (!committed.has(candid)) continue;
        const hitVersion = hitVersions.get(keyOf(id, candid)) ?? null;
        // What an earlier version found, and what came before this one, is not this one's.
        if (hitVersion === null ? (takenAt.get(candid) ?? 0) < since : hitVersion !== version) continue;
        const change = changed.get(keyOf(id, candid));
        const stands = change === undefined ? hitVersion !== null : !change.isWithdrawn;
        if (stands !== passing.has(candid)) told.push(correctionOf(alert, { id, version }, stands));
      }
    }
    if (told.length > 0) {
      // In this order: after a crash between the two it is told twice, never not at all.
      await corrections.tell(begin(), told);
      await checks.saveChanges(told.map((one) => changeOf(one, alerts)));
      parts.onTold();
    }
    return isWhole && committed.size === alerts.length;
  }

  /** For each filter the alerts that pass now; none of those filters that the engine cannot evaluate. */
  async function evaluate(
    survey: Survey,
    candids: readonly bigint[],
    concerns: readonly Checked[],
  ): Promise<Evaluated> {
    const everything: Viewer = { scope: "system", programids: new Map([[survey, "all"]]), mayChange: false };
    const values = (expressions: readonly CompiledExpression[]): Promise<Values> =>
      backtest.values(everything, survey, candids, expressions);
    const passes = new Map<string, ReadonlySet<bigint>>();
    let committed: ReadonlySet<bigint> | null = null;
    let isWhole = true;

    async function select(filters: readonly Running[]): Promise<void> {
      try {
        const all = await values([ANY, ...filters.flatMap((one) => one.parts)]);
        committed ??= new Set(all.keys());
        let at = 1;
        for (const one of filters) {
          passes.set(one.id, passing(all, at, one.parts.length));
          at += one.parts.length;
        }
      } catch (error) {
        // One text that the engine refuses must not stop the others: halve until it stands alone.
        if (!isRefusal(error)) throw error;
        if (filters.length > 1) {
          await select(filters.slice(0, filters.length >> 1));
          await select(filters.slice(filters.length >> 1));
          return;
        }
        // The engine may have been slow with everything.
        if (error.code === "QUERY_TIMEOUT") isWhole = false;
        else log(`Filter ${filters[0]!.id} could not be run again over corrected alerts: ${error.message}`);
      }
    }

    const running: Running[] = [];
    for (const { id, parts: own } of concerns) {
      if (own === null) passes.set(id, new Set());
      else running.push({ id, parts: own });
    }
    for (const group of inGroups(running)) await select(group);
    return { passes, committed: committed ?? new Set((await values([ANY])).keys()), isWhole };
  }

  const worker = createWorker({
    work,
    mayRun: parts.mayRun,
    everyMs: EVERY_MS,
    onFault: (error) => log(`Filters could not be run again over corrected alerts: ${error.message}`),
  });
  return worker;
}

const ANY: CompiledExpression = { sql: "1", columns: [], fields: [] };

function passing(values: Values, from: number, count: number): Set<bigint> {
  const holds = (row: readonly unknown[]) =>
    row.slice(from, from + count).every((value) => value === 1 || value === true);
  return new Set([...values].flatMap(([candid, row]) => (holds(row) ? [candid] : [])));
}

/** Texts of one query: far below the engine's bound on a query's length. */
const MOST_CHARACTERS = 100_000;

function inGroups(filters: readonly Running[]): Running[][] {
  const groups: Running[][] = [];
  let characters = Number.POSITIVE_INFINITY;
  for (const filter of filters) {
    const own = filter.parts.reduce((sum, { sql }) => sum + sql.length, 0);
    if (characters + own > MOST_CHARACTERS) {
      groups.push([]);
      characters = 0;
    }
    groups.at(-1)!.push(filter);
    characters += own;
  }
  return groups;
}

/** In groups of one survey and the same names. */
function alike(alerts: readonly AlertToCheck[]): AlertToCheck[][] {
  const groups = new Map<string, AlertToCheck[]>();
  for (const alert of alerts) {
    const key = [alert.survey, ...alert.reads].join(" ");
    const group = groups.get(key) ?? [];
    groups.set(key, group);
    group.push(alert);
  }
  return [...groups.values()];
}

function correctionOf(
  { survey, objectId, candid, jd, programid, source }: AlertToCheck,
  filter: { id: string; version: number },
  stood: boolean,
): ToldCorrection {
  return {
    ...{ survey, objectId, candid, jd, programid, source, filter, scope: null },
    what: stood ? "HIT_WITHDRAWN" : "HIT_ADDED",
    ...{ step: "recheck", version: RECHECK_VERSION, isShown: true, reads: [] },
  };
}

const BECAUSE = {
  FEATURES: () => "features were made anew",
  MATCHES: (source: string) => `${source} holds something else there`,
  MARKS: (source: string) => `${source} was changed`,
  PHOTOMETRY: (source: string) =>
    `a packet of an earlier time came late${source.includes(".") ? `: ${source} holds something else` : ""}`,
};

function changeOf(
  { survey, candid, filter, what, source }: ToldCorrection,
  alerts: readonly AlertToCheck[],
): HitChange {
  const cause = alerts.find((alert) => alert.candid === candid)!.what as keyof typeof BECAUSE;
  return {
    ...{ survey, candid, filterId: filter!.id, filterVersion: filter!.version },
    ...{ isWithdrawn: what === "HIT_WITHDRAWN", changedAt: Date.now() },
    because: BECAUSE[cause](source ?? "a private mark"),
  };
}

const REFUSALS: readonly string[] = ["INTERNAL", "QUERY_TOO_LARGE", "QUERY_TIMEOUT"];
const isRefusal = (error: unknown): error is TocsinError =>
  error instanceof TocsinError && REFUSALS.includes(error.code);
