// How the archive's tables lie on one server or on a cluster. Every table is made here, from its definition in
// migrations/ and alerts.table.ts.
import { TocsinError } from "../../domain/errors.js";
import { strings } from "./blocks.js";
import type { ArchiveClient, Cluster } from "./client.js";
import { quoted, sqlText } from "./http.form.js";

export interface TableDefinition {
  readonly name: string;
  /** Columns, indices and projections, as they stand between the parentheses of CREATE TABLE. */
  readonly columns: string;
  readonly engine: "MergeTree" | "ReplacingMergeTree" | "AggregatingMergeTree";
  /** Column of ReplacingMergeTree whose highest value stays. */
  readonly version?: string;
  readonly partitionBy?: string;
  readonly orderBy: string;
  readonly ttl?: string;
  readonly settings?: Readonly<Record<string, number | string>>;
  /**
   * Column whose hash chooses the shard. Rows that statements bring together share it: sub-queries over such tables are
   * answered by each shard for itself. Null: all rows on the first shard, so that an insert is there whole or not at
   * all; sub-queries over such tables from others are GLOBAL.
   */
  readonly shardBy: string | null;
}

/** The table itself: on a cluster each node has it, under this name, below the Distributed table of the plain name. */
export const localName = (cluster: Cluster | null, name: string): string => (cluster === null ? name : `${name}_local`);

/** Create those that are missing; harmless to repeat and to do at the same time in several processes. */
export async function createTables(client: ArchiveClient, tables: readonly TableDefinition[]): Promise<void> {
  const cluster = client.cluster ?? null;
  const policy = client.storagePolicy ?? null;
  if (cluster === null) {
    for (const table of tables) await client.command(creation(table, null, "", policy));
    return;
  }
  const names = tables.map(({ name }) => name);
  const engines = await onEachNode(cluster.nodes, (node) => enginesOf(node, names));
  for (const found of engines.answers) refusePlainTables(found);
  const missing = tables.filter(({ name }) => engines.answers.some((found) => !found.has(name)));
  if (missing.length === 0) return;
  if (engines.failure !== null) throw engines.failure;
  for (const table of missing) {
    await everywhere(client, (onCluster) => creation(table, cluster, onCluster, policy));
  }
  // These come last: a node that has the plain name has what lies below it everywhere.
  for (const table of missing) {
    await everywhere(client, (onCluster) => distribution(table, client.database, cluster, onCluster));
  }
}

export const nodesOf = (client: ArchiveClient): readonly ArchiveClient[] => client.cluster?.nodes ?? [client];

/** ALTER TABLE on every node: of the rows' tables only, or (a change of columns) of the Distributed one too. */
export async function alterTable(
  client: ArchiveClient,
  name: string,
  actions: string,
  of: "rows" | "columns",
): Promise<void> {
  const cluster = client.cluster ?? null;
  const local = quoted(localName(cluster, name));
  await everywhere(client, (onCluster) => `ALTER TABLE ${local}${onCluster} ${actions}`);
  if (cluster !== null && of === "columns") {
    await everywhere(client, (onCluster) => `ALTER TABLE ${quoted(name)}${onCluster} ${actions}`);
  }
}

/** Run a statement on the server, or on each node of the cluster; all have done it when this resolves. */
export async function everywhere(client: ArchiveClient, statement: (onCluster: string) => string): Promise<void> {
  const cluster = client.cluster ?? null;
  if (cluster === null) return client.command(statement(""));
  if (cluster.replicated) return client.command(statement(` ON CLUSTER ${quoted(cluster.name)}`));
  const all = await Promise.allSettled(cluster.nodes.map((node) => node.command(statement(""))));
  for (const one of all) if (one.status === "rejected") throw one.reason;
}

/** What those nodes that can be reached answer, at least one; `failure` is why another one did not. */
export async function onEachNode<T>(
  nodes: readonly ArchiveClient[],
  ask: (node: ArchiveClient) => Promise<T>,
): Promise<{ answers: T[]; failure: TocsinError | null }> {
  const all = await Promise.allSettled(nodes.map(ask));
  const answers = all.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  const reasons = all.flatMap((one) => (one.status === "rejected" ? [one.reason as unknown] : []));
  const fault = reasons.find((reason) => !(reason instanceof TocsinError && reason.code === "ENGINE_UNAVAILABLE"));
  if (fault !== undefined) throw fault;
  const failure = (reasons[0] as TocsinError | undefined) ?? null;
  if (answers.length === 0) throw failure;
  return { answers, failure };
}

async function enginesOf(node: ArchiveClient, names: readonly string[]): Promise<Map<string, string>> {
  const block = await node.query(
    "SELECT name, engine FROM system.tables WHERE database = {database:String} AND name IN {names:Array(String)}",
    { database: node.database, names },
  );
  const engines = strings(block, "engine");
  return new Map(strings(block, "name").map((name, row) => [name, engines[row]!]));
}

function refusePlainTables(found: ReadonlyMap<string, string>): void {
  for (const [name, engine] of found) {
    if (engine === "Distributed") continue;
    throw new TocsinError("BAD_SETTING", `The archive's table ${name} was made for one server, not for a cluster.`, {
      remedy: "Leave CLICKHOUSE_CLUSTER unset, or restore a backup into a cluster that has no such database.",
    });
  }
}

/** CREATE TABLE of the rows' own table. */
function creation(
  table: TableDefinition,
  cluster: Cluster | null,
  onCluster: string,
  storagePolicy: string | null,
): string {
  const settings = Object.entries(table.settings ?? {}).map(
    ([name, value]) => `${name} = ${typeof value === "number" ? value : sqlText(value)}`,
  );
  if (storagePolicy !== null) settings.push(`storage_policy = ${sqlText(storagePolicy)}`);
  const clauses = [
    `ENGINE = ${engine(table, cluster)}`,
    ...(table.partitionBy === undefined ? [] : [`PARTITION BY ${table.partitionBy}`]),
    `ORDER BY ${table.orderBy}`,
    ...(table.ttl === undefined ? [] : [`TTL ${table.ttl}`]),
    ...(settings.length === 0 ? [] : [`SETTINGS ${settings.join(", ")}`]),
  ];
  const name = quoted(localName(cluster, table.name));
  return `CREATE TABLE IF NOT EXISTS ${name}${onCluster} (${table.columns}) ${clauses.join("\n")}`;
}

function engine({ engine, version }: TableDefinition, cluster: Cluster | null): string {
  const own = version === undefined ? [] : [version];
  if (cluster?.replicated !== true) return `${engine}(${own.join(", ")})`;
  // The macros shard and replica stand in each server's configuration, the others are the server's own.
  const path = "'/clickhouse/tables/{shard}/{database}/{table}', '{replica}'";
  return `Replicated${engine}(${[path, ...own].join(", ")})`;
}

function distribution(table: TableDefinition, database: string, cluster: Cluster, onCluster: string): string {
  const key = table.shardBy === null ? "0" : `cityHash64(${table.shardBy})`;
  const local = localName(cluster, table.name);
  const place = [cluster.name, database, local].map(sqlText).join(", ");
  return `CREATE TABLE IF NOT EXISTS ${quoted(table.name)}${onCluster} AS ${quoted(local)} ENGINE = Distributed(${place}, ${key})`;
}
