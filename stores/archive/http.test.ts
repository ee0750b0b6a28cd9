// The archive's client against the real engine: inserts, binding, limits, cancellation, errors.
import { once } from "node:events";
import { createServer } from "node:net";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { Block } from "../../domain/columns.js";
import { startEmptyArchive, type TestArchive } from "../../test/archive.js";
import type { Parameter } from "./client.js";
import { connectArchive } from "./http.js";

let archive: TestArchive;
beforeAll(async () => {
  archive = await startEmptyArchive();
});
afterAll(async () => {
  await archive?.stop();
});

const one = async (sql: string, parameters: Record<string, Parameter> = {}): Promise<unknown> =>
  [...(await archive.client.query(`SELECT ${sql}`, parameters)).columns.values()][0]!.values[0];

const ids = (rows: number, from = 0n): Block => ({
  rows,
  columns: new Map([
    [
      "candid",
      { type: "UInt64", values: BigUint64Array.from({ length: rows }, (_, i) => from + BigInt(i)), nulls: null },
    ],
    ["name", { type: "String", values: Array.from({ length: rows }, (_, i) => `a\n\n${i}`), nulls: null }],
  ]),
});

describe("bound values", () => {
  it("arrive exactly, whatever they hold", async () => {
    expect(await one("{v:UInt64}", { v: 18446744073709551615n })).toBe(18446744073709551615n);
    expect(await one("{v:Int64}", { v: -9223372036854775808n })).toBe(-9223372036854775808n);
    expect(await one("{v:Array(Int64)}[2]", { v: [1n, 9007199254740993n] })).toBe(9007199254740993n);
    expect(await one("{v:Float64}", { v: 2459000.123456789 })).toBe(2459000.123456789);
    expect(await one("{v:Float64}", { v: Number.NEGATIVE_INFINITY })).toBe(Number.NEGATIVE_INFINITY);
    expect(await one("{v:Float64}", { v: Number.NaN })).toBeNaN();
    expect(await one("{v:Bool}", { v: true })).toBe(1);
    expect(await one("{v:Nullable(String)} IS NULL", { v: null })).toBe(1);
  });

  it.each([
    "",
    "'",
    "\\",
    "\\N",
    "\\'; DROP TABLE x; --",
    "a\tb\nc\r\n\0\b",
    "{v:String}",
    "ü\u{1f52d}",
    "--b\r\n\r\n",
    "`",
    '"',
  ])("text %j stays text", async (text) => {
    expect(await one("{v:String}", { v: text })).toBe(text);
    expect(await one("{v:Array(String)}[2]", { v: ["x", text] })).toBe(text);
  });

  it("may be far longer than a URL", async () => {
    const many = Array.from({ length: 100_000 }, (_, i) => 9007199254740993n + BigInt(i));
    expect(await one("length(arrayFilter(i -> i >= 9007199254740993, {v:Array(Int64)}))", { v: many })).toBe(100_000n);
    expect(await one("length({v:String})", { v: "é".repeat(1_000_000) })).toBe(2_000_000n);
  });
});

