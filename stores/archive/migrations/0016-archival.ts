// Archives of light curves: their registry, their sources by place, their points. Read by ../archival.ts and its files.
import type { ArchiveClient } from "../client.js";
import { createTables, type TableDefinition } from "../layout.js";

/** One row for each revision, as it was changed last; `record` is the whole of it as JSON (domain/archival.ts). */
const ARCHIVES: TableDefinition = {
  name: "archival_archives",
  columns: `
  name String,
  revision UInt64,
  state LowCardinality(String),
  changedAt UInt64,
  record String CODEC(ZSTD(1))`,
  engine: "ReplacingMergeTree",
  version: "changedAt",
  orderBy: "(name, revision)",
  settings: { index_granularity: 256 },
  shardBy: null,
};

/**
 * A load is a partition of both tables: it goes at once, whatever its size. Within it rows lie by cells of the sky (nested
 * HEALPix of order 16, 3.2 arcsec), a source's points one after the other by time; a cell is on one shard with all of its
 * sources and points. Rows that are sent again replace themselves: a point's number is its place in the load's files.
 */
const SOURCES: TableDefinition = {
  name: "archival_sources",
  columns: `
  load UInt64 CODEC(ZSTD(1)),
  cell UInt64 CODEC(Delta, ZSTD(1)),
  source UInt64 CODEC(Delta, ZSTD(1)),
  band LowCardinality(String) CODEC(ZSTD(1)),
  id String CODEC(ZSTD(1)),
  ra Float64 CODEC(ZSTD(1)),
  dec Float64 CODEC(ZSTD(1)),
  fields String CODEC(ZSTD(1))`,
  engine: "ReplacingMergeTree",
  partitionBy: "load",
  orderBy: "(cell, source, band)",
  settings: { index_granularity: 1024 },
  shardBy: "cell",
};

const POINTS: TableDefinition = {
  name: "archival_points",
  columns: `
  load UInt64 CODEC(ZSTD(1)),
  cell UInt64 CODEC(Delta, ZSTD(1)),
  source UInt64 CODEC(Delta, ZSTD(1)),
  band LowCardinality(String) CODEC(ZSTD(1)),
  time Float64 CODEC(ZSTD(3)),
  number UInt64 CODEC(Delta, ZSTD(1)),
  magnitude Float32 CODEC(Delta, ZSTD(1)),
  magnitudeError Float32 CODEC(Delta, ZSTD(1)),
  colorCoefficient Float32 CODEC(ZSTD(3)),
  flags UInt32 CODEC(T64, ZSTD(1))`,
  engine: "ReplacingMergeTree",
  partitionBy: "load",
  orderBy: "(cell, source, band, time, number)",
  settings: { index_granularity: 2048 },
  shardBy: "cell",
};

export async function up(client: ArchiveClient): Promise<void> {
  await createTables(client, [ARCHIVES, SOURCES, POINTS]);
}
