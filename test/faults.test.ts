// What goes wrong around a service, on real processes: a second one, a taken port, signals, dead engines, a full disk,
// a graph that stayed behind. `npm run build` comes first.
import { execFileSync, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, statSync, truncateSync } from "node:fs";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { sendPaths } from "../cli/control.js";
import { isOpen } from "../cli/datadir.js";
import type { Viewer } from "../domain/viewer.js";
import { openGrafeo } from "../stores/graph/grafeo.js";
import { createGraphStores } from "../stores/graph/stores.js";
import { HitFollower, startCursor } from "./follower.js";
import {
  type CommandProcess,
  isAlive,
  processesNaming,
  type ServiceProcess,
  startCommand,
  startServiceProcess,
} from "./process.js";
import { ask } from "./service.js";
import { containerOf, type TrueAlert, trueAlerts } from "./truth.js";
import { until } from "./until.js";

const ALERTS = 600;
let folder: string;
let truth: TrueAlert[];
/** All the alerts, in files of a hundred. */
let files: string[];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tocsin-faults-"));
  truth = trueAlerts("faults", new Map([["ZTF", ALERTS]]));
  files = [];
  for (let at = 0; at < truth.length; at += 100) {
    const path = join(folder, `alerts-${at}.avro`);
    await writeFile(path, containerOf(truth.slice(at, at + 100)));
    files.push(path);
  }
});
afterAll(() => rm(folder, { recursive: true, force: true }));

let made = 0;
const newDataDir = (): string => join(folder, `data-${made++}`);
const running: CommandProcess[] = [];
afterEach(async () => {
  for (const process of running.splice(0)) await process.kill();
});
async function serve(dataDir: string, environment: Record<string, string> = {}): Promise<ServiceProcess> {
  const service = await startServiceProcess({ DATA_DIR: dataDir, LOG_LEVEL: "info", ...environment });
  running.push(service);
  return service;
}
function command(args: readonly string[], dataDir: string, environment: Record<string, string> = {}): CommandProcess {
  const started = startCommand(args, { PORT: "0", LOG_LEVEL: "info", ...environment, DATA_DIR: dataDir });
  running.push(started);
  return started;
}

/** An ingest in its midst, with much to read still. */
async function longIngest(dataDir: string): Promise<CommandProcess> {
  const ingest = command(["ingest", ...Array.from({ length: 20 }, () => files).flat()], dataDir);
  await until("packets", () => existsSync(join(dataDir, "packets", "00000001.seg")), 60_000);
  return ingest;
}

/** It ended with exit code 2 after one sentence with its remedy and code; nothing of it is left. */
async function expectRefusal(refused: CommandProcess, code: string): Promise<void> {
  expect(await refused.ended).toEqual({ code: 2, signal: null });
  const said = refused.errors.filter((line) => !line.startsWith("{"));
  expect(said).toEqual([expect.stringMatching(new RegExp(`^[A-Z].*\\. [A-Z].*\\. \\[${code}\\]$`))]);
}
const noProcessOn = (dataDir: string) =>
  until("all processes to end", () => processesNaming(dataDir).length === 0, 1_000);

async function storedCandids(url: string): Promise<string[]> {
  const { alerts } = await ask<{ alerts: { edges: { node: { candid: string } }[] } }>(
    url,
    "{ alerts(where: { survey: ZTF }, first: 1000) { edges { node { candid } } } }",
  );
  return alerts.edges.map(({ node }) => node.candid).toSorted();
}
const trueCandids = () => truth.map(({ candid }) => candid).toSorted();

async function createFilter(url: string): Promise<string> {
  const { createFilter: filter } = await ask<{ createFilter: { id: string } }>(
    url,
    "mutation ($input: CreateFilterInput!) { createFilter(input: $input) { id } }",
    { input: { name: "all", survey: "ZTF", where: "magpsf < 99" } },
  );
  return filter.id;
}