describe("insert", () => {
  it("stores a block under the columns' names and leaves the others at their defaults", async () => {
    await archive.client.command(
      "CREATE TABLE a (name LowCardinality(String), extra Nullable(Float64), candid Int64) ENGINE = MergeTree ORDER BY candid",
    );
    await archive.client.insert("a", ids(3, 9007199254740993n));
    const got = await archive.client.query("SELECT * FROM a ORDER BY candid");
    expect(got.columns.get("name")?.values).toEqual(["a\n\n0", "a\n\n1", "a\n\n2"]);
    expect(got.columns.get("candid")?.values).toEqual(
      BigInt64Array.of(9007199254740993n, 9007199254740994n, 9007199254740995n),
    );
    expect(got.columns.get("extra")?.nulls).toEqual(Uint8Array.of(1, 1, 1));
  });

  it("makes one part of the largest block, and stores the same block twice if told twice", async () => {
    await archive.client.command("CREATE TABLE b (candid UInt64, name String) ENGINE = MergeTree ORDER BY candid");
    await archive.client.command("SYSTEM STOP MERGES b");
    await archive.client.insert("b", ids(1_000_000));
    await archive.client.insert("b", ids(1_000_000));
    const parts = await archive.client.query("SELECT rows FROM system.parts WHERE table = 'b' AND active");
    expect(parts.columns.get("rows")?.values).toEqual(BigUint64Array.of(1_000_000n, 1_000_000n));
    await expect(archive.client.insert("b", ids(1_000_001))).rejects.toMatchObject({ code: "BAD_ARGUMENT" });
  });

  it("stores a block only where its condition holds at the server", async () => {
    await archive.client.command("CREATE TABLE epochs (epoch UInt64) ENGINE = MergeTree ORDER BY epoch");
    await archive.client.insert("epochs", {
      rows: 1,
      columns: new Map([["epoch", { type: "UInt64", values: BigUint64Array.of(7n), nulls: null }]]),
    });
    await archive.client.command(
      "CREATE TABLE d (`ca'n\\`d` UInt64 DEFAULT 5, candid UInt64, name LowCardinality(String)) ENGINE = MergeTree ORDER BY candid",
    );
    const onlyIf = "(SELECT max(epoch) FROM epochs) <= {epoch:UInt64}";
    await archive.client.insert("d", ids(1000), { onlyIf, parameters: { epoch: 6n } });
    expect(await one("count() FROM d")).toBe(0n);
    await archive.client.insert("d", ids(1_000_000), { onlyIf, parameters: { epoch: 18446744073709551615n } });
    const parts = await archive.client.query(
      "SELECT level, rows FROM system.parts WHERE table = 'd' AND active AND level = 0",
    );
    expect(parts.columns.get("rows")?.values).toEqual(BigUint64Array.of(1_000_000n));
    expect(await one("name FROM d WHERE candid = 999999")).toBe("a\n\n999999");
    const odd = { rows: 1, columns: new Map([["ca'n`d", ids(1).columns.get("candid")!]]) };
    await archive.client.insert("d", odd, { onlyIf: "{yes:String} = '\\'\\\\'", parameters: { yes: "'\\" } });
    expect(await one("count() FROM d WHERE `ca'n\\`d` = 0")).toBe(1n);
  });

  it("stores nothing of a block that the table refuses", async () => {
    await archive.client.command(
      "CREATE TABLE c (candid UInt64, name String, CONSTRAINT small CHECK candid < 900) ENGINE = MergeTree ORDER BY candid",
    );
    await expect(archive.client.insert("c", ids(1000))).rejects.toMatchObject({ code: "INTERNAL" });
    await expect(archive.client.insert("missing", ids(1))).rejects.toMatchObject({ details: { engineCode: 60 } });
    expect(await one("count() FROM c")).toBe(0n);
    await archive.client.insert("c", ids(0));
  });
});

