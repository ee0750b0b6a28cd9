// The archive's stores over one client. Called by cli/ and tests.
import type { SurveyDescription } from "../../domain/survey.js";
import type { AlertStore } from "../alerts.store.js";
import type { ArchivalStore } from "../archival.store.js";
import type { BacktestStore } from "../backtest.store.js";
import type { BatchStore } from "../batches.store.js";
import type { CatalogStore } from "../catalogs.store.js";
import type { ClockStore } from "../clock.store.js";
import type { ArrivalStore, CorrectionStore, HitCheckStore } from "../corrections.store.js";
import type { CounterpartStore, NearestStore } from "../counterparts.store.js";
import type { DeadLetterStore } from "../deadletters.store.js";
import type { FeatureStore } from "../features.store.js";
import type { HistoryStore } from "../history.store.js";
import type { HitStore } from "../hits.store.js";
import type { MarkStores } from "../marks.store.js";
import type { MatchStore, RematchStore } from "../matches.store.js";
import type { MissingStore } from "../missing.store.js";
import type { ObjectStore } from "../objects.store.js";
import type { PhotometryStore } from "../photometry.store.js";
import type { ReceiptStore } from "../receipts.store.js";
import type { ScoreStore } from "../scores.store.js";
import type { SequenceStore } from "../sequence.store.js";
import type { StaleStore } from "../stale.store.js";
import { ArchiveAlerts } from "./alerts.js";
import { syncAlertTable } from "./alerts.table.js";
import { ArchiveArchival } from "./archival.js";
import { ArchiveBacktest } from "./backtest.js";
import { ArchiveBatches } from "./batches.js";
import { ArchiveCatalogs } from "./catalogs.js";
import type { ArchiveClient } from "./client.js";
import { ArchiveClock } from "./clock.js";
import { CommittedBatches } from "./committed.js";
import { ArchiveHitChecks } from "./corrections.checks.js";
import { ArchiveCorrections } from "./corrections.js";
import { ArchiveArrivals } from "./corrections.late.js";
import { ArchiveCounterparts } from "./counterparts.js";
import { ArchiveNearest } from "./counterparts.nearest.js";
import { ArchiveDeadLetters } from "./deadletters.js";
import { enrichedCounterparts } from "./enriched/counterparts.js";
import { enrichedSources } from "./enriched/sources.js";
import { ArchiveFeatures } from "./features.js";
import { syncFeatureTable } from "./features.table.js";
import { ArchiveHistory } from "./history.js";
import { ArchiveHits } from "./hits.js";
import { ArchiveMarkContents } from "./marks.contents.js";
import { ArchiveMarks } from "./marks.js";
import { ArchiveMarked } from "./marks.marked.js";
import { ArchiveMatches } from "./matches.js";
import { migrate } from "./migrate.js";
import { ArchiveMissing } from "./missing.js";
import { IndexedObjects } from "./objects.indexed.js";
import { ArchiveObjects } from "./objects.js";
import { ArchivePhotometry } from "./photometry.js";
import { syncPointColumns } from "./photometry.table.js";
import { ArchiveReceipts } from "./receipts.js";
import { ArchiveRematches } from "./rematches.js";
import { ArchiveScores } from "./scores.js";
import { ArchiveSequence } from "./sequence.js";
import { ArchiveStale } from "./stale.js";

