// Photometry with every distinct telling of a point, where only the latest was kept. Read by ../photometry.ts and
// ../history.ts, written with each batch by ../alerts.write.ts.
import { TocsinError } from "../../../domain/errors.js";
import type { ArchiveClient } from "../client.js";
import { createTables, everywhere, localName, nodesOf, onEachNode, type TableDefinition } from "../layout.js";
import { TELLINGS } from "../photometry.table.js";

/** The table of before, of migration 0002. */
const BEFORE = "photometry";
const NUMBERS = ["magnitude", "magnitudeError", "flux", "fluxError", "limitingMagnitude", "zeroPoint"];
const VALUES = `jd, band, ${NUMBERS.join(", ")}, isPositive, programid`;
const PLAIN = `jd, band, ${NUMBERS.map((name) => `ifNull(${name}, -inf)`).join(", ")}, ifNull(isPositive, false), ifNull(programid, 0)`;
/** ClickHouse's code for a table that is not there. */
const UNKNOWN_TABLE = 60;

/** Each row of before is one telling, whose packet is the first and the last that is known to have told it. */
export async function up(client: ArchiveClient): Promise<void> {
  await createTables(client, [await tellingsFor(client)]);
  try {
    // A cluster would give the whole statement to its shards, which do not know the tables by these names.
    await client.command(`INSERT INTO tellings (survey, objectId, kind, pointId, valuesHash, ${VALUES}, firstTold, lastTold)
      SELECT survey, objectId, kind, pointId, cityHash64(toString((${VALUES}))), ${PLAIN}, precedence, precedence
      FROM ${BEFORE} SETTINGS parallel_distributed_insert_select = 0`);
  } catch (error) {
    // Another process did this at the same time and was first.
    if (!(error instanceof TocsinError && error.details.engineCode === UNKNOWN_TABLE)) throw error;
  }
  const cluster = client.cluster ?? null;
  const names = cluster === null ? [BEFORE] : [BEFORE, localName(cluster, BEFORE)];
  for (const name of names) await everywhere(client, (onCluster) => `DROP TABLE IF EXISTS ${name}${onCluster} SYNC`);
}

/** Columns that follow from the key, values from their hash: newer servers want to be told that this is meant. */
async function tellingsFor(client: ArchiveClient): Promise<TableDefinition> {
  const name = "allow_dimensions_outside_sorting_key";
  const { answers } = await onEachNode(nodesOf(client), (node) =>
    node.query("SELECT name FROM system.merge_tree_settings WHERE name = {name:String}", { name }),
  );
  const isKnown = answers.every(({ rows }) => rows > 0);
  return isKnown ? { ...TELLINGS, settings: { ...TELLINGS.settings, [name]: 1 } } : TELLINGS;
}
