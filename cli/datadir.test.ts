// The lock of a DATA_DIR: one holder at a time, whoever comes when, and whatever a killed one left behind.
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, statSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type DataDirLock, isOpen, lockDataDir, socketPath } from "./datadir.js";

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "tocsin-lock-"));
});
afterAll(() => rm(root, { recursive: true, force: true }));

/** A socket file that nobody listens on, as kill -9 leaves it, made some seconds ago. */
function leaveStaleSocket(dataDir: string): void {
  const program = `require("net").createServer().listen(process.argv[1], () => {
    require("fs").utimesSync(process.argv[1], Date.now() / 1000 - 5, Date.now() / 1000 - 5);
    process.kill(process.pid, "SIGKILL");
  })`;
  spawnSync(process.execPath, ["-e", program, socketPath(dataDir)]);
  expect(statSync(socketPath(dataDir)).isSocket()).toBe(true);
}

test("is held once, until it is released", async () => {
  const dataDir = join(root, "once");
  const lock = await lockDataDir(dataDir);
  expect(statSync(socketPath(dataDir)).mode & 0o077).toBe(0);
  await expect(lockDataDir(dataDir)).rejects.toMatchObject({ code: "DATA_DIR_IN_USE" });
  expect(await isOpen(dataDir)).toBe(true);
  await lock.release();
  expect(await isOpen(dataDir)).toBe(false);
  expect(existsSync(socketPath(dataDir))).toBe(false);
  await (await lockDataDir(dataDir)).release();
});

test.each(["free", "left by kill -9"])("goes to one of many who come at once where it is %s", async (state) => {
  for (let round = 0; round < 20; round += 1) {
    const dataDir = join(root, `${state.replaceAll(" ", "-")}-${round}`);
    if (state !== "free") {
      await (await lockDataDir(dataDir)).release();
      leaveStaleSocket(dataDir);
    }
    const tries = await Promise.allSettled(Array.from({ length: 8 }, () => lockDataDir(dataDir)));
    const held = tries.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
    expect(held).toHaveLength(1);
    for (const result of tries) {
      if (result.status === "rejected") expect(result.reason).toMatchObject({ code: "DATA_DIR_IN_USE" });
    }
    // Who holds it is the one whom commands reach.
    expect(await isOpen(dataDir)).toBe(true);
    await held[0]!.release();
    expect(await isOpen(dataDir)).toBe(false);
  }
});

test("keeps requests that come before there is an answer", async () => {
  const dataDir = join(root, "early");
  const lock: DataDirLock = await lockDataDir(dataDir);
  const call = request({ socketPath: socketPath(dataDir), path: "/early" }).end();
  await once(call, "finish");
  lock.answer((_request, response) => response.writeHead(204).end());
  const [response] = await once(call, "response");
  expect(response.statusCode).toBe(204);
  await lock.release();
});

test("names a folder that cannot be one", async () => {
  await writeFile(join(root, "file"), "");
  await expect(lockDataDir(join(root, "file"))).rejects.toMatchObject({
    code: "BAD_SETTING",
    message: expect.stringContaining(join(root, "file")),
  });
});
