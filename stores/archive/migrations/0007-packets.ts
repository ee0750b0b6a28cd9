// Whole packets and their schemas, where the archive is a server that all nodes of the service read. Read by ../packets.ts.
import type { ArchiveClient } from "../client.js";
import { createTables, type TableDefinition } from "../layout.js";

/**
 * A packet is found by (offset, segment): `offset` is when it was put in, milliseconds since 1970 times 4,096 plus its
 * number among those of one insert; `segment` is drawn for each insert. Granules of 32 packets, some 2 MB, each of its
 * own compressed blocks: what one read takes. ZSTD(1) leaves 60 % of ZTF's packets and 26 % of Rubin's. Parts hold
 * packets of one week, so that old ones go as whole parts.
 */
const PACKETS: TableDefinition = {
  name: "packets",
  columns: `
  offset UInt64 CODEC(Delta, ZSTD(1)),
  segment UInt32,
  schema LowCardinality(String),
  checksum UInt32,
  bytes String CODEC(ZSTD(1))`,
  engine: "MergeTree",
  partitionBy: "toMonday(toDateTime(intDiv(offset, 4096000), 'UTC'))",
  orderBy: "(offset, segment)",
  settings: {
    index_granularity: 32,
    min_bytes_for_wide_part: 0,
    min_compress_block_size: 1,
    max_compress_block_size: 262_144,
    ttl_only_drop_parts: 1,
    materialize_ttl_recalculate_only: 1,
  },
  shardBy: "segment",
};

const PACKET_SCHEMAS: TableDefinition = {
  name: "packet_schemas",
  columns: "fingerprint String, text String CODEC(ZSTD(1))",
  engine: "ReplacingMergeTree",
  orderBy: "fingerprint",
  shardBy: null,
};

export async function up(client: ArchiveClient): Promise<void> {
  await createTables(client, [PACKETS, PACKET_SCHEMAS]);
}
