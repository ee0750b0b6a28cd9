// An outage is one line and one metric when it begins, and one of each when it is over.
import pino from "pino";
import { expect, test } from "vitest";
import { TocsinError } from "../domain/errors.js";
import { loggedOutages } from "./outages.js";
import { readSettings } from "./settings.js";
import { createWatching } from "./watching.js";

test("a line and a metric each way, however often it failed", async () => {
  const lines: string[] = [];
  const log = pino({ level: "warn" }, { write: (line: string) => void lines.push(JSON.parse(line).msg) });
  const watching = await createWatching(readSettings({}), log);
  const outages = loggedOutages(watching, log);
  const lost = () => watching.metrics.registry.getSingleMetricAsString("tocsin_outage");
  const error = new TocsinError("ENGINE_UNAVAILABLE", "The archive does not answer.");
  outages.failed(error, null);
  outages.failed(error, null);
  expect(await lost()).toContain('tocsin_outage{code="ENGINE_UNAVAILABLE"} 1');
  outages.over(error);
  expect(await lost()).not.toContain("} 1");
  expect(lines).toEqual([expect.stringContaining("(tried again)"), "It goes on."]);
  await watching.close();
});
