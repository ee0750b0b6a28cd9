// An own server with a user who may do little, and with the bounds that a server comes with: everything works, or the
// error says what to change at the server.
import type { ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import { closeSync, openSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { testBatch, testHashes, testLocations, testSurvey } from "../../test/batches.js";
import { numbered } from "../../test/numbered.js";
import { packet } from "../packets.contract.js";
import { spawnEngine } from "./engine/child.js";
import { writeConfig } from "./engine/config.js";
import { engineLibrary } from "./engine/library.js";
import { createInFlightQuery } from "./inflight.js";
import { openArchivePackets } from "./packets.js";
import { openArchiveServers } from "./servers.js";
import { createArchiveStores } from "./stores.js";

/** As docs/clickhouse.md asks for. */
const GRANTS = [
  "SELECT, INSERT, ALTER, CREATE DATABASE, CREATE TABLE, DROP TABLE, OPTIMIZE ON tocsin.*",
  "SELECT ON system.*",
  "CREATE TEMPORARY TABLE ON *.*",
];
const PASSWORD = randomUUID();
const NETWORKS = "<networks><ip>127.0.0.1</ip></networks><quota>default</quota>";

/** A profile with these elements, and a user of it with the grants. */
const user = (name: string, profile: string, grants: readonly string[] = GRANTS) => ({
  profile: `<${name}>${profile}</${name}>`,
  user: `<${name}><password>${PASSWORD}</password><profile>${name}</profile>${NETWORKS}<grants>${[
    ...grants,
    "TABLE ENGINE ON *",
  ]
    .map((grant) => `<query>GRANT ${grant}</query>`)
    .join("")}</grants></${name}></users>`,
});
const USERS = [
  user("plain", ""),
  user(
    "fixed",
    `<max_query_size>1000000</max_query_size><async_insert>0</async_insert>
    <constraints><max_query_size><const/></max_query_size><priority><const/></priority><async_insert><const/></async_insert>
    <max_execution_time><max>5</max></max_execution_time></constraints>`,
  ),
  user("wrong", "<async_insert>1</async_insert><constraints><async_insert><const/></async_insert></constraints>"),
  user("reader", "", ["SELECT ON *.*", "CREATE TEMPORARY TABLE ON *.*"]),
];

/** Its servers are to copy rows themselves, and have no Keeper by which they could. */
const CLUSTER = `<remote_servers><keeperless><shard><internal_replication>true</internal_replication>
  <replica><host>127.0.0.1</host><port>1</port></replica><replica><host>127.0.0.1</host><port>2</port></replica>
</shard></keeperless></remote_servers>`;

let folder: string;
let child: ChildProcess;
let url: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tocsin-server-"));
  const files = await writeConfig(folder, { user: "owner", password: PASSWORD, port: 0, elements: CLUSTER });
  let users = await readFile(files.users, "utf8");
  users = users.replace(/<http_max_field_value_size>\d+<\/http_max_field_value_size>/, "");
  for (const each of USERS) users = users.replace("<boot>", `${each.profile}<boot>`).replace("</users>", each.user);
  await writeFile(files.users, users);
  const terminal = openSync("/dev/ptmx", "r+");
  child = spawnEngine({
    ...{ library: engineLibrary(), files, terminal },
    ...{ path: join(folder, "store"), log: join(folder, "log") },
  });
  closeSync(terminal);
  await vi.waitFor(
    async () => {
      url = `http://127.0.0.1:${Number(await readFile(files.port, "utf8"))}`;
      expect((await fetch(`${url}/ping`)).ok).toBe(true);
    },
    { timeout: 30_000, interval: 50 },
  );
});
afterAll(async () => {
  child?.kill("SIGKILL");
  await rm(folder, { recursive: true, force: true });
});

const open = (name: string, database = "tocsin") =>
  openArchiveServers({
    ...{ urls: [url], user: name, password: PASSWORD, cluster: null, storagePolicy: null },
    database,
  });

const viewer = { scope: "owner", programids: new Map([["ZTF", "all" as const]]), mayChange: true };

