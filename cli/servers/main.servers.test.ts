// The command: what it prints, what it finds again, what it ends, and what it says when something is missing.
import { execFile } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import neo4j from "neo4j-driver";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { processesNaming } from "../../test/process.js";
import { available } from "../../test/servers.js";
import { identify } from "./identity.js";

const MAIN = resolve(import.meta.dirname, "../../dist/cli/servers/main.js");
const root = mkdtempSync(join(tmpdir(), "tocsin-command-"));
const state = (name: string): string => join(root, "servers", name, "state.json");

async function servers(args: string[], environment: Record<string, string> = {}) {
  const env = { ...process.env, DATA_DIR: root, ...environment };
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [MAIN, ...args], { env });
  return { stdout, stderr };
}
const settingsOf = (stdout: string): Record<string, string> =>
  Object.fromEntries(
    stdout
      .trimEnd()
      .split("\n")
      .map((line) => /^([A-Z0-9_]+)=(\S+)$/.exec(line)!.slice(1)),
  );

afterEach(() => servers(["down"]));
afterAll(() => rmSync(root, { recursive: true, force: true }));

async function ask(settings: Record<string, string>): Promise<string> {
  const headers = { "X-ClickHouse-User": settings.CLICKHOUSE_USER!, "X-ClickHouse-Key": settings.CLICKHOUSE_PASSWORD! };
  return (await fetch(`${settings.CLICKHOUSE_URL}/?query=SELECT+version()`, { headers })).text();
}

it("prints settings that work, the same for a server that runs and for one that ran before", async () => {
  const { stdout, stderr } = await servers(["up", "clickhouse"]);
  expect(Object.keys(settingsOf(stdout))).toEqual(["CLICKHOUSE_URL", "CLICKHOUSE_USER", "CLICKHOUSE_PASSWORD"]);
  expect(stderr).toContain("Starting ClickHouse");
  expect(await ask(settingsOf(stdout))).toMatch(/^26\.7\./);
  expect(statSync(state("clickhouse")).mode & 0o777).toBe(0o600);

  expect(await servers(["up", "clickhouse"])).toEqual({ stdout, stderr: "" });
  expect((await servers(["status"])).stdout).toMatch(/clickhouse: runs \(\d+\)/);

  await servers(["down", "clickhouse"]);
  expect(processesNaming(root)).toEqual([]);
  expect((await servers(["status"])).stdout).toContain("clickhouse: does not run");
  expect((await servers(["up", "clickhouse"])).stdout).toBe(stdout);
});

it("starts anew where the state file names a process that is dead, or another one", async () => {
  const first = await servers(["up", "clickhouse"]);
  const { process: old, memory } = JSON.parse(readFileSync(state("clickhouse"), "utf8"));
  process.kill(old.pid, "SIGKILL");
  const impostor = { pid: process.pid, started: old.started };
  writeFileSync(state("clickhouse"), JSON.stringify({ process: impostor, memory }));

  // Would be the end of this test's own process.
  await servers(["down"]);
  expect(await servers(["up", "clickhouse"])).toMatchObject({ stdout: first.stdout });
  expect(await ask(settingsOf(first.stdout))).toMatch(/^26\.7\./);
});

it("starts a cluster and ends all of it", async () => {
  const { stdout } = await servers(["up", "cluster"]);
  const settings = settingsOf(stdout);
  const urls = settings.CLICKHOUSE_URL!.split(",");
  expect(urls).toHaveLength(4);
  for (const url of urls) expect(await ask({ ...settings, CLICKHOUSE_URL: url })).toMatch(/^26\.7\./);
  await servers(["down", "cluster"]);
  expect(processesNaming(root)).toEqual([]);
});

it("refuses a server and a cluster at once", async () => {
  await expect(servers(["up", "clickhouse", "cluster"])).rejects.toMatchObject({
    code: 2,
    stdout: "",
    stderr: expect.stringContaining("[BAD_ARGUMENT]"),
  });
});

it("names what is missing where there is no Java", async () => {
  const bin = join(root, "bin");
  mkdirSync(bin);
  symlinkSync(process.execPath, join(bin, "node"));
  await expect(servers(["up", "kafka"], { PATH: bin, JAVA_HOME: "" })).rejects.toMatchObject({
    code: 2,
    stdout: "",
    stderr: expect.stringMatching(/There is no program `java`\. Install Java 17.*\[TOOL_MISSING\]/),
  });
  writeFileSync(join(bin, "java"), `#!/bin/sh\necho 'openjdk version "11.0.2"' >&2\n`);
  chmodSync(join(bin, "java"), 0o755);
  await expect(servers(["up", "kafka"], { PATH: `${bin}:/bin`, JAVA_HOME: "" })).rejects.toMatchObject({
    stderr: expect.stringContaining("`java` is version 11."),
  });
});

describe.skipIf(!available("kafka") || !available("neo4j"))("with Java", () => {
  it("starts all three at once, and they outlive the command", async () => {
    const { stdout } = await servers(["up", "kafka", "neo4j", "clickhouse"]);
    const settings = settingsOf(stdout);
    expect(settings.KAFKA_BROKERS).toMatch(/^127\.0\.0\.1:\d+$/);
    const auth = neo4j.auth.basic(settings.NEO4J_USER!, settings.NEO4J_PASSWORD!);
    const driver = neo4j.driver(settings.NEO4J_URL!, auth);
    expect((await driver.getServerInfo()).agent).toBe("Neo4j/5.26.30");
    await driver.close();
    const pids = processesNaming(root);
    expect(pids).toHaveLength(3);
    await servers(["down"]);
    expect(pids.map(identify)).toEqual([null, null, null]);
  });
});
