// Constraints and indexes of the graph, in numbered steps. Called by the adapters' migrate().
import type { Graph } from "./graph.js";
import { MIGRATION_VERSIONS, RECORD_MIGRATION } from "./statements/migrations.js";

interface Migration {
  readonly version: number;
  /** Label and property of each key; all keys are single properties. */
  readonly keys: readonly (readonly [label: string, property: string])[];
}

const MIGRATIONS: readonly Migration[] = [
  {
    version: 1,
    keys: [
      ["Migration", "version"],
      ["Filter", "id"],
      ["FilterVersion", "key"],
      ["Object", "key"],
      ["Checkpoint", "feed"],
    ],
  },
  { version: 2, keys: [["Lease", "name"]] },
  { version: 3, keys: [["Revision", "feed"]] },
  { version: 4, keys: [["CatalogSource", "key"]] },
];

/** Property that is the key of each label. */
export const KEYS: Readonly<Record<string, string>> = Object.fromEntries(MIGRATIONS.flatMap(({ keys }) => keys));

/**
 * Run the steps that the graph does not name as done. Each statement may run twice, so a crash in the middle or a second
 * process at the same time does no harm. `indexes`: a constraint of Neo4j brings its index, one of Grafeo does not, and
 * without it every MERGE reads the whole label.
 */
export async function migrate(
  graph: Graph,
  define: (ddl: string) => Promise<unknown>,
  { indexes }: { indexes: boolean },
): Promise<void> {
  const done = new Set((await graph.read(MIGRATION_VERSIONS, {})).map((row) => row.version));
  for (const { version, keys } of MIGRATIONS) {
    if (done.has(version)) continue;
    for (const [label, property] of keys) {
      const name = `${label}_${property}`;
      await define(`CREATE CONSTRAINT ${name}_unique IF NOT EXISTS FOR (n:${label}) REQUIRE n.${property} IS UNIQUE`);
      if (indexes) await define(`CREATE INDEX ${name}_index IF NOT EXISTS FOR (n:${label}) ON (n.${property})`);
    }
    await graph.write((tx) => tx.run(RECORD_MIGRATION, { version, appliedAt: Date.now() }));
  }
}