describe.each(["plain", "fixed"])("a user who may do what the service needs and no more (%s)", (name) => {
  it("migrates, writes, reads, numbers hits and filters batches in flight", async () => {
    const client = await open(name);
    const survey = testSurvey("ZTF");
    const stores = await createArchiveStores(client, [survey]);
    const written = [1n, 2n].map((candid) => ({ candid, objectId: "a", jd: 2459000.5, ra: 1, dec: 2 }));
    const batch = stores.batches.begin();
    await stores.alerts.write(batch, testBatch(survey, written), testHashes(written), testLocations(written));
    expect(await stores.alerts.page(viewer, { cone: { ra: 1, dec: 2, radiusArcsec: 5 } }, 10, null)).toHaveLength(2);
    expect((await stores.alerts.known("ZTF", BigInt64Array.of(1n))).size).toBe(1);
    await stores.sequence.begin(0);
    const hit = { filterId: name, filterVersion: 1, survey: "ZTF", candid: 1n, objectId: "a", jd: 2459000.5 };
    expect(await numbered(stores, [{ ...hit, programid: 1, annotations: null }])).toHaveLength(1);
    const packets = openArchivePackets(client);
    const [location] = await packets.append([packet(3)]);
    expect(await packets.read(location!)).toEqual(packet(3));
    await client.close();
  });

  it("sends filters and statements of any length", async () => {
    const client = await open(name);
    const rows = 100;
    const values = Float32Array.from({ length: rows }, (_, n) => n % 10);
    const block = { rows, columns: new Map([["magpsf", { type: "Float32" as const, values, nulls: null }]]) };
    const columns = Array.from({ length: 1000 }, (_, i) => ({
      alias: `f${i}`,
      sql: `(magpsf >= ${i % 10} AND ${Array.from({ length: 20 }, (_, k) => `magpsf != ${100 + k}`).join(" AND ")})`,
    }));
    expect(columns.reduce((sum, { sql }) => sum + sql.length, 0)).toBeGreaterThan(300_000);
    const got = await createInFlightQuery(client).select(block, columns);
    expect(got.columns.size).toBe(1000);
    expect(got.columns.get("f999")?.values).toEqual(Uint8Array.from(values, (value) => Number(value >= 9)));
    const long = await client.query(`SELECT length('${"x".repeat(500_000)}') + {n:UInt8} AS n`, { n: 1 });
    expect(Number(long.columns.get("n")?.values[0])).toBe(500_001);
    await client.close();
  });
});

it("says which setting the user would have to be let set", async () => {
  await expect(open("wrong")).rejects.toMatchObject({
    code: "BAD_SETTING",
    message: expect.stringContaining("async_insert"),
    remedy: expect.stringContaining("async_insert = 0"),
  });
});

it("says which right is missing", async () => {
  const client = await open("reader", "other");
  await expect(createArchiveStores(client, [])).rejects.toMatchObject({
    code: "BAD_SETTING",
    remedy: expect.stringMatching(/GRANT CREATE DATABASE ON other\.\*/),
  });
  await client.close();
});

it("tells a wrong password, a server that is not there, and addresses that make no cluster", async () => {
  const address = { urls: [url], user: "plain", password: "wrong", database: "d", cluster: null, storagePolicy: null };
  await expect(openArchiveServers(address)).rejects.toMatchObject({ code: "BAD_SETTING" });
  const right = { ...address, password: PASSWORD };
  await expect(openArchiveServers({ ...right, urls: ["http://127.0.0.1:1"] })).rejects.toMatchObject({
    code: "ENGINE_UNAVAILABLE",
  });
  await expect(openArchiveServers({ ...right, urls: [url, url] })).rejects.toMatchObject({ code: "BAD_SETTING" });
  await expect(openArchiveServers({ ...right, cluster: "none" })).rejects.toMatchObject({ code: "BAD_SETTING" });
  await expect(openArchiveServers({ ...right, cluster: "keeperless" })).rejects.toMatchObject({
    code: "BAD_SETTING",
    remedy: expect.stringContaining("Keeper"),
  });
});
