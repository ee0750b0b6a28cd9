// A backtest as the API shows it. Called by the backtest's query and by both sides of a difference.
import type { GraphQLResolveInfo } from "graphql";
import type { Alert } from "../../domain/alert.js";
import { backtestCursor, queryIdentity } from "../../domain/cursor.js";
import { nightName } from "../../domain/night.js";
import type { DesignAnnotation } from "../../filters/design/design.js";
import type { BacktestType } from "../../schema/backtest/backtest.type.js";
import type { ArchiveCondition, BacktestKey, BacktestWindow } from "../../stores/backtest.store.js";
import type { Context } from "../context.js";
import { connection } from "../paging.js";
import { selects } from "../selection.js";
import { shownAlert } from "../shown.js";

export interface AskedBacktest {
  readonly window: BacktestWindow;
  readonly condition: ArchiveCondition;
  readonly annotations: readonly DesignAnnotation[];
  readonly first: number;
  readonly after: string | null | undefined;
}

/** Counts are made only where they are asked for: without them no more is read than the page needs. */
export async function shownBacktest(
  { stores, viewer }: Context,
  info: GraphQLResolveInfo,
  { window, condition, annotations, first, after }: AskedBacktest,
): Promise<BacktestType> {
  const { survey, startJd, endJd } = window;
  const identity = queryIdentity(
    "backtest",
    survey,
    startJd,
    endJd,
    condition.map(({ sql }) => sql),
  );
  const key = after == null ? null : backtestCursor.decode(identity, after);
  const place: BacktestKey | null = key && { jd: key[0], candid: key[1] };
  const counted = selects(info, "scanned", "passed", "nights");
  const paged = selects(info, "edges", "pageInfo");
  const page = { first: paged ? first + 1 : 1, after: place, counted };
  const { keys, nights } = await stores.backtest.run(viewer, window, condition, page);
  const candids = keys.map(({ candid }) => candid);
  const shown = paged ? candids.slice(0, first) : [];
  const [alerts, values] = await Promise.all([
    shown.length === 0 ? new Map<bigint, Alert>() : stores.alerts.byCandid(viewer, survey, shown),
    annotations.length === 0 || shown.length === 0
      ? new Map<bigint, readonly unknown[]>()
      : stores.backtest.values(
          viewer,
          survey,
          shown,
          annotations.map(({ value }) => value),
        ),
  ]);
  const { edges, pageInfo } = connection(keys, first, ({ jd, candid }) => {
    const node = alerts.get(candid);
    const told = values.get(candid);
    return {
      cursor: backtestCursor.encode(identity, [jd, candid]),
      node: node === undefined ? null : shownAlert(node),
      annotations: annotations.length === 0 ? null : annotated(annotations, told),
    };
  });
  const total = (of: "scanned" | "passed") => BigInt((nights ?? []).reduce((sum, night) => sum + night[of], 0));
  return {
    scanned: total("scanned"),
    passed: total("passed"),
    nights: (nights ?? []).map(({ night, scanned, passed }) => ({
      night: nightName(night),
      scanned: BigInt(scanned),
      passed: BigInt(passed),
    })),
    // An alert that went between the two reads (a store being restored) is left out.
    edges: edges.flatMap(({ node, ...edge }) => (node === null ? [] : [{ ...edge, node }])),
    pageInfo,
  };
}

function annotated(annotations: readonly DesignAnnotation[], values: readonly unknown[] | undefined): unknown {
  return Object.fromEntries(annotations.map(({ name, kind }, n) => [name, shownValue(kind, values?.[n])]));
}

/** A value of a compiled text as JSON: ids are text already, truths numbers. */
export function shownValue(kind: string, value: unknown): unknown {
  if (value === undefined || value === null) return null;
  return kind === "truth" ? Boolean(value) : value;
}
