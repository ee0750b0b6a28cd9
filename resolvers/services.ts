// What the API stands on: the stores, the surveys, the filter language and the feed of live hits. cli/ fills it once.
import type { Catalog } from "../domain/catalog.js";
import type { Survey, SurveyDescription } from "../domain/survey.js";
import type { Viewer } from "../domain/viewer.js";
import type { FilterDesign } from "../filters/design/design.js";
import type { FilterLanguage } from "../filters/language.js";
import type { AlertStore } from "../stores/alerts.store.js";
import type { ArchivalStore } from "../stores/archival.store.js";
import type { BacktestStore } from "../stores/backtest.store.js";
import type { CatalogStore } from "../stores/catalogs.store.js";
import type { ClockStore } from "../stores/clock.store.js";
import type { CorrectionStore, HitCheckStore } from "../stores/corrections.store.js";
import type { DeadLetterStore, LetterConditions } from "../stores/deadletters.store.js";
import type { FeatureStore } from "../stores/features.store.js";
import type { FilterStore } from "../stores/filters.store.js";
import type { HitStore } from "../stores/hits.store.js";
import type { LinkStore } from "../stores/links.store.js";
import type { MarkDesk, MarkedStore, MarkRegistry } from "../stores/marks.store.js";
import type { MatchStore, Rematch, RematchStore } from "../stores/matches.store.js";
import type { MissingStore } from "../stores/missing.store.js";
import type { ObjectStore } from "../stores/objects.store.js";
import type { PacketReader } from "../stores/packets.store.js";
import type { PhotometryStore } from "../stores/photometry.store.js";
import type { ReceiptStore } from "../stores/receipts.store.js";
import type { Models, ScoreStore } from "../stores/scores.store.js";
import type { SourceLinkStore } from "../stores/sources.store.js";
import type { StaleStore } from "../stores/stale.store.js";
import type { CorrectionFeed } from "../subscriptions/corrections.js";
import type { HitHub } from "../subscriptions/hub.js";

/** The stores as a resolver may use them: reads, each with a viewer, and the filters. */
export interface Stores {
  readonly alerts: Pick<AlertStore, "byCandid" | "page" | "pagePerObject" | "ownFields">;
  readonly objects: Pick<ObjectStore, "byIds" | "cone">;
  readonly photometry: PhotometryStore;
  readonly packets: Pick<PacketReader, "fieldsByCandid">;
  readonly links: Pick<LinkStore, "counterparts">;
  readonly filters: Pick<FilterStore, "create" | "update" | "get" | "byIds" | "list">;
  readonly hits: Pick<HitStore, "page" | "lastSeq" | "perNight">;
  readonly deadLetters: Pick<DeadLetterStore, "page">;
  readonly receipts: Pick<ReceiptStore, "night">;
  readonly clock: ClockStore;
  readonly corrections: Pick<CorrectionStore, "page">;
  readonly hitChecks: Pick<HitCheckStore, "changes">;
  readonly features: Pick<FeatureStore, "byCandid" | "stale">;
  readonly scores: ScoreStore;
  readonly stale: StaleStore;
  readonly backtest: BacktestStore;
  readonly matches: Pick<MatchStore, "ofAlerts">;
  readonly missing: Pick<MissingStore, "ofAlerts" | "counts">;
  readonly rematches: Pick<RematchStore, "rematches">;
  readonly sources: Pick<SourceLinkStore, "hosted">;
  readonly archival: Pick<ArchivalStore, "active" | "list" | "near" | "cone" | "points">;
  /** Within a request its methods are asynchronous, active() too. */
  readonly catalogs: Pick<CatalogStore, "list" | "sourcesNear" | "cone"> & {
    active(): readonly Catalog[] | Promise<readonly Catalog[]>;
  };
}

/** Dead letters and their alerts after a replay; `reasons`: why the first few failed. */
export interface Replayed {
  readonly replayed: number;
  readonly failed: number;
  readonly stored: number;
  readonly duplicates: number;
  readonly reasons: readonly string[];
}

export type Replay = (viewer: Viewer, where: LetterConditions, first: number) => Promise<Replayed>;

