// kill -9 in the middle of ingests, and the same files again: the receipt goes on to add up, and says of every alert that
// it was stored once. `npm run build` comes first.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { callService, sendPaths } from "../cli/control.js";
import { nightAdds } from "../domain/receipt.js";
import { createRandom } from "../ingest/simulator/random.js";
import { type ServiceProcess, startServiceProcess } from "./process.js";
import { containerOf, type TrueAlert, trueAlerts } from "./truth.js";
import { until } from "./until.js";

const ROUNDS = 3;
/** On a machine that has other things to do. */
const TIMEOUT_MS = 300_000;
const ALERTS = 400;

let folder: string;
let dataDir: string;
let truth: TrueAlert[];
let service: ServiceProcess;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tocsin-receiptkill-"));
  dataDir = join(folder, "data");
  truth = trueAlerts("receipts", new Map([["ZTF", ALERTS * ROUNDS]]));
});
afterAll(async () => {
  await service?.kill();
  await rm(folder, { recursive: true, force: true });
});

describe.skipIf(process.platform !== "linux")("kill -9 in the middle of ingests", () => {
  test(
    "the receipts add up, and every alert is stored once",
    async () => {
      const random = createRandom("receipts");
      service = await startServiceProcess({ DATA_DIR: dataDir });
      for (let round = 0; round < ROUNDS; round += 1) {
        const path = join(folder, `round-${round}.avro`);
        await writeFile(path, containerOf(truth.slice(round * ALERTS, (round + 1) * ALERTS)));
        const bad = join(folder, `bad-${round}.avro`);
        await writeFile(bad, `No packet, number ${round}`);
        let read = 0;
        const interrupted = sendPaths(dataDir, [bad, path], (progress) => {
          read = progress.read;
        }).catch(() => null);
        // Once when some of it is complete, else at any moment.
        if (round === 0) await until("a batch to be complete", () => read > 1, 60_000);
        else await pause(random.uniform() * 1500);
        await service.kill();
        await interrupted;
        service = await startServiceProcess({ DATA_DIR: dataDir });
        expect(await sendPaths(dataDir, [bad, path], () => {})).toMatchObject({ read: ALERTS + 1 });
      }
      const nights = new Map<string, number>();
      for (const { jd } of truth.map(({ fields }) => ({ jd: Number(fields.jd) }))) {
        const night = new Date((jd - 2_440_587.5) * 86_400_000).toISOString().slice(0, 10).replaceAll("-", "");
        nights.set(night, (nights.get(night) ?? 0) + 1);
      }
      let duplicates = 0;
      for (const [night, alerts] of nights) {
        const receipt = await callService(dataDir, "receipt", ["ZTF", night]);
        expect(nightAdds(receipt)).toBe(true);
        expect(receipt).toMatchObject({ stored: alerts, archived: alerts, deadLetters: 0 });
        duplicates += receipt.duplicates;
      }
      expect(duplicates).toBeGreaterThan(0);
      const letters = await callService(dataDir, "letters", [{ source: folder }, 100]);
      expect(letters).toHaveLength(ROUNDS);
      const today = new Date().toISOString().slice(0, 10).replaceAll("-", "");
      const { unattributed } = await callService(dataDir, "receipt", ["ZTF", today]);
      const sums = unattributed.reduce((sum, of) => sum + of.deadLetters, 0);
      expect([unattributed.length, sums]).toEqual([ROUNDS, ROUNDS]);
    },
    TIMEOUT_MS,
  );
});
