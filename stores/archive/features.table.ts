// A survey's table of features: one row an alert, one column a feature. Called by stores.ts at every start.
import type { AnnexTable } from "../../domain/alert.js";
import { featureColumnName, namedFeatures } from "../../domain/features/features.js";
import type { Survey, SurveyDescription } from "../../domain/survey.js";
import { missingColumns } from "./alerts.table.js";
import type { ArchiveClient } from "./client.js";
import { quoted } from "./http.form.js";
import { alterTable, createTables, type TableDefinition } from "./layout.js";

export const featureTable = (survey: Survey): string => `features_${survey.toLowerCase()}`;

/** Where an annex is kept: features have other columns in each survey. */
export const annexTable = (table: AnnexTable, survey: Survey): string =>
  table === "features" ? featureTable(survey) : table;

/** Create the survey's table, and add the columns of features that there are by now: older alerts have none of those. */
export async function syncFeatureTable(client: ArchiveClient, { id, bands }: SurveyDescription): Promise<void> {
  const name = featureTable(id);
  const columns = namedFeatures(bands).map(({ path, feature: { type } }) => {
    const column = type === "String" ? "LowCardinality(Nullable(String))" : `Nullable(${type})`;
    return { name: featureColumnName(path), definition: `${quoted(featureColumnName(path))} ${column}` };
  });
  await createTables(client, [
    definition(
      name,
      columns.map(({ definition }) => definition),
    ),
  ]);
  const missing = await missingColumns(client, name, columns);
  if (missing.length === 0) return;
  const added = missing.map(({ definition }) => `ADD COLUMN IF NOT EXISTS ${definition}`);
  await alterTable(client, name, added.join(", "), "columns");
}

/**
 * Ordered as the alerts are. Parts are compact and granules small, since an alert's features are read all together: a row
 * is some 200 values, which would be as many files.
 */
const definition = (name: string, columns: readonly string[]): TableDefinition => ({
  name,
  columns: `
  survey LowCardinality(String),
  jd Float64,
  candid Int64,
  objectId String,
  programid Int32,
  batch UInt64,
  version UInt32,
  ${columns.join(",\n  ")},
  INDEX by_version version TYPE minmax GRANULARITY 1`,
  engine: "ReplacingMergeTree",
  version: "batch",
  partitionBy: "if(jd >= 2449718.5 AND jd < 2475268.5, toUInt8((jd - 2449718.5) / 365), 255)",
  orderBy: "(jd, candid)",
  settings: {
    index_granularity: 512,
    min_bytes_for_wide_part: 1_000_000_000_000,
    min_rows_for_wide_part: 1_000_000_000_000,
  },
  shardBy: "objectId",
});
