// What enrichment adds to alerts, put together: the names that filters may read in every process, and the steps that fill
// them in those that take alerts in. Called by cli/service.ts.
import type { Logger } from "pino";
import { featureOperands } from "../domain/features/operands.js";
import type { OperandSource } from "../domain/operand.js";
import type { Survey, SurveyDescription } from "../domain/survey.js";
import { createMatchedCatalogs } from "../ingest/crossmatch/catalogs.js";
import { matchOperands } from "../ingest/crossmatch/operands.js";
import { createCrossmatch } from "../ingest/enrich/crossmatch.js";
import type { Enrichment } from "../ingest/enrich/enrichment.js";
import { createFeatureStep } from "../ingest/enrich/features.js";
import type { ArchiveStores } from "../stores/archive/stores.js";
import type { Settings } from "./settings.js";

export interface Enriching {
  /** For the filter language. */
  readonly operands: readonly OperandSource[];
  /** In their order: later ones read what earlier ones add. Opened once, by the process that takes alerts in. */
  open(): Promise<Enrichments>;
}

export interface Enrichments {
  readonly steps: readonly Enrichment[];
  close(): Promise<void>;
}

export interface EnrichingParts {
  readonly settings: Settings;
  readonly surveys: ReadonlyMap<Survey, SurveyDescription>;
  readonly stores: Pick<ArchiveStores, "catalogs">;
  readonly log: Logger;
}

export function createEnriching({ settings, surveys, stores, log }: EnrichingParts): Enriching {
  const warn = (line: string): void => log.warn(line);
  return {
    operands: [matchOperands(stores.catalogs), featureOperands(surveys.values())],
    async open() {
      const catalogs = createMatchedCatalogs({
        store: stores.catalogs,
        memoryBytes: settings.CATALOG_MEMORY_MB * 1024 ** 2,
        log: warn,
      });
      return {
        steps: [
          createCrossmatch(catalogs, (broken) => log.error(broken, "a catalog's matches are missing in a batch")),
          createFeatureStep(surveys),
        ],
        close: async () => catalogs.close(),
      };
    },
  };
}
