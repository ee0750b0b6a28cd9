// One line for each thing that is lost, and one when it is back, however many wait for it.
import { expect, test } from "vitest";
import { TocsinError } from "../domain/errors.js";
import { createOutages } from "./outages.js";
import { persistently } from "./persistently.js";

test("tells of each outage once at its beginning and once at its end", () => {
  const told: string[] = [];
  const outages = createOutages({
    began: (_error, sentence) => told.push(`lost: ${sentence.split(".")[0]}`),
    ended: (_error, sentence) => told.push(`back: ${sentence.split(".")[0]}`),
  });
  const archive = (why: string) =>
    new TocsinError("ENGINE_UNAVAILABLE", `The archive does not answer: ${why}.`, { engine: "archive" });
  const graph = new TocsinError("ENGINE_UNAVAILABLE", "Neo4j at bolt://x does not answer.", { engine: "graph" });
  outages.failed(archive("refused"), null);
  outages.failed(archive("reset"), archive("refused"));
  outages.failed(graph, null);
  expect(outages.current).toHaveLength(2);
  outages.over(archive("refused"));
  outages.over(archive("reset"));
  outages.failed(archive("again"), null);
  outages.over(graph);
  expect(told).toEqual([
    "lost: The archive does not answer: refused",
    "lost: Neo4j at bolt://x does not answer",
    "back: The archive does not answer: refused",
    "lost: The archive does not answer: again",
    "back: Neo4j at bolt://x does not answer",
  ]);
  expect(outages.current).toHaveLength(1);
});

test("no outage stays open where the next try fails by something else, or by a fault", async () => {
  const outages = createOutages({ began() {}, ended() {} });
  const full = new TocsinError("DISK_FULL", "The disk under the archive is full.");
  const away = new TocsinError("ENGINE_UNAVAILABLE", "The archive does not answer.");
  const fault = new TocsinError("INTERNAL", "The archive could not carry out a statement.");
  const seen: number[] = [];
  const failing = (errors: Error[]) => async () => {
    seen.push(outages.current.length);
    const next = errors.shift();
    if (next !== undefined) throw next;
  };
  await persistently(failing([full, away]), outages);
  expect(outages.current).toEqual([]);
  await expect(persistently(failing([away, fault]), outages)).rejects.toBe(fault);
  expect(outages.current).toEqual([]);
  expect(seen).toEqual([0, 1, 1, 0, 1]);
});
