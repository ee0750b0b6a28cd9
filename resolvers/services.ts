// What the API stands on: the stores, the surveys, the filter language and the feed of live hits. cli/ fills it once.
import type { Annotation } from "../domain/filter.js";
import type { Survey, SurveyDescription } from "../domain/survey.js";
import type { AlertStore } from "../stores/alerts.store.js";
import type { DeadLetterStore } from "../stores/deadletters.store.js";
import type { FilterStore } from "../stores/filters.store.js";
import type { HitStore } from "../stores/hits.store.js";
import type { LinkStore } from "../stores/links.store.js";
import type { ObjectStore } from "../stores/objects.store.js";
import type { PacketReader } from "../stores/packets.store.js";
import type { PhotometryStore } from "../stores/photometry.store.js";
import type { HitHub } from "../subscriptions/hub.js";

/** The stores as a resolver may use them: reads, each with a viewer, and the filters. */
export interface Stores {
  readonly alerts: Pick<AlertStore, "byCandid" | "page" | "pagePerObject" | "ownFields">;
  readonly objects: Pick<ObjectStore, "byIds" | "cone">;
  readonly photometry: PhotometryStore;
  readonly packets: Pick<PacketReader, "fields">;
  readonly links: Pick<LinkStore, "counterparts">;
  readonly filters: Pick<FilterStore, "create" | "update" | "get" | "byIds" | "list">;
  readonly hits: Pick<HitStore, "page">;
  readonly deadLetters: Pick<DeadLetterStore, "page">;
}

/** Where an expression has a fault; line and column from 1. */
export interface Finding {
  readonly message: string;
  readonly line: number;
  readonly column: number;
}
export interface ExpressionCheck {
  readonly errors: readonly Finding[];
  readonly warnings: readonly Finding[];
  readonly fieldsRead: readonly string[];
}
export interface FilterLanguage {
  fields(survey: Survey): readonly { name: string; type: string; unit: string | null; description: string }[];
  check(survey: Survey, where: string): ExpressionCheck;
  /** Throws BAD_EXPRESSION with all errors of the condition and the annotations. */
  validate(survey: Survey, where: string, annotations: readonly Annotation[]): void;
}

export interface Services {
  readonly stores: Stores;
  readonly surveys: ReadonlyMap<Survey, SurveyDescription>;
  readonly language: FilterLanguage;
  readonly hub: Pick<HitHub, "listen">;
}
