// Every benchmark once, small: it starts what it needs, its sides agree, and nothing is left behind. The figures of such
// a run mean nothing. Run by vitest.
import { chmodSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import type { BenchResult } from "./harness.js";

const BENCHMARKS: Readonly<Record<string, () => Promise<{ run(smoke: boolean): Promise<BenchResult> }>>> = {
  ingest: () => import("./ingest.bench.js"),
  backtest: () => import("./backtest.bench.js"),
  cone: () => import("./cone.bench.js"),
  crossmatch: () => import("./crossmatch.bench.js"),
  growth: () => import("./growth.bench.js"),
  lightcurve: () => import("./lightcurve.bench.js"),
  query: () => import("./query.bench.js"),
  watch: () => import("./watch.bench.js"),
};
/** Goals that are about results, not about speed. */
const RESULTS = /cutouts retrievable|same number of/;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tocsin-smoke-"));
  // PostgreSQL runs as another user where this is root.
  chmodSync(folder, 0o755);
  vi.stubEnv("TMPDIR", folder);
});
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

it.each(Object.keys(BENCHMARKS))("%s", { timeout: 180_000 }, async (name) => {
  const { run } = await BENCHMARKS[name]!();
  const result = await run(true);
  expect(result.name).toBe(name);
  expect(result.rows.length).toBeGreaterThan(1);
  for (const row of result.rows) {
    for (const value of Object.values(row)) if (typeof value === "number") expect(value).toBeGreaterThanOrEqual(0);
  }
  for (const goal of result.goals) if (RESULTS.test(goal.text)) expect(goal).toMatchObject({ met: true });
  if ("left out" in result.sizes) process.stderr.write(`${name}: ${result.sizes["left out"]}\n`);
  expect(readdirSync(folder)).toEqual([]);
});
