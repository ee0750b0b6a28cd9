// A real Neo4j that is restarted, frozen, cut off, read-only or refuses the password: every call ends, and what was
// wrong passes by itself.
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import type { Running } from "../../cli/servers/background.js";
import { startNeo4j } from "../../cli/servers/neo4j.js";
import { serverFolder } from "../../test/servers.js";
import type { Graph } from "./graph.js";
import { statement } from "./graph.js";
import { openNeo4j } from "./neo4j.js";

const PUT = statement<{ feed: string; seq: string }>("MERGE (c:Checkpoint {feed: $feed}) SET c.seq = $seq");
const GET = statement<{ feed: string }, { seq: string }>("MATCH (c:Checkpoint {feed: $feed}) RETURN c.seq AS seq");
const LONG = statement<Record<never, never>, { n: number }>(
  "UNWIND range(1, 100000) AS a UNWIND range(1, 100000) AS b WITH a + b AS c WHERE c % 7 = 9 RETURN count(c) AS n",
);
/** The longest a call may take: limit of a read or a write, the patience, and a loaded machine. */
const [READ_MS, WRITE_MS] = [12_000, 28_000];

/** How a call ended, and whether in time. */
async function ending(call: Promise<unknown>, withinMs: number): Promise<string> {
  const started = performance.now();
  const code = await call.then(
    () => "done",
    (error: { code?: string; message: string }) => error.code ?? error.message,
  );
  const took = performance.now() - started;
  return took < withinMs ? code : `${code} after ${took.toFixed(0)} ms`;
}