describe("limits", () => {
  const slow = "SELECT count() AS x FROM system.numbers WHERE sipHash64(number) = 1 SETTINGS max_threads = 1";
  const running = () =>
    one("count() FROM system.processes WHERE query LIKE '%sipHash64(number) = 1%' AND query NOT LIKE '%processes%'");

  it("stops a query that takes too long, at the engine too", async () => {
    await expect(archive.client.query(slow, {}, { timeoutMs: 200 })).rejects.toMatchObject({ code: "QUERY_TIMEOUT" });
    await vi.waitFor(async () => expect(await running()).toBe(0n), { timeout: 3000 });
  });

  it("stops a query at the engine when its caller gives up", async () => {
    const controller = new AbortController();
    const query = archive.client.query(slow, {}, { signal: controller.signal });
    query.catch(() => {});
    await vi.waitFor(async () => expect(await running()).toBe(1n), { timeout: 3000 });
    controller.abort(new Error("caller left"));
    await expect(query).rejects.toThrow("caller left");
    await vi.waitFor(async () => expect(await running()).toBe(0n), { timeout: 3000 });
  });

  it("does not start a query whose caller has left already", async () => {
    const signal = AbortSignal.abort(new Error("gone"));
    await expect(archive.client.query("SELECT 1", {}, { signal })).rejects.toThrow("gone");
  });

  it("refuses a query that needs too much memory, and lives on", async () => {
    const hungry = "SELECT groupArray(number) AS x FROM numbers(300000000)";
    await expect(archive.client.query(hungry)).rejects.toMatchObject({ code: "QUERY_TOO_LARGE" });
    expect(await one("1")).toBe(1);
  });

  it("reports an error that comes after the first rows", async () => {
    const late = "SELECT throwIf(number = 3000000, 'late') AS x FROM numbers(4000000) SETTINGS max_threads = 1";
    await expect(archive.client.query(late)).rejects.toMatchObject({ code: "INTERNAL", details: { engineCode: 395 } });
  });

  it("cannot write through a query, nor reach files and hosts at all", async () => {
    await archive.client.command("CREATE TABLE w (x UInt8) ENGINE = MergeTree ORDER BY x");
    await expect(archive.client.query("INSERT INTO w SELECT 1")).rejects.toMatchObject({ code: "INTERNAL" });
    await expect(archive.client.query("SELECT * FROM file('/etc/passwd', 'LineAsString')")).rejects.toThrow();
    await expect(
      archive.client.command("INSERT INTO FUNCTION url('http://127.0.0.1:1/', 'TSV', 'x UInt8') SELECT 1"),
    ).rejects.toThrow();
    expect(await one("count() FROM w")).toBe(0n);
  });
});

describe("errors", () => {
  it("never show the statement", async () => {
    const error = await archive.client.query("SELECT secretColumn FROM nowhere").catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: "INTERNAL", details: { engineCode: 60 } });
    expect(`${(error as Error).message} ${JSON.stringify(error)}`).not.toMatch(/secret|nowhere|SELECT/);
  });

  it("tell a server that is not there from one that refuses us", async () => {
    const closed = createServer().listen(0, "127.0.0.1");
    await once(closed, "listening");
    const { port } = closed.address() as { port: number };
    closed.close();
    await once(closed, "close");
    const { user, password, url } = archive;
    const absent = connectArchive({ url: `http://127.0.0.1:${port}`, user, password, database: "tocsin" });
    await expect(absent.query("SELECT 1")).rejects.toMatchObject({ code: "ENGINE_UNAVAILABLE" });
    await expect(absent.insert("a", ids(1))).rejects.toMatchObject({ code: "ENGINE_UNAVAILABLE" });
    const stranger = connectArchive({ url, user, password: "wrong", database: "tocsin" });
    await expect(stranger.query("SELECT 1")).rejects.toMatchObject({ code: "BAD_SETTING" });
    await Promise.all([absent.close(), stranger.close()]);
  });

  it("do not come from a server that closes idle connections: a read is sent again, an insert is not", async () => {
    const requests: string[] = [];
    // Answers each connection's first request and hangs up on its second, as a proxy with a short keep-alive does.
    const server = createServer((socket) => {
      let served = 0;
      socket.on("error", () => {});
      socket.on("data", (data) => {
        const line = data.toString("latin1");
        if (!line.startsWith("POST")) return;
        requests.push(line.includes("INSERT") ? "insert" : "query");
        served += 1;
        if (served > 1) socket.destroy();
        else socket.write("HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n");
      });
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    const client = connectArchive({
      url: `http://127.0.0.1:${port}`,
      user: "u",
      password: "p",
      database: "d",
      connections: 1,
    });
    expect((await client.query("SELECT 1")).rows).toBe(0);
    expect((await client.query("SELECT 2")).rows).toBe(0);
    expect(requests).toEqual(["query", "query", "query"]);
    await expect(client.insert("t", ids(1))).rejects.toMatchObject({ code: "ENGINE_UNAVAILABLE" });
    expect(requests).toEqual(["query", "query", "query", "insert"]);
    await client.close();
    server.close();
  });
});

describe("many at once", () => {
  it("keeps answers apart", async () => {
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, i) => one("{v:UInt64} + sleepEachRow(0.001)", { v: i })),
    );
    expect(answers.map(Number)).toEqual(Array.from({ length: 200 }, (_, i) => i));
  });
});