describe.skipIf(process.platform !== "linux")("a service that cannot start", () => {
  test("because another has its DATA_DIR says so at once", async () => {
    const dataDir = newDataDir();
    const first = await serve(dataDir);
    const startedAt = Date.now();
    await expectRefusal(command(["serve"], dataDir), "DATA_DIR_IN_USE");
    expect(Date.now() - startedAt).toBeLessThan(10_000);
    expect((await fetch(`${first.url}/health`)).status).toBe(200);
    expect(await isOpen(dataDir)).toBe(true);
  });

  test("because its port is taken leaves no engine behind", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    try {
      const { port } = other.address() as { port: number };
      const dataDir = newDataDir();
      await expectRefusal(command(["serve"], dataDir, { PORT: String(port) }), "PORT_TAKEN");
      await noProcessOn(dataDir);
      expect(await isOpen(dataDir)).toBe(false);
    } finally {
      other.close();
    }
  });

  test.each([
    ["an address that is not here", { HOST: "203.0.113.1" }],
    ["a port that is no number", { PORT: "http" }],
    ["a folder that is a file", { DATA_DIR: "FILE" }],
  ])("for %s names the setting", async (_, environment: Record<string, string>) => {
    const dataDir = environment.DATA_DIR === "FILE" ? files[0]! : newDataDir();
    await expectRefusal(command(["serve"], dataDir, environment), "BAD_SETTING");
    if (dataDir !== files[0]) await noProcessOn(dataDir);
  });
});

describe.skipIf(process.platform !== "linux")("a service that ends", () => {
  test.each(["SIGTERM", "SIGINT"] as const)(
    "by %s ends well, and its subscribers go on where they were",
    async (signal) => {
      const dataDir = newDataDir();
      let service = await serve(dataDir);
      const filterId = await createFilter(service.url);
      const start = await startCursor(service.url, [filterId]);
      const follower = new HitFollower(() => service.url, [filterId], start);
      try {
        await sendPaths(dataDir, files.slice(0, 2), () => {});
        await until("the first hits", () => follower.seen.length === 200);
        service.child.kill(signal);
        expect(await service.ended).toEqual({ code: 0, signal: null });
        await noProcessOn(dataDir);
        await until("the close", () => follower.closeCodes.length > 0);
        expect(follower.closeCodes[0]).toBe(1001);

        service = await serve(dataDir);
        await sendPaths(dataDir, files, () => {});
        await until("all hits", () => follower.seen.length >= ALERTS);
        expect(follower.seen.map(({ alert }) => alert.candid).toSorted()).toEqual(trueCandids());
      } finally {
        await follower.stop();
      }
    },
  );

  test("by SIGTERM in the middle of an ingest ends well and loses nothing", async () => {
    const dataDir = newDataDir();
    const service = await serve(dataDir);
    const ingest = await longIngest(dataDir);
    service.child.kill("SIGTERM");
    expect(await service.ended).toEqual({ code: 0, signal: null });
    await expectRefusal(ingest, "ENGINE_UNAVAILABLE");
    await noProcessOn(dataDir);
    const { url } = await serve(dataDir);
    await sendPaths(dataDir, files, () => {});
    expect(await storedCandids(url)).toEqual(trueCandids());
  });

  test("by SIGTERM ends in time where its engine hangs in the middle of an ingest, and loses nothing", async () => {
    const dataDir = newDataDir();
    const service = await serve(dataDir);
    const ingest = await longIngest(dataDir);
    process.kill(service.engine()!, "SIGSTOP");
    service.child.kill("SIGTERM");
    const asked = performance.now();
    expect(await service.ended).toEqual({ code: 0, signal: null });
    expect(performance.now() - asked).toBeLessThan(15_000);
    await expectRefusal(ingest, "ENGINE_UNAVAILABLE");
    await noProcessOn(dataDir);
    const { url } = await serve(dataDir);
    await sendPaths(dataDir, files, () => {});
    expect(await storedCandids(url)).toEqual(trueCandids());
  });

  test("by kill -9 takes its engine along within a second", async () => {
    const dataDir = newDataDir();
    const service = await serve(dataDir);
    const engine = service.engine()!;
    expect(isAlive(engine)).toBe(true);
    await service.kill();
    await until("the engine to end", () => !isAlive(engine), 1_000);
    await noProcessOn(dataDir);
  });

  test("never, because its engine hangs or dies", async () => {
    const dataDir = newDataDir();
    const service = await serve(dataDir);
    const ready = async () => (await fetch(`${service.url}/ready`)).status;
    const becomes = (status: number) =>
      vi.waitFor(async () => expect(await ready()).toBe(status), { timeout: 20_000, interval: 20 });
    const engine = service.engine()!;
    process.kill(engine, "SIGSTOP");
    await becomes(503);
    process.kill(engine, "SIGCONT");
    await becomes(200);
    process.kill(engine, "SIGKILL");
    await until("another engine", () => ![engine, null].includes(service.engine()));
    await becomes(200);
    await sendPaths(dataDir, files, () => {});
    expect(await storedCandids(service.url)).toEqual(trueCandids());
    expect(service.ending()).toBeNull();
  });
});

