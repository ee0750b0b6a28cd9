// BacktestStore on ClickHouse. Made by stores.ts; the parts are backtest.*.ts.
import { TocsinError } from "../../domain/errors.js";
import type { Survey, SurveyDescription } from "../../domain/survey.js";
import type { Viewer } from "../../domain/viewer.js";
import type { AlertConditions, AlertKey, AlertStore } from "../alerts.store.js";
import type {
  ArchiveCondition,
  ArchiveExpression,
  BacktestPage,
  BacktestStore,
  BacktestWindow,
  Funnel,
  MatchingPage,
  Value,
} from "../backtest.store.js";
import type { AlertTable } from "./alerts.table.js";
import { costOf } from "./backtest.cost.js";
import { funnelOf } from "./backtest.funnel.js";
import { searchBackwards } from "./backtest.matching.js";
import { type AskedPage, backtested } from "./backtest.run.js";
import { valuesOf } from "./backtest.values.js";
import type { EnrichedArchive } from "./backtest.window.js";
import type { ArchiveClient } from "./client.js";
import type { EnrichedSource } from "./enriched/source.js";
import { visibleIn } from "./visibility.js";

export class ArchiveBacktest implements BacktestStore {
  constructor(
    private readonly client: ArchiveClient,
    private readonly surveys: ReadonlyMap<Survey, { readonly survey: SurveyDescription; readonly table: AlertTable }>,
    private readonly sources: readonly EnrichedSource[],
    private readonly alerts: Pick<AlertStore, "byCandid">,
  ) {}

  async run(
    viewer: Viewer,
    window: BacktestWindow,
    condition: ArchiveCondition,
    page: AskedPage,
  ): Promise<BacktestPage> {
    const archive = this.#archive(viewer, window.survey);
    return archive === null
      ? { nights: page.counted ? [] : null, keys: [] }
      : backtested(archive, window, condition, page);
  }

  async matching(
    viewer: Viewer,
    where: AlertConditions & { readonly survey: Survey },
    condition: ArchiveCondition,
    first: number,
    after: AlertKey | null,
  ): Promise<MatchingPage> {
    const archive = this.#archive(viewer, where.survey);
    if (archive === null) return { alerts: [], searchedTo: null };
    const { keys, searchedTo } = await searchBackwards(archive, where, condition, first, after);
    const found = await this.alerts.byCandid(
      viewer,
      where.survey,
      keys.map(({ candid }) => candid),
    );
    return { alerts: keys.flatMap(({ candid }) => found.get(candid) ?? []), searchedTo };
  }

  async values(
    viewer: Viewer,
    survey: Survey,
    candids: readonly bigint[],
    expressions: readonly ArchiveExpression[],
  ): Promise<Map<bigint, readonly (Value | readonly Value[])[]>> {
    const archive = this.#archive(viewer, survey);
    if (archive === null || candids.length === 0) return new Map();
    return valuesOf(archive, candids, expressions);
  }

  async funnel(
    viewer: Viewer,
    survey: Survey,
    nights: number,
    conditions: readonly ArchiveExpression[],
  ): Promise<Funnel> {
    const archive = this.#archive(viewer, survey);
    const nothing = conditions.map(() => 0);
    if (archive === null) {
      const counts = { failing: nothing, failingFirst: nothing, failingOnly: nothing };
      return { nights: [], scanned: 0, oneOf: 1, passed: 0, ...counts };
    }
    return funnelOf(archive, nights, conditions);
  }

  async cost(
    viewer: Viewer,
    survey: Survey,
    expressions: readonly ArchiveExpression[],
  ): Promise<readonly number[] | null> {
    const archive = this.#archive(viewer, survey);
    return archive === null ? null : costOf(archive, expressions);
  }

  /** Null where the viewer sees nothing of the survey. */
  #archive(viewer: Viewer, id: Survey): EnrichedArchive | null {
    const known = this.surveys.get(id);
    if (known === undefined) throw new TocsinError("UNKNOWN_SURVEY", `There is no survey "${id}".`);
    const visible = visibleIn(viewer, id);
    return visible && { client: this.client, sources: this.sources, ...known, visible };
  }
}
