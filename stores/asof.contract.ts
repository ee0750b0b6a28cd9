// Objects and light curves as of a time are those that the archive had when nothing later had come. Called with each engine's
// stores by its tests.
import { expect, it } from "vitest";
import type { SurveyDescription } from "../domain/survey.js";
import { SURVEYS } from "../ingest/surveys/index.js";
import { type TestAlert, testBatch, testHashes, testLocations } from "../test/batches.js";
import { randomPackets } from "../test/histories.js";
import { viewers } from "../test/skyworld.js";
import type { AlertStore } from "./alerts.store.js";
import type { BatchStore } from "./batches.store.js";
import type { ObjectStore } from "./objects.store.js";
import type { PhotometryStore } from "./photometry.store.js";

export interface AsOfArchive {
  readonly alerts: AlertStore;
  readonly batches: BatchStore;
  readonly objects: ObjectStore;
  readonly photometry: PhotometryStore;
}

const DESCRIPTIONS = SURVEYS.map(({ description }) => description);

export function asOfContract(open: (surveys: readonly SurveyDescription[]) => Promise<AsOfArchive>): void {
  it("what is asked as of a time is what had come by then", async () => {
    const description = DESCRIPTIONS.find(({ id }) => id === "ZTF")!;
    const packets = randomPackets(description, "as of", 250);
    const ids = [...new Set(packets.map(({ objectId }) => objectId))];
    const archive = await open(DESCRIPTIONS);
    const write = async (alerts: readonly TestAlert[]) => {
      for (let at = 0; at < alerts.length; at += 50) {
        const part = alerts.slice(at, at + 50);
        const batch = testBatch(description, part);
        await archive.alerts.write(archive.batches.begin(), batch, testHashes(part), testLocations(part));
      }
    };
    const curves = (time?: number) =>
      Promise.all(viewers.map((viewer) => archive.photometry.lightCurves(viewer, "ZTF", ids, time)));
    const objects = (time?: number) =>
      Promise.all(viewers.map((viewer) => archive.objects.byIds(viewer, "ZTF", ids, time)));

    const times = [packets[0]!.jd - 1, packets[60]!.jd, packets[150]!.jd + 0.1, packets.at(-1)!.jd];
    const then = [];
    for (const [n, time] of times.entries()) {
      const since = times[n - 1] ?? Number.NEGATIVE_INFINITY;
      await write(packets.filter(({ jd }) => jd > since && jd <= time));
      then.push({ time, curves: await curves(), objects: await objects() });
    }
    for (const { time, ...known } of then) {
      expect(await curves(time)).toEqual(known.curves);
      expect(await objects(time)).toEqual(known.objects);
    }
    expect(then[0]!.objects.every((found) => found.size === 0)).toBe(true);
    expect(then[1]!.objects[3]!.size).toBeGreaterThan(10);
  });
}
