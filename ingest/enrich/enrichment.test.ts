// A step that throws leaves its values missing; a lost store holds the batch.
import { expect, test } from "vitest";
import type { AlertBatch } from "../../domain/alert.js";
import { TocsinError } from "../../domain/errors.js";
import { type Enrichment, enrich, versionsOf } from "./enrichment.js";

const empty: AlertBatch = {
  survey: "ZTF",
  alerts: { rows: 0, columns: new Map() },
  photometry: { rows: 0, columns: new Map() },
  toldBy: new Uint32Array(),
  packets: [],
};
const adds = (name: string): Enrichment => ({
  name,
  version: "2",
  run: async (batch) => ({ ...batch, annexes: [...(batch.annexes ?? []), { table: "scores", rows: batch.alerts }] }),
});
const throws = (error: unknown): Enrichment => ({ name: "broken", version: "1", run: () => Promise.reject(error) });

test("a step that throws is told, and the others add their values", async () => {
  const fault = new Error("NaN in layer 3\n    at step.ts:1");
  const batch = await enrich(empty, [adds("a"), throws(fault), adds("b")]);
  expect(batch.annexes).toHaveLength(2);
  const told = { step: "broken", part: null, code: "STEP_FAILED", reason: "NaN in layer 3", cause: fault };
  expect(batch.missing).toEqual([told]);
});

test("a store that is away holds the batch", async () => {
  const lost = new TocsinError("ENGINE_UNAVAILABLE", "The archive does not answer.");
  await expect(enrich(empty, [throws(lost)])).rejects.toBe(lost);
});

test("versions by name", () => {
  expect(versionsOf([adds("a"), adds("b")])).toEqual({ a: "2", b: "2" });
});