/** Watch lists, areas and sky maps. */
export interface Marks {
  readonly desk: MarkDesk;
  readonly page: MarkedStore["page"];
  readonly events: MarkRegistry["events"];
  /** How far archived alerts have been marked by a content (Mark.content). */
  past(content: string): Promise<readonly Pick<Rematch, "survey" | "done" | "total" | "complete">[]>;
}

/** A load of a catalog as it stands. */
export interface CatalogLoading {
  readonly name: string;
  /** JD. */
  readonly startedAt: number;
  /** 0 to 1. */
  readonly done: number;
  readonly sources: number;
  readonly finished: boolean;
  readonly error: string | null;
}

export interface CatalogToLoad {
  readonly name: string;
  /** Names within CATALOG_DIR. */
  readonly files: readonly string[];
  readonly columns: readonly string[] | null;
  readonly options: Readonly<Record<string, unknown>>;
}

/** A catalog's file, or a piece of one, that a caller sends. */
export interface CatalogPiece extends Omit<CatalogToLoad, "files"> {
  /** Bytes that were sent before; 0: a new file. */
  readonly offset: number;
  /** With it the file is whole, and is loaded. */
  readonly isLast: boolean;
  readonly body: AsyncIterable<Uint8Array>;
}

/** What the owner does with catalogs. */
export interface CatalogKeeper {
  /** Throws BAD_CATALOG, BAD_ARGUMENT, NOT_FOUND for what can be told at once. */
  start(load: CatalogToLoad): Promise<CatalogLoading>;
  /**
   * With the last piece the load begins; what ends it within some seconds is told at once. Throws as start, and TOO_LARGE,
   * DISK_FULL, LOAD_IN_PROGRESS.
   */
  receive(piece: CatalogPiece): Promise<{ readonly bytes: number; readonly load: CatalogLoading | null }>;
  loads(): readonly CatalogLoading[];
  remove(name: string): Promise<boolean>;
  known(): readonly KnownCatalog[];
}

export interface KnownCatalog {
  readonly name: string;
  readonly title: string;
  readonly source: string | null;
  readonly radiusArcsec: number;
  readonly columns: readonly string[];
}

/** A load of an archive of light curves as it stands. */
export interface LightCurveLoading {
  readonly name: string;
  /** JD. */
  readonly startedAt: number;
  /** 0 to 1. */
  readonly done: number;
  readonly points: number;
  readonly finished: boolean;
  readonly error: string | null;
}

export interface LightCurvesToLoad {
  readonly name: string;
  /** Names within CATALOG_DIR. */
  readonly files: readonly string[];
  /** Of a known archive, or a definition as JSON. */
  readonly definition: string | null;
  readonly version?: string;
  readonly date?: string;
}

/** What the owner does with archives of light curves. */
export interface LightCurveKeeper {
  /** Throws BAD_CATALOG, BAD_ARGUMENT, NOT_FOUND for what can be told at once. */
  start(load: LightCurvesToLoad): Promise<LightCurveLoading>;
  loads(): readonly LightCurveLoading[];
  remove(name: string): Promise<boolean>;
}

export interface Services {
  readonly stores: Stores;
  readonly surveys: ReadonlyMap<Survey, SurveyDescription>;
  readonly language: FilterLanguage;
  readonly design: FilterDesign;
  /** What an active filter may cost, in ordinary ones; absent: anything. */
  readonly costLimit?: number;
  /** What alerts are matched with now; absent: nothing. */
  readonly matchedCatalogs?: () => readonly Catalog[];
  readonly hub: Pick<HitHub, "listen" | "cursors">;
  readonly corrections: Pick<CorrectionFeed, "listen" | "cursors">;
  /** Absent where there are none. */
  readonly models?: Models;
  readonly marks?: Marks;
  /** Absent where this process takes nothing in. */
  readonly catalogs?: CatalogKeeper;
  /** Absent where this process takes nothing in. */
  readonly lightCurves?: LightCurveKeeper;
  /** Absent where this process takes nothing in. */
  readonly replay?: Replay;
  /** Hits can be published to Kafka topics. */
  readonly streams?: boolean;
}