describe.skipIf(process.platform !== "linux")("the ingest command", () => {
  const sums = (ingest: CommandProcess) => JSON.parse(ingest.output.at(-1) ?? "null");

  test("without a service opens the engines itself and leaves none behind", async () => {
    const dataDir = newDataDir();
    const ingest = command(["ingest", ...files], dataDir);
    expect(await ingest.ended).toEqual({ code: 0, signal: null });
    expect(sums(ingest)).toEqual({ read: ALERTS, stored: ALERTS, duplicates: 0, deadLetters: 0 });
    expect(processesNaming(dataDir)).toEqual([]);
    expect(await storedCandids((await serve(dataDir)).url)).toEqual(trueCandids());
  });

  test("beside a service that is just starting waits for it", async () => {
    const dataDir = newDataDir();
    await mkdir(dataDir);
    const service = command(["serve"], dataDir);
    await until("the lock", () => existsSync(join(dataDir, "service.sock")));
    const ingest = command(["ingest", ...files], dataDir);
    expect(await ingest.ended).toEqual({ code: 0, signal: null });
    expect(sums(ingest)).toMatchObject({ stored: ALERTS });
    expect(service.ending()).toBeNull();
  });

  test("says that the service ended, when it does", async () => {
    const dataDir = newDataDir();
    const service = await serve(dataDir);
    const ingest = await longIngest(dataDir);
    await service.kill();
    await expectRefusal(ingest, "ENGINE_UNAVAILABLE");
  });

  test.each([true, false])(
    "stopped by Ctrl-C (beside a service: %s) leaves nothing behind that hurts",
    async (beside) => {
      const dataDir = newDataDir();
      const service = beside ? await serve(dataDir) : null;
      const ingest = await longIngest(dataDir);
      ingest.child.kill("SIGINT");
      const { code, signal } = await ingest.ended;
      expect(code ?? signal).not.toBe(0);
      if (!beside) await noProcessOn(dataDir);
      const { url } = service ?? (await serve(dataDir));
      const counts = await sendPaths(dataDir, files, () => {});
      expect(counts.stored + counts.duplicates).toBe(ALERTS);
      expect(await storedCandids(url)).toEqual(trueCandids());
    },
  );
});

describe.skipIf(process.platform !== "linux")("a graph that stayed behind the archive", () => {
  const viewer: Viewer = { scope: "owner", programids: new Map([["ZTF", "all"]]), mayChange: false };

  test("is brought up to it by the next start", async () => {
    const dataDir = newDataDir();
    let service = await serve(dataDir);
    const filterId = await createFilter(service.url);
    await service.kill();
    const path = join(dataDir, "graph.grafeo");
    await cp(path, join(folder, "older.grafeo"), { recursive: true });

    service = await serve(dataDir);
    await sendPaths(dataDir, files, () => {});
    await service.kill();
    await rm(path, { recursive: true });
    await cp(join(folder, "older.grafeo"), path, { recursive: true });

    service = await serve(dataDir);
    await service.kill();
    const graph = openGrafeo(path);
    try {
      const { links } = await createGraphStores(graph);
      const linked = await links.passedFilters(viewer, truth);
      const objects = new Set(truth.map(({ objectId }) => `ZTF:${objectId}`));
      expect(new Set(linked.keys())).toEqual(objects);
      for (const [object, passed] of linked) {
        const own = truth.filter(({ objectId }) => object === `ZTF:${objectId}`);
        expect(passed.map(({ first, last }) => [String(first.candid), String(last.candid)])).toEqual([
          [own[0]!.candid, own.at(-1)!.candid],
        ]);
        expect(passed[0]!.filterId).toBe(filterId);
      }
    } finally {
      await graph.close();
    }
  });
});

