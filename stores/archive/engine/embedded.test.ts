// The embedded engine as a process: deaths, restarts, orphans, its closed doors, refused starts.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { TocsinError } from "../../../domain/errors.js";
import { connectArchive } from "../http.js";
import { type EmbeddedArchive, startEmbeddedArchive } from "./embedded.js";
import { engineLibrary } from "./library.js";

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "tocsin-engine-"));
});
afterAll(async () => {
  await rm(root, { recursive: true, force: true });
});

const connectTo = ({ url, user, password }: EmbeddedArchive) =>
  connectArchive({ url, user, password, database: "tocsin" });
/** A zombie, which a container's first process may never reap, is dead. */
const alive = (pid: number): boolean => {
  try {
    if (process.platform === "linux") return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};
const count = async (archive: EmbeddedArchive): Promise<unknown> => {
  const client = connectTo(archive);
  try {
    return (await client.query("SELECT count() AS n FROM t")).columns.get("n")?.values[0];
  } finally {
    await client.close();
  }
};

describe("a running engine", () => {
  let archive: EmbeddedArchive;
  const lines: string[] = [];
  const dataDir = () => join(root, "running & 'quoted' \"dir\"");
  beforeAll(async () => {
    archive = await startEmbeddedArchive({ dataDir: dataDir(), log: (line) => lines.push(line) });
    const client = connectTo(archive);
    await client.command("CREATE DATABASE tocsin");
    await client.command("CREATE TABLE t (x UInt64) ENGINE = MergeTree ORDER BY x");
    await client.close();
  });
  afterAll(async () => {
    await archive?.stop();
  });

  it("keeps what a merge has replaced until the disk can have the merge", async () => {
    const client = connectTo(archive);
    await client.command("CREATE TABLE merged (x UInt64) ENGINE = MergeTree ORDER BY x");
    for (const x of [1, 2]) await client.command(`INSERT INTO merged VALUES (${x})`);
    await client.command("OPTIMIZE TABLE merged FINAL");
    const replaced = await client.query(
      `SELECT name, (SELECT toUInt32(value) FROM system.merge_tree_settings WHERE name = 'old_parts_lifetime') AS seconds
      FROM system.parts WHERE table = 'merged' AND NOT active`,
    );
    expect(replaced.rows).toBe(2);
    // The kernel writes after 30 s, and looks every 5 s.
    expect(replaced.columns.get("seconds")?.values[0]).toBeGreaterThan(60);
    await client.close();
  });

  const status = async (headers: Record<string, string>): Promise<string> => {
    const answer = await fetch(`${archive.url}/?query=SELECT+1`, { headers });
    return `${answer.status} ${answer.headers.get("x-clickhouse-exception-code") ?? ""}`;
  };

  it("lets nobody in but its own user", async () => {
    const { user, password } = archive;
    expect(await status({ "X-ClickHouse-User": user, "X-ClickHouse-Key": password })).toBe("200 ");
    expect(await status({ "X-ClickHouse-User": user, "X-ClickHouse-Key": "wrong" })).toMatch(/^40\d 516$/);
    // The library's own session holds the one place that `default` has.
    expect(await status({})).toMatch(/^\d+ 700$/);
    expect(await status({ "X-ClickHouse-User": "default" })).toMatch(/^\d+ 700$/);
  });

  it("keeps its secrets from other users of the machine", async () => {
    const run = (await readdir(dataDir())).filter((name) => name.startsWith("run-"));
    expect(run).toHaveLength(1);
    for (const file of ["config.xml", "users.xml"]) {
      const path = join(dataDir(), run[0]!, file);
      expect((await stat(path)).mode & 0o077).toBe(0);
      expect(await readFile(path, "utf8")).not.toContain(archive.password);
    }
    expect((await stat(join(dataDir(), run[0]!))).mode & 0o077).toBe(0);
  });

  it("refuses a second one on its directory and stays up", async () => {
    const second = startEmbeddedArchive({ dataDir: dataDir() });
    await expect(second).rejects.toMatchObject({
      code: "DATA_DIR_IN_USE",
      message: `Another process has the archive in ${dataDir()} open.`,
    });
    expect(await count(archive)).toBe(0n);
    expect((await readdir(dataDir())).filter((name) => name.startsWith("run-"))).toHaveLength(1);
  });

  it("outlives hostile and half-sent requests", async () => {
    const pid = archive.pid();
    const { hostname, port } = new URL(archive.url);
    const auth = { "X-ClickHouse-User": archive.user, "X-ClickHouse-Key": archive.password };
    const cutOff = (bytes: string) =>
      new Promise<void>((done) => {
        const socket = connect(Number(port), hostname, () => socket.write(bytes, () => socket.destroy()));
        socket.on("error", () => {}).on("close", () => done());
      });
    const abandoned = () =>
      new Promise<void>((done) => {
        const sent = request(`${archive.url}/?query=INSERT+INTO+tocsin.t+FORMAT+Native`, {
          method: "POST",
          headers: auth,
        });
        sent.on("error", () => {}).on("close", () => done());
        sent.write("\x01\xff\xff\xff", () => sent.destroy());
      });
    const kinds = [
      () => cutOff("POST /?query=SELECT+1 HTTP/1.1\r\nContent-Length: 100000\r\n\r\nabc"),
      () => cutOff("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n"),
      () => cutOff("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
      () => cutOff(`GET /${"a".repeat(100_000)} HTTP/1.1\r\n\r\n`),
      () =>
        cutOff(
          "POST / HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 50\r\n\r\n--b\r\nContent-",
        ),
      abandoned,
    ];
    for (let round = 0; round < 50; round++) {
      await Promise.all(Array.from({ length: 42 }, (_, i) => kinds[i % kinds.length]!()));
    }
    expect(await count(archive)).toBe(0n);
    expect(archive.pid()).toBe(pid);
  }, 120_000);

  it("comes back by itself at the same address when it is killed, with everything acknowledged", async () => {
    const client = connectTo(archive);
    const { url } = archive;
    for (let life = 1; life <= 3; life++) {
      await client.insert("t", {
        rows: 2,
        columns: new Map([["x", { type: "UInt64", values: BigUint64Array.of(1n, 2n), nulls: null }]]),
      });
      const pid = archive.pid()!;
      process.kill(pid, "SIGKILL");
      await vi.waitFor(() => expect(alive(pid)).toBe(false), { timeout: 5000 });
      await vi.waitFor(async () => expect(await count(archive)).toBe(BigInt(2 * life)), {
        timeout: 20_000,
        interval: 50,
      });
      expect(archive.pid()).not.toBe(pid);
      expect(archive.url).toBe(url);
    }
    expect(lines.filter((line) => line.includes("(SIGKILL)"))).toHaveLength(3);
    await client.close();
  });

  it("says that it is away while it is", async () => {
    const client = connectTo(archive);
    process.kill(archive.pid()!, "SIGKILL");
    const codes = new Set<string>();
    await vi.waitFor(
      async () => {
        const caught: unknown = await client.query("SELECT 1").then(
          () => null,
          (error: unknown) => error,
        );
        if (caught !== null) codes.add(caught instanceof TocsinError ? caught.code : String(caught));
        expect(caught).toBeNull();
        expect(codes.size).toBeGreaterThan(0);
      },
      { timeout: 20_000, interval: 5 },
    );
    expect([...codes]).toEqual(["ENGINE_UNAVAILABLE"]);
    await client.close();
  });

  it("stays away after stop, even one in the middle of a restart", async () => {
    const pid = archive.pid()!;
    process.kill(pid, "SIGKILL");
    await archive.stop();
    expect(archive.pid()).toBeNull();
    await expect(fetch(archive.url)).rejects.toThrow();
    expect((await readdir(dataDir())).filter((name) => name.startsWith("run-"))).toEqual([]);
    // The directory is free again.
    const next = await startEmbeddedArchive({ dataDir: dataDir() });
    expect(await count(next)).toBe(6n);
    await next.stop();
  });
});

describe("a service that ends without a word", () => {
  /** Starts an archive in a process of its own and prints the engine's process id. */
  const PROGRAM = `
    import { runnerImport } from "vite";
    const { module } = await runnerImport("./stores/archive/engine/embedded.ts", { configFile: false, logLevel: "error" });
    const archive = await module.startEmbeddedArchive({ dataDir: process.argv[1] });
    process.on("SIGUSR2", () => process.exit(1));
    console.log(archive.pid());
    setInterval(() => {}, 1000);
  `;

  it.each(["SIGKILL", "SIGTERM", "SIGUSR2"] as const)(
    "by %s leaves no orphan, and a successor may start at once",
    async (signal) => {
      const dataDir = join(root, `parent-${signal}`);
      const parent = spawn(process.execPath, ["--input-type=module", "-e", PROGRAM, dataDir], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      const [printed] = (await once(parent.stdout, "data")) as [Buffer];
      const pid = Number(printed.toString());
      expect(alive(pid)).toBe(true);
      parent.kill(signal);
      await once(parent, "exit");
      const ended = Date.now();
      const successor = startEmbeddedArchive({ dataDir });
      await vi.waitFor(() => expect(alive(pid)).toBe(false), { timeout: 5000, interval: 5 });
      expect(Date.now() - ended).toBeLessThan(1000);
      await (await successor).stop();
      expect(await readdir(dataDir)).not.toContainEqual(expect.stringMatching(/^run-/));
    },
  );
});

describe("a start", () => {
  it("names the platforms without a build", () => {
    const windows = () => engineLibrary({ os: "win32", cpu: "x64", glibc: true });
    expect(windows).toThrowError(
      expect.objectContaining({ code: "ENGINE_UNSUPPORTED", message: expect.stringContaining("win32-x64") }),
    );
    expect(() => engineLibrary({ os: "linux", cpu: "x64", glibc: false })).toThrowError(/linux-x64 with musl/);
    expect(existsSync(engineLibrary())).toBe(true);
  });

  it("names a folder that it cannot write in", async () => {
    await writeFile(join(root, "file"), "");
    await expect(startEmbeddedArchive({ dataDir: join(root, "file") })).rejects.toMatchObject({
      code: "BAD_SETTING",
      message: expect.stringContaining(join(root, "file")),
    });
  });

  it("works without a terminal, and says so", async () => {
    const lines: string[] = [];
    const archive = await startEmbeddedArchive({
      dataDir: join(root, "no-terminal"),
      log: (line) => lines.push(line),
      terminalPath: join(root, "missing"),
    });
    const client = connectTo(archive);
    await client.command("CREATE DATABASE tocsin");
    expect((await client.query("SELECT 1 AS x")).rows).toBe(1);
    expect(lines).toEqual([expect.stringContaining("There is no")]);
    const answer = await fetch(`${archive.url}/?query=SELECT+1`);
    expect(answer.headers.get("x-clickhouse-exception-code")).toBe("700");
    await client.close();
    await archive.stop();
  });
});