export interface ArchiveStores {
  readonly alerts: AlertStore;
  readonly objects: ObjectStore;
  readonly photometry: PhotometryStore;
  readonly history: HistoryStore;
  readonly hits: HitStore;
  readonly batches: BatchStore;
  readonly deadLetters: DeadLetterStore;
  readonly counterparts: CounterpartStore;
  readonly nearest: NearestStore;
  readonly sequence: SequenceStore;
  readonly receipts: ReceiptStore;
  readonly catalogs: CatalogStore;
  readonly archival: ArchivalStore;
  readonly clock: ClockStore;
  readonly scores: ScoreStore;
  readonly stale: StaleStore;
  readonly features: FeatureStore;
  readonly corrections: CorrectionStore;
  readonly hitChecks: HitCheckStore;
  readonly arrivals: ArrivalStore;
  readonly marks: MarkStores;
  readonly matches: MatchStore;
  readonly rematches: RematchStore;
  readonly missing: MissingStore;
  readonly backtest: BacktestStore;
  /** Whether the sky index answers, once the positions have been read into it. */
  readonly skyIndexed: Promise<boolean>;
  /** Positions in the sky index; null where there is none. */
  readonly skyPositions: () => number | null;
}

export interface ArchiveOptions {
  /** Memory of the sky index; 0, the default, is none. Less than 100 MB holds nothing. */
  readonly skyIndexBytes?: number;
  /** Takes a line that is worth telling. */
  readonly log?: (line: string) => void;
}

/**
 * Bring the database up to date (migrations, a table per survey, columns of new fields) and open the stores. Any number of
 * processes may; only one at a time uses `sequence`, which the caller's lease decides.
 */
export async function createArchiveStores(
  client: ArchiveClient,
  surveys: readonly SurveyDescription[],
  { skyIndexBytes = 0, log = () => {} }: ArchiveOptions = {},
): Promise<ArchiveStores> {
  await migrate(client);
  const tables = await Promise.all(surveys.map((survey) => syncAlertTable(client, survey)));
  await syncPointColumns(client, surveys);
  for (const survey of surveys) await syncFeatureTable(client, survey);
  const committed = new CommittedBatches(client);
  const archived = new ArchiveObjects(client);
  const indexed = skyIndexBytes === 0 ? null : new IndexedObjects(client, archived, skyIndexBytes, log);
  const byName = new Map(tables.map((table) => [table.survey, table]));
  const alerts = new ArchiveAlerts(client, byName, committed, (id, written) => indexed?.written(id, written));
  const described = new Map(surveys.map((survey) => [survey.id, { survey, table: byName.get(survey.id)! }]));
  const marks: MarkStores = {
    registry: new ArchiveMarks(client),
    contents: new ArchiveMarkContents(client),
    marked: new ArchiveMarked(client),
  };
  await marks.registry.refresh();
  const catalogs = await ArchiveCatalogs.open(client);
  const archival = new ArchiveArchival(client);
  // What goes later need not hold up the start.
  archival.sweep().catch(() => {});
  const sequence = new ArchiveSequence(client);
  const nearest = new ArchiveNearest(client);
  return {
    alerts,
    backtest: new ArchiveBacktest(
      client,
      described,
      [
        ...enrichedSources(
          surveys,
          () => marks.registry.all(),
          () => catalogs.active(),
        ),
        ...enrichedCounterparts(surveys, client, nearest),
      ],
      alerts,
    ),
    objects: indexed ?? archived,
    skyIndexed: indexed?.loaded() ?? Promise.resolve(false),
    skyPositions: () => indexed?.positions ?? null,
    photometry: new ArchivePhotometry(client),
    history: new ArchiveHistory(client, byName),
    hits: new ArchiveHits(client),
    batches: await ArchiveBatches.start(client, committed),
    sequence,
    receipts: new ArchiveReceipts(client),
    catalogs,
    archival,
    clock: new ArchiveClock(client),
    scores: new ArchiveScores(client),
    stale: new ArchiveStale(client),
    features: new ArchiveFeatures(client, surveys),
    corrections: new ArchiveCorrections(client, () => sequence.fence),
    hitChecks: new ArchiveHitChecks(client),
    arrivals: new ArchiveArrivals(client),
    marks,
    matches: new ArchiveMatches(client),
    rematches: new ArchiveRematches(client, byName),
    missing: new ArchiveMissing(client, committed),
    deadLetters: new ArchiveDeadLetters(client),
    counterparts: new ArchiveCounterparts(client),
    nearest,
  };
}
