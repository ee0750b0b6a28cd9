// What the engine's log is read for, and its bound.
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { folderFault, startFault, trimLog } from "./faults.js";

let folder: string;
let log: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tocsin-log-"));
  log = join(folder, "engine.log");
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("a failed start", () => {
  const ENDS = [
    ["Cannot lock file /d/status. Another server instance in same directory is already running", "DATA_DIR_IN_USE"],
    ["Code: 243. DB::Exception: Cannot reserve 1.00 MiB, not enough space", "DISK_FULL"],
    ["filesystem error: No space left on device", "DISK_FULL"],
    ["Segmentation fault", "ENGINE_UNAVAILABLE"],
  ] as const;

  it.each(ENDS)("that logs %j is %s", async (text, code) => {
    await writeFile(log, `Cannot lock file of an earlier start\n${text}\n`);
    const fault = await startFault("did not start", "/data", log, 37);
    expect(fault).toMatchObject({ code, cause: expect.objectContaining({ message: expect.stringContaining(text) }) });
  });

  it("has a code even without a log", async () => {
    expect(await startFault("did not start", "/data", join(folder, "none"), 0)).toMatchObject({
      code: "ENGINE_UNAVAILABLE",
    });
  });

  it("tells a full disk from a forbidden folder and leaves other errors alone", () => {
    const error = (code: string) => Object.assign(new Error(code), { code });
    expect(folderFault(error("ENOSPC"), "/data")).toMatchObject({ code: "DISK_FULL" });
    expect(folderFault(error("EACCES"), "/data")).toMatchObject({ code: "BAD_SETTING" });
    const other = error("EMFILE");
    expect(folderFault(other, "/data")).toBe(other);
  });
});

it("keeps a log until it is too long, then starts anew beside a copy", async () => {
  await writeFile(log, "short");
  expect(await trimLog(log)).toBe(5);
  await writeFile(log, Buffer.alloc(11 * 1024 ** 2, "x"));
  expect(await trimLog(log)).toBe(0);
  expect((await stat(`${log}.1`)).size).toBe(11 * 1024 ** 2);
  expect(await readFile(log, "utf8")).toBe("");
  expect(await trimLog(join(folder, "none"))).toBe(0);
});
