// One line for each thing that is lost, and one when it is back, however many wait for it.
import { expect, test } from "vitest";
import { TocsinError } from "../domain/errors.js";
import { createOutages } from "./outages.js";

test("tells of each outage once at its beginning and once at its end", () => {
  const told: string[] = [];
  const outages = createOutages({
    began: (_error, sentence) => told.push(`lost: ${sentence.split(".")[0]}`),
    ended: (_error, sentence) => told.push(`back: ${sentence.split(".")[0]}`),
  });
  const archive = (why: string) => new TocsinError("ENGINE_UNAVAILABLE", `The archive does not answer: ${why}.`);
  const graph = new TocsinError("ENGINE_UNAVAILABLE", "Neo4j at bolt://x does not answer.");
  outages.failed(archive("refused"));
  outages.failed(archive("reset"));
  outages.failed(graph);
  expect(outages.current).toHaveLength(2);
  outages.over(archive("refused"));
  outages.over(archive("reset"));
  outages.failed(archive("again"));
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
