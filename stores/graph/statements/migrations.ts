// Cypher of the migration record. Called by stores/graph/migrations.ts.
import { statement } from "../graph.js";

/** Versions of all steps that were run. */
export const MIGRATION_VERSIONS = statement<Record<never, never>, { version: number }>(`
  MATCH (m:Migration)
  RETURN m.version AS version ORDER BY version`);

/** appliedAt: epoch milliseconds. */
export const RECORD_MIGRATION = statement<{ version: number; appliedAt: number }>(`
  MERGE (m:Migration {version: $version})
  ON CREATE SET m.appliedAt = $appliedAt`);
