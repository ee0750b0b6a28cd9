// The archive on servers of its owner: one, or the nodes of a cluster. Called by cli/.
import { TocsinError } from "../../domain/errors.js";
import { numbers, strings, stringsOrNull } from "./blocks.js";
import type { ArchiveClient } from "./client.js";
import { connectArchive, SETTINGS_SENT } from "./http.js";
import { onEachNode } from "./layout.js";
import { NodesClient } from "./nodes.js";
import type { Share } from "./priorities.js";

export interface ServersAddress extends Partial<Share> {
  /** One server, or nodes of the cluster: all of them where they have no Keeper. */
  readonly urls: readonly string[];
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** The cluster's name in the servers' configuration; null: one server. */
  readonly cluster: string | null;
  /** Storage policy of new tables; null: the servers' own. */
  readonly storagePolicy: string | null;
  /** Takes a line for each server that goes or comes back. */
  readonly log?: (line: string) => void;
}

/**
 * Look at the servers and open a client over them.
 * @throws TocsinError ENGINE_UNAVAILABLE where none answers; BAD_SETTING with what to change.
 */
export async function openArchiveServers(address: ServersAddress): Promise<ArchiveClient> {
  const { urls, cluster, log = () => {} } = address;
  if (cluster === null && urls.length !== 1) {
    throw new TocsinError("BAD_SETTING", "CLICKHOUSE_URL names several servers.", {
      remedy: "Name one, or set CLICKHOUSE_CLUSTER to the cluster that they form.",
    });
  }
  // The database need not exist yet, and no request may name one that is not there.
  const all = new Set(Object.keys(SETTINGS_SENT));
  const probes = urls.map((url) => connectArchive({ ...address, url, database: "system", omit: all }));
  try {
    const { answers } = await onEachNode(probes, fixedSettings);
    const omit = new Set(answers.flatMap((fixed) => [...fixed]));
    if (cluster === null) return connectArchive({ ...address, url: urls[0]!, omit });
    const copies = await copiesByServers(probes, cluster);
    const settings = { ...address.settings, ...(copies === null ? {} : storedByAll(copies)) };
    const nodes = urls.map((url) => connectArchive({ ...address, url, omit, settings }));
    return new NodesClient({ name: cluster, replicated: copies !== null, nodes }, log);
  } finally {
    await Promise.all(probes.map((probe) => probe.close()));
  }
}

/** Without these, rows would be lost or stand half. */
const NEEDED: ReadonlySet<string> = new Set([
  "async_insert",
  "distributed_foreground_insert",
  "input_format_parallel_parsing",
  "insert_deduplicate",
  "skip_unavailable_shards",
]);

/** Names of our settings that the user may not change to what we send. */
async function fixedSettings(server: ArchiveClient): Promise<Set<string>> {
  const block = await server.query(
    `SELECT name, value, readonly, toNullable(min) AS least, toNullable(max) AS most FROM system.settings
    WHERE name IN {names:Array(String)}`,
    { names: Object.keys(SETTINGS_SENT) },
  );
  const values = strings(block, "value");
  const readonly = numbers(block, "readonly");
  const least = stringsOrNull(block, "least");
  const most = stringsOrNull(block, "most");
  const fixed = strings(block, "name").filter((name, row) => {
    const sent = String(SETTINGS_SENT[name]);
    if (readonly[row] === 0 && isWithin(sent, least(row), most(row))) return false;
    if (!NEEDED.has(name) || values[row] === sent) return true;
    throw new TocsinError("BAD_SETTING", `The archive's user may not set ${name} to ${sent}.`, {
      remedy: `Let its profile have ${name} = ${sent}, or take the constraint away.`,
    });
  });
  return new Set(fixed);
}

function isWithin(sent: string, least: string | null, most: string | null): boolean {
  return (least === null || Number(sent) >= Number(least)) && (most === null || Number(sent) <= Number(most));
}

/** An insert is answered when each copy has it: whichever is read next knows what was stored. */
const storedByAll = (copies: number) => ({ insert_quorum: copies, insert_quorum_timeout: 60_000 });

/**
 * Copies of each row where the servers of a cluster make them themselves; null where whoever inserts does. Checks that
 * the cluster is one that can be used.
 */
async function copiesByServers(probes: readonly ArchiveClient[], cluster: string): Promise<number | null> {
  const { answers, failure } = await onEachNode(probes, (node) => placesIn(node, cluster));
  const places = answers[0]!;
  if (places.all.size === 0) {
    throw new TocsinError("BAD_SETTING", `The archive's servers know no cluster "${cluster}".`, {
      remedy: "Set CLICKHOUSE_CLUSTER to a name from system.clusters.",
    });
  }
  if (places.replicated) {
    if (answers.every(({ keeper }) => keeper)) return places.copies;
    throw new TocsinError("BAD_SETTING", `The servers of "${cluster}" shall copy rows themselves and have no Keeper.`, {
      remedy: "Configure the Keeper, or internal_replication = false in the cluster's definition.",
    });
  }
  const named = new Set(answers.map(({ own }) => own));
  const silent = failure === null ? 0 : probes.length - answers.length;
  if (named.size + silent < places.all.size) {
    throw new TocsinError("BAD_SETTING", `CLICKHOUSE_URL names ${named.size} of ${places.all.size} servers.`, {
      remedy: "A cluster without a Keeper needs the URLs of all its servers, separated by commas.",
    });
  }
  return null;
}

interface Places {
  readonly all: ReadonlySet<string>;
  /** The most that a shard has. */
  readonly copies: number;
  readonly own: string | null;
  readonly replicated: boolean;
  readonly keeper: boolean;
}

async function placesIn(node: ArchiveClient, cluster: string): Promise<Places> {
  const block = await node.query(
    `SELECT toString((shard_num, replica_num)) AS place, replica_num, is_local, internal_replication FROM system.clusters
    WHERE cluster = {cluster:String}`,
    { cluster },
  );
  const places = strings(block, "place");
  const local = numbers(block, "is_local");
  const replicated = numbers(block, "internal_replication").includes(1);
  return {
    all: new Set(places),
    copies: Math.max(...numbers(block, "replica_num")),
    own: places.find((_, row) => local[row] === 1) ?? null,
    replicated,
    keeper: replicated && (await hasKeeper(node)),
  };
}

/** The table is there only where a Keeper is configured. */
async function hasKeeper(node: ArchiveClient): Promise<boolean> {
  try {
    await node.query("SELECT name FROM system.zookeeper WHERE path = '/' LIMIT 1");
    return true;
  } catch (error) {
    if (error instanceof TocsinError && error.code === "ENGINE_UNAVAILABLE") throw error;
    return false;
  }
}
