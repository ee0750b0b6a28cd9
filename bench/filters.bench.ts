// A batch of alerts x many filters: our step against the same filters as compiled JavaScript functions. Run by bench/main.
import type { AlertBatch } from "../domain/alert.js";
import type { Block } from "../domain/columns.js";
import type { Filter } from "../domain/filter.js";
import { createActiveFilters } from "../filters/active.js";
import { checkCondition } from "../filters/check.js";
import { createFilterRun } from "../filters/run.js";
import type { Typed } from "../filters/typed.js";
import { createInFlightQuery } from "../stores/archive/inflight.js";
import { startTestArchive } from "../test/archive.js";
import { BENCH_FIELDS, benchBlock, variedFilters } from "./filters.data.js";
import { type BenchResult, ratios, spread, timed } from "./harness.js";

const ALERTS = 5_000;

export async function run(smoke: boolean): Promise<BenchResult> {
  const counts = smoke ? [10] : [100, 1_000];
  const rounds = smoke ? 1 : 7;
  const alerts = benchBlock(smoke ? 200 : ALERTS);
  const archive = await startTestArchive();
  try {
    const inFlight = createInFlightQuery(archive.client);
    const rows: Record<string, number | string>[] = [];
    const compared: Record<string, ReturnType<typeof ratios>> = {};
    const goals: { text: string; reached: string; met: boolean }[] = [];
    for (const count of counts) {
      const filters = variedFilters(count).map(stored);
      const active = createActiveFilters(
        { active: async () => filters, onChange: () => () => undefined },
        BENCH_FIELDS,
      );
      const step = createFilterRun(inFlight, active);
      const functions = filters.map((filter) => asFunction(filter.versions[0]!.where));
      const objects = objectsOf(alerts);
      const batch = { survey: "ZTF", alerts } as AlertBatch;
      const hits = (await step.run(batch)).hits.length;
      const plainHits = runFunctions(functions, objects);
      if (hits !== plainHits) throw new Error(`${hits} hits by us, ${plainHits} by the functions`);
      const ours: { cpuSeconds: number; wallSeconds: number }[] = [];
      const plain: { cpuSeconds: number; wallSeconds: number }[] = [];
      for (let round = 0; round < rounds; round++) {
        ours.push(await timed(() => step.run(batch), [archive.pid()!]));
        plain.push(await timed(() => runFunctions(functions, objectsOf(alerts))));
      }
      const cpu = spread(ours.map((one) => one.cpuSeconds)).median;
      const cpuPlain = spread(plain.map((one) => one.cpuSeconds)).median;
      const evaluations = count * alerts.rows;
      const line = (side: string, seconds: number, of: typeof ours) => ({
        side,
        filters: count,
        "CPU s": seconds,
        "wall s": spread(of.map((one) => one.wallSeconds)).median,
        "evaluations per CPU s": evaluations / seconds,
        hits,
      });
      rows.push(line("tocsin", cpu, ours), line("JavaScript functions", cpuPlain, plain));
      const ratio = ratios(
        plain.map((one) => one.cpuSeconds),
        ours.map((one) => one.cpuSeconds),
      );
      compared[`CPU, JavaScript / tocsin, ${count} filters`] = ratio;
      goals.push({
        text: `${count} filters at least 4 times cheaper than JavaScript functions`,
        reached: ratio.median.toFixed(2),
        met: ratio.median >= 4,
      });
      if (count === 1_000)
        goals.push({ text: "1,000 filters at most 1 s CPU", reached: `${cpu.toFixed(2)} s`, met: cpu <= 1 });
    }
    return { name: "filters", sizes: { alerts: alerts.rows, rounds }, rows, ratios: compared, goals };
  } finally {
    await archive.stop();
  }
}

function stored(where: string, i: number): Filter {
  const version = { number: 1, where, annotations: [], createdAt: 0, changelog: null };
  return { id: `f${i}`, name: `f${i}`, survey: "ZTF", active: true, stream: null, versions: [version] };
}

type Alert = Record<string, number | bigint | string | null>;

/** What a filter as a function needs: one object an alert, missing as NaN. Part of that side's work. */
function objectsOf(block: Block): Alert[] {
  const columns = [...block.columns];
  return Array.from({ length: block.rows }, (_, row) => {
    const alert: Alert = {};
    for (const [name, column] of columns) {
      alert[name] = column.nulls?.[row] ? Number.NaN : column.values[row]!;
    }
    return alert;
  });
}

function runFunctions(functions: readonly ((alert: Alert) => boolean)[], alerts: readonly Alert[]): number {
  const hits: { alert: Alert; filter: number }[] = [];
  for (const alert of alerts) {
    functions.forEach((passes, filter) => {
      if (passes(alert)) hits.push({ alert, filter });
    });
  }
  return hits.length;
}

function asFunction(where: string): (alert: Alert) => boolean {
  const { typed, problems } = checkCondition(where, BENCH_FIELDS("ZTF"));
  if (!typed) throw new Error(`${where}: ${problems[0]!.message}`);
  return new Function("a", `return ${javascript(typed)};`) as (alert: Alert) => boolean;
}

const FUNCTIONS: Readonly<Record<string, string>> = { ln: "Math.log", least: "Math.min", greatest: "Math.max" };

/** The part of the language that variedFilters uses, with missing as NaN. */
function javascript(typed: Typed): string {
  switch (typed.op) {
    case "number":
    case "truth":
      return `(${typed.value})`;
    case "text":
      return JSON.stringify(typed.value);
    case "field":
      return `a.${typed.field.name}`;
    case "and":
    case "or":
      return `(${typed.operands.map(javascript).join(typed.op === "and" ? " && " : " || ")})`;
    case "not":
      return `!(${javascript(typed.operand)})`;
    case "arithmetic":
      return `(${javascript(typed.left)} ${typed.sign} ${javascript(typed.right)})`;
    case "compare":
      return `(${javascript(typed.left)} ${typed.sign === "=" ? "===" : typed.sign} ${javascript(typed.right)})`;
    case "between":
      return `(${javascript(typed.value)} >= ${javascript(typed.low)} && ${javascript(typed.value)} <= ${javascript(typed.high)})`;
    case "in":
      return `(${typed.list.map((item) => `${javascript(typed.value)} === ${javascript(item)}`).join(" || ")})`;
    case "isMissing":
      return `${typed.negated ? "!" : ""}Number.isNaN(${javascript(typed.value)})`;
    case "call": {
      const args = typed.args.map(javascript);
      if (typed.name === "coalesce") return `(Number.isNaN(${args[0]}) ? ${args[1]} : ${args[0]})`;
      return `${FUNCTIONS[typed.name] ?? `Math.${typed.name}`}(${args.join(", ")})`;
    }
    default:
      throw new Error(`no JavaScript for ${typed.op}`);
  }
}
