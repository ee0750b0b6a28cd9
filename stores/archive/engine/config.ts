// The two configuration files of a ClickHouse server out of the library, written anew at each start. Called by
// embedded.ts and by cli/servers/.
import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

export interface EngineFiles {
  readonly config: string;
  readonly users: string;
  /** The server writes the port here that it got. */
  readonly port: string;
}

export interface EngineAccess {
  readonly user: string;
  readonly password: string;
  /** 0: any free port. */
  readonly port: number;
  /** Further elements of the server's configuration, as XML. */
  readonly elements?: string;
  /** What the user may do; by default what the archive needs. */
  readonly grants?: string;
}

const MiB = 1024 ** 2;

/** Name and value of the server's settings: sized for two cores and for 3 GB together with the service itself. */
const SERVER: Readonly<Record<string, number | string>> = {
  listen_host: "127.0.0.1",
  timezone: "UTC",
  keep_alive_timeout: 60,
  max_server_memory_usage: 1536 * MiB,
  mark_cache_size: 64 * MiB,
  index_mark_cache_size: 16 * MiB,
  uncompressed_cache_size: 0,
  background_pool_size: 2,
  background_merges_mutations_concurrency_ratio: 2,
  background_schedule_pool_size: 4,
};

const MERGE_TREE: Readonly<Record<string, number>> = {
  // Seconds. What a merge has replaced stays until the kernel has written the merge to the disk (30 s by default): the
  // library's own value is 0, and a power cut would take rows of years with the file of a moment.
  old_parts_lifetime: 90,
  // These three must not exceed the merge slots (pool size x ratio = 4).
  number_of_free_entries_in_pool_to_lower_max_size_of_merge: 2,
  number_of_free_entries_in_pool_to_execute_mutation: 2,
  number_of_free_entries_in_pool_to_execute_optimize_entire_partition: 2,
};

const PROFILE: Readonly<Record<string, number>> = {
  max_memory_usage: 1024 * MiB,
  max_bytes_before_external_group_by: 512 * MiB,
  max_bytes_before_external_sort: 512 * MiB,
  // Statements and bound values travel as form fields; the default of 128 KiB ends at some 6,000 ids.
  http_max_field_value_size: 64 * MiB,
};

/** All but what reads files, other hosts or users: a flaw in a statement must not reach beyond the archive. */
const GRANTS = "SELECT, INSERT, ALTER, CREATE, DROP, TRUNCATE, OPTIMIZE, SHOW, KILL QUERY, SYSTEM, dictGet";

/** What lets the user write backups to this one folder. */
export const backupAccess = (folder: string): Pick<EngineAccess, "elements" | "grants"> => ({
  elements: `<backups><allowed_path>${escaped(folder)}/</allowed_path></backups>`,
  grants: `${GRANTS}, BACKUP`,
});

const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");

const elements = (values: Readonly<Record<string, number | string>>): string =>
  Object.entries(values)
    .map(([name, value]) => `<${name}>${escaped(String(value))}</${name}>`)
    .join("");

function configXml(files: EngineFiles, { port, elements: further = "" }: EngineAccess): string {
  return `<clickhouse>${elements({ users_config: files.users, http_port: port, ...SERVER })}<merge_tree>${elements(MERGE_TREE)}</merge_tree>${further}</clickhouse>\n`;
}

/**
 * The library's own session logs in as `default` without a password, and so could every process on this machine. The
 * profile `boot` allows one session, which the library holds, and the grants suffice for nothing but listening.
 */
function usersXml({ user, password, grants = GRANTS }: EngineAccess): string {
  const loopback = "<networks><ip>127.0.0.1</ip><ip>::1</ip></networks><quota>default</quota>";
  const hash = createHash("sha256").update(password).digest("hex");
  return `<clickhouse>
<profiles><default>${elements(PROFILE)}</default><boot><max_sessions_for_user>1</max_sessions_for_user></boot></profiles>
<quotas><default/></quotas>
<users>
<default><password></password><profile>boot</profile>${loopback}<grants><query>GRANT SYSTEM LISTEN ON *.*</query><query>GRANT SELECT ON system.numbers</query></grants></default>
<${user}><password_sha256_hex>${hash}</password_sha256_hex><profile>default</profile>${loopback}<grants><query>GRANT ${grants} ON *.*</query><query>GRANT TABLE ENGINE ON *</query></grants></${user}>
</users>
</clickhouse>
`;
}

/** Write both files (mode 600: the password's hash stands in them). */
export async function writeConfig(folder: string, access: EngineAccess): Promise<EngineFiles> {
  const files = { config: join(folder, "config.xml"), users: join(folder, "users.xml"), port: join(folder, "port") };
  await writeFile(files.users, usersXml(access), { mode: 0o600 });
  await writeFile(files.config, configXml(files, access), { mode: 0o600 });
  return files;
}