describe("neo4j that fails", () => {
  let server: Running;
  let folder: string;
  let graph: Graph;
  const options = () => ({
    url: server.settings.NEO4J_URL!,
    user: server.settings.NEO4J_USER!,
    password: server.settings.NEO4J_PASSWORD!,
  });
  const write = (feed: string, seq: string) => graph.write((tx) => tx.run(PUT, { feed, seq }));
  const back = () =>
    vi
      .waitFor(() => write("back", "1"), { timeout: 60_000, interval: 50 })
      .then(() => graph.read(GET, { feed: "back" }));

  beforeAll(async () => {
    folder = serverFolder();
    server = await startNeo4j({ folder });
  });
  afterAll(() => server.kill());
  beforeEach(async () => {
    graph = openNeo4j(options());
    await graph.migrate();
  });
  afterEach(() => graph.close());

  it("killed in the midst of writes: ENGINE_UNAVAILABLE, all that was acknowledged is there, then fine", async () => {
    const acknowledged: string[] = [];
    const codes: string[] = [];
    let going = true;
    const writer = async (name: string) => {
      for (let i = 0; going; i += 1) {
        const feed = `${name}-${i}`;
        await write(feed, feed).then(
          () => acknowledged.push(feed),
          (error: { code: string }) => codes.push(error.code),
        );
      }
    };
    const writers = ["a", "b", "c"].map(writer);
    await vi.waitUntil(() => acknowledged.length > 50, { timeout: 30_000 });
    await server.kill();
    const before = acknowledged.length;
    await vi.waitUntil(() => codes.length > 0, { timeout: 30_000 });
    await server.restart();
    await vi.waitUntil(() => acknowledged.length > before + 50, { timeout: 60_000 });
    going = false;
    await Promise.all(writers);
    expect(new Set(codes)).toEqual(new Set(["ENGINE_UNAVAILABLE"]));
    for (const feed of acknowledged) expect(await graph.read(GET, { feed })).toEqual([{ seq: feed }]);
  });

  it("frozen: every call ends in time, and new ones are answered once it is back", async () => {
    await write("frozen", "1");
    server.freeze();
    try {
      const fresh = openNeo4j(options());
      const ends = await Promise.all([
        ...Array.from({ length: 20 }, () => ending(graph.read(GET, { feed: "frozen" }), READ_MS)),
        ...Array.from({ length: 5 }, () => ending(write("frozen", "2"), WRITE_MS)),
        ending(fresh.read(GET, { feed: "frozen" }), READ_MS),
      ]);
      expect(new Set(ends)).toEqual(new Set(["ENGINE_UNAVAILABLE"]));
      expect(await ending(graph.read(GET, { feed: "frozen" }), READ_MS)).toBe("ENGINE_UNAVAILABLE");
      expect(await ending(fresh.close(), READ_MS)).toBe("done");
    } finally {
      server.thaw();
    }
    const started = performance.now();
    expect(await back()).toEqual([{ seq: "1" }]);
    expect(performance.now() - started).toBeLessThan(20_000);
  });

  it("closes while the server is frozen", async () => {
    const other = openNeo4j(options());
    await other.read(GET, { feed: "x" });
    server.freeze();
    try {
      const reading = ending(other.read(GET, { feed: "x" }), READ_MS);
      expect(await ending(other.close(), READ_MS)).toBe("done");
      expect(await reading).toBe("ENGINE_UNAVAILABLE");
    } finally {
      server.thaw();
    }
  });

  it("ends a statement that takes too long", async () => {
    expect(await ending(graph.read(LONG, {}), READ_MS)).toBe("QUERY_TIMEOUT");
  });

  it("ends a write that waits for a lock too long", async () => {
    await write("held", "1");
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const holder = graph.write(async (tx) => {
      await tx.run(PUT, { feed: "held", seq: "2" });
      await held;
    });
    const waiting = ending(write("held", "3"), WRITE_MS);
    const holding = ending(holder, WRITE_MS);
    expect(await waiting).toBe("QUERY_TIMEOUT");
    release();
    expect(await holding).toBe("QUERY_TIMEOUT");
    expect(await graph.read(GET, { feed: "held" })).toEqual([{ seq: "1" }]);
  });

  it("gets two transactions out of a deadlock, both stored", async () => {
    for (const feed of ["x", "y"]) await write(feed, "0");
    let tries = 0;
    let arrived = 0;
    const both = (first: string, second: string, seq: string) =>
      graph.write(async (tx) => {
        tries += 1;
        await tx.run(PUT, { feed: first, seq });
        arrived += 1;
        // Both hold their first one before either asks for its second; a later try finds that so already.
        await vi.waitUntil(() => arrived >= 2, { timeout: 10_000, interval: 5 });
        await tx.run(PUT, { feed: second, seq });
      });
    await Promise.all([both("x", "y", "1"), both("y", "x", "2")]);
    expect(tries).toBeGreaterThan(2);
    const [[x], [y]] = [await graph.read(GET, { feed: "x" }), await graph.read(GET, { feed: "y" })];
    expect(x).toEqual(y);
  });

  it("answers a wrong password as BAD_SETTING and a server that is not there as ENGINE_UNAVAILABLE", async () => {
    const wrong = openNeo4j({ ...options(), password: "wrong password" });
    await expect(wrong.read(GET, { feed: "x" })).rejects.toMatchObject({
      code: "BAD_SETTING",
      message: expect.not.stringContaining("wrong password") as string,
    });
    const nobody = openNeo4j({ ...options(), url: "bolt://127.0.0.1:1" });
    expect(await ending(nobody.read(GET, { feed: "x" }), READ_MS)).toBe("ENGINE_UNAVAILABLE");
    for (const opened of [wrong, nobody]) {
      await opened.close();
      await expect(opened.read(GET, { feed: "x" })).rejects.toMatchObject({
        code: "ENGINE_UNAVAILABLE",
        message: expect.stringContaining("closed") as string,
      });
    }
  });

  it("cut off by the network, without a word: every call ends, and the next connection is a new one", async () => {
    const wire = await cuttable(Number(new URL(server.settings.NEO4J_URL!).port));
    const far = openNeo4j({ ...options(), url: `bolt://127.0.0.1:${wire.port}` });
    await far.write((tx) => tx.run(PUT, { feed: "cut", seq: "1" }));
    wire.cut();
    const ends = await Promise.all(Array.from({ length: 10 }, () => ending(far.read(GET, { feed: "cut" }), READ_MS)));
    expect(new Set(ends)).toEqual(new Set(["ENGINE_UNAVAILABLE"]));
    wire.mend();
    // The connections that were cut stay silent for ever.
    expect(await ending(far.read(GET, { feed: "cut" }), READ_MS)).toBe("done");
    expect(await far.read(GET, { feed: "cut" })).toEqual([{ seq: "1" }]);
    await far.close();
    wire.end();
  });

  it("read-only: what reads is answered, what writes waits, and goes on by itself", async () => {
    await write("readonly", "1");
    const usual = process.env.JAVA_HOME;
    process.env.JAVA_HOME = javaThatSets(folder, "server.databases.read_only=neo4j");
    try {
      await server.restart();
    } finally {
      if (usual === undefined) delete process.env.JAVA_HOME;
      else process.env.JAVA_HOME = usual;
    }
    await vi.waitFor(async () => expect(await graph.read(GET, { feed: "readonly" })).toEqual([{ seq: "1" }]), 20_000);
    await expect(write("readonly", "2")).rejects.toMatchObject({
      code: "ENGINE_UNAVAILABLE",
      message: expect.stringContaining("is read-only") as string,
    });
    await graph.migrate();
    await server.restart();
    expect(await back()).toEqual([{ seq: "1" }]);
  });
});

/** A JAVA_HOME whose `java` adds a line to the server's configuration, which is written anew at each start. */
function javaThatSets(folder: string, line: string): string {
  const home = join(folder, "java");
  const java = process.env.JAVA_HOME
    ? join(process.env.JAVA_HOME, "bin/java")
    : execFileSync("sh", ["-c", "command -v java"], { encoding: "utf8" }).trim();
  mkdirSync(join(home, "bin"), { recursive: true });
  const script = `#!/bin/sh\necho '${line}' >> '${folder}/home/conf/neo4j.conf'\nexec '${java}' "$@"\n`;
  writeFileSync(join(home, "bin/java"), script, { mode: 0o755 });
  return home;
}

/** A way to the port that can fall silent: what is open then stays open and carries nothing, also later. */
async function cuttable(to: number): Promise<{ port: number; cut(): void; mend(): void; end(): void }> {
  let silent = false;
  const all = new Set<Socket>();
  const server: Server = createServer((near) => {
    all.add(near.on("error", () => {}));
    if (silent) return;
    const far = connect(to, "127.0.0.1").on("error", () => {});
    all.add(far);
    near.pipe(far).pipe(near);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as { port: number }).port,
    cut() {
      silent = true;
      for (const socket of all) socket.unpipe();
      for (const socket of all) socket.removeAllListeners("end").pause();
    },
    mend() {
      silent = false;
    },
    end() {
      for (const socket of all) socket.destroy();
      server.close();
    },
  };
}
