// A command that has DATA_DIR open by itself: a second one is told by whom, and works when the first has ended.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pino from "pino";
import { afterAll, beforeAll, expect, it } from "vitest";
import { withCatalogs } from "./catalogs.ask.js";
import { readSettings, type Settings } from "./settings.js";

const log = pino({ level: "silent" });
let folder: string;
let settings: Settings;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tocsin-alone-"));
  settings = readSettings({ DATA_DIR: join(folder, "data") });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it("refuses a second command while the first goes on", async () => {
  const list = () => withCatalogs(settings, log, (catalogs) => catalogs.list());
  const first = await withCatalogs(settings, log, async (catalogs) => {
    await expect(list()).rejects.toMatchObject({
      code: "DATA_DIR_IN_USE",
      message: `Another command has DATA_DIR open, the process ${process.pid}.`,
    });
    return catalogs.list();
  });
  expect(first).toEqual([]);
  expect(await list()).toEqual([]);
});
