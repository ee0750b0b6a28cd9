// `npm run bench -- NAME…`: run benchmarks by name, without a name all but the long ones; --smoke runs each small and short.
import "reflect-metadata";
import type { BenchResult } from "./harness.js";
import { report } from "./harness.js";

// As cli/main.ts does: graphql-js checks far more otherwise. Nothing that was imported so far has read it.
process.env.NODE_ENV ??= "production";

type Options = Readonly<Record<string, string>>;
type Benchmark = { run(smoke: boolean, options: Options): Promise<BenchResult> };

/** Every benchmark: its module exports run(smoke, options); options are the arguments --name=value. */
const BENCHMARKS: Readonly<Record<string, () => Promise<Benchmark>>> = {
  decode: () => import("./decode.bench.js"),
  ingest: () => import("./ingest.bench.js"),
  cone: () => import("./cone.bench.js"),
  crossmatch: () => import("./crossmatch.bench.js"),
  watch: () => import("./watch.bench.js"),
  lightcurve: () => import("./lightcurve.bench.js"),
  filters: () => import("./filters.bench.js"),
  backtest: () => import("./backtest.bench.js"),
  fanout: () => import("./fanout.bench.js"),
  query: () => import("./query.bench.js"),
  night: () => import("./night.bench.js"),
  growth: () => import("./growth.bench.js"),
  heavy: () => import("./heavy.bench.js"),
  faults: () => import("./faults.bench.js"),
  soak: () => import("./soak.bench.js"),
  load: () => import("./load.bench.js"),
  scale: () => import("./scale.bench.js"),
  rubin: () => import("./scale.rubin.bench.js"),
  tables: () => import("./scale.tables.bench.js"),
};

/** Minutes, servers, or both: only by name. */
const LONG = ["night", "growth", "heavy", "faults", "soak", "load", "scale"];

const names = process.argv.slice(2).filter((name) => !name.startsWith("--"));
const smoke = process.argv.includes("--smoke");
const options = Object.fromEntries(
  process.argv.slice(2).flatMap((argument) => {
    const [, name, value] = /^--(\w+)=(.+)$/.exec(argument) ?? [];
    return name === undefined ? [] : [[name, value!]];
  }),
);
const unknown = names.filter((name) => !(name in BENCHMARKS));
if (unknown.length > 0 || process.argv.includes("--help")) {
  process.stderr.write(`usage: npm run bench -- [--smoke] [${Object.keys(BENCHMARKS).join("] [")}]\n`);
  process.exit(unknown.length > 0 ? 2 : 0);
}
let failed = false;
const quick = Object.keys(BENCHMARKS).filter((name) => !LONG.includes(name));
for (const name of names.length > 0 ? names : quick) {
  const { run } = await BENCHMARKS[name]!();
  const result = await run(smoke, options);
  await report(result, smoke ? "bench/results/smoke" : "bench/results");
  if (result.mustMeet && result.goals.some(({ met }) => !met)) failed = true;
}
process.exit(failed ? 1 : 0);
