// `npm run bench -- NAME…`: run benchmarks by name, all of them without a name; --smoke runs each small and short.
import "reflect-metadata";
import type { BenchResult } from "./harness.js";
import { report } from "./harness.js";

// As cli/main.ts does: graphql-js checks far more otherwise. Nothing that was imported so far has read it.
process.env.NODE_ENV ??= "production";

/** Every benchmark: its module exports run(smoke). */
const BENCHMARKS: Readonly<Record<string, () => Promise<{ run(smoke: boolean): Promise<BenchResult> }>>> = {
  decode: () => import("./decode.bench.js"),
  ingest: () => import("./ingest.bench.js"),
  cone: () => import("./cone.bench.js"),
  lightcurve: () => import("./lightcurve.bench.js"),
  filters: () => import("./filters.bench.js"),
  fanout: () => import("./fanout.bench.js"),
  query: () => import("./query.bench.js"),
  heavy: () => import("./heavy.bench.js"),
};

const names = process.argv.slice(2).filter((name) => !name.startsWith("--"));
const smoke = process.argv.includes("--smoke");
const unknown = names.filter((name) => !(name in BENCHMARKS));
if (unknown.length > 0 || process.argv.includes("--help")) {
  process.stderr.write(`usage: npm run bench -- [--smoke] [${Object.keys(BENCHMARKS).join("] [")}]\n`);
  process.exit(unknown.length > 0 ? 2 : 0);
}
for (const name of names.length > 0 ? names : Object.keys(BENCHMARKS)) {
  const { run } = await BENCHMARKS[name]!();
  await report(await run(smoke), smoke ? "bench/results/smoke" : "bench/results");
}
process.exit(0);