/** A disk of its own needs the right to mount one. */
function mounts(path: string): boolean {
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=192m", "tmpfs", path], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

describe.skipIf(process.platform !== "linux" || process.getuid?.() !== 0)("a full disk", () => {
  let disk: string;
  let mounted = false;
  beforeAll(async () => {
    disk = join(folder, "disk");
    await mkdir(disk);
    mounted = mounts(disk);
  });
  afterAll(async () => {
    if (!mounted) return;
    // A process that ends loses its name before its files.
    await until("the disk to be left", () => spawnSync("umount", [disk]).status === 0, 30_000);
  });
  /** Takes all room but for some MB. */
  const fill = (megabytesLeft: number): void => {
    const filler = join(disk, "filler");
    spawnSync("dd", ["if=/dev/zero", `of=${filler}`, "bs=64k"], { stdio: "ignore" });
    truncateSync(filler, statSync(filler).size - megabytesLeft * 1024 ** 2);
  };

  test("makes ingest wait and say so; it goes on by itself when there is room, and nothing is lost", async (context) => {
    if (!mounted) return context.skip();
    const dataDir = join(disk, "data");
    const service = await serve(dataDir);
    const filterId = await createFilter(service.url);
    await sendPaths(dataDir, files.slice(0, 1), () => {});
    fill(2);
    const ingest = command(["ingest", ...files], dataDir);
    await until("the ingest to say why it waits", () =>
      ingest.errors.some((line) => line.startsWith("Ingest waits: ")),
    );
    expect(ingest.errors.find((line) => line.startsWith("Ingest waits: "))).toMatch(/disk .* is full.* free space/);
    expect(ingest.ending()).toBeNull();
    expect((await fetch(`${service.url}/health`)).status).toBe(200);

    await rm(join(disk, "filler"));
    expect(await ingest.ended).toEqual({ code: 0, signal: null });
    expect(JSON.parse(ingest.output.at(-1)!)).toMatchObject({ read: ALERTS, stored: ALERTS - 100, duplicates: 100 });
    expect(await storedCandids(service.url)).toEqual(trueCandids());
    const { hits } = await ask<{ hits: { edges: { node: { alert: { candid: string } } }[] } }>(
      service.url,
      "query ($ids: [ID!]!) { hits(filterIds: $ids, first: 1000) { edges { node { alert { candid } } } } }",
      { ids: [filterId] },
    );
    expect(hits.edges.map(({ node }) => node.alert.candid).toSorted()).toEqual(trueCandids());
    await service.kill();
  });

  test("refuses filters, and keeps those from before and after through kill -9", async (context) => {
    if (!mounted) return context.skip();
    const dataDir = join(disk, "filters");
    const service = await serve(dataDir);
    const kept = [await createFilter(service.url)];
    fill(0);
    // What the graph's file has room for is still taken.
    const untilFull = async (): Promise<Error> => {
      for (;;) {
        const made = await createFilter(service.url).catch((error: Error) => error);
        if (made instanceof Error) return made;
        kept.push(made);
      }
    };
    expect((await untilFull()).message).toMatch(/^DISK_FULL: /);
    await rm(join(disk, "filler"));
    for (let n = 0; n < 3; n += 1) kept.push(await createFilter(service.url));
    await service.kill();
    await noProcessOn(disk);

    const { url } = await serve(dataDir);
    const { filters } = await ask<{ filters: { edges: { node: { id: string } }[] } }>(
      url,
      "{ filters(first: 1000) { edges { node { id } } } }",
    );
    expect(filters.edges.map(({ node }) => node.id).toSorted()).toEqual(kept.toSorted());
  });

  test("that has no room to start says so", async (context) => {
    if (!mounted) return context.skip();
    fill(0);
    await expectRefusal(command(["serve"], join(disk, "other")), "DISK_FULL");
    await expectRefusal(command(["serve"], join(disk, "data")), "DISK_FULL");
    await rm(join(disk, "filler"));
    const service = await serve(join(disk, "data"));
    expect(await storedCandids(service.url)).toEqual(trueCandids());
    await service.kill();
  });
});
