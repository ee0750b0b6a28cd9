// Dashboards, alert rules and docs/watching.md against the metrics that there are: files that name what is not there any
// more show empty panels and never wake anybody.
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { createMetrics } from "../server/metrics.js";

const ROOT = resolve(import.meta.dirname, "..");
const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");

interface Known {
  readonly name: string;
  readonly type: string;
  readonly labels: readonly string[];
}
const METRICS: Known[] = createMetrics()
  .registry.getMetricsAsArray()
  .map((metric) => {
    const { name, type, labelNames } = metric as unknown as { name: string; type: string; labelNames: string[] };
    return { name, type, labels: labelNames };
  });
const OURS = METRICS.filter(({ name }) => name.startsWith("tocsin_"));

/** Names as PromQL has them, with the labels that Prometheus adds. */
const SERIES = new Map<string, readonly string[]>([["up", ["job", "instance"]]]);
for (const { name, type, labels } of METRICS) {
  const all = [...labels, "job", "instance"];
  if (type !== "histogram") SERIES.set(name, all);
  else for (const part of ["_bucket", "_sum", "_count"]) SERIES.set(name + part, [...all, "le"]);
}

const FUNCTIONS = new Set(
  "sum min max count rate increase delta histogram_quantile predict_linear hour vector".split(" "),
);
const WORDS = new Set(["and", "or", "unless"]);
const LABELS = /^\{\s*(\w+\s*(=|!=|=~|!~)\s*"[^"]*"\s*,?\s*)*\}/;
const TOKEN =
  /^(?:(?<by>by|without|on)\s*\((?<names>[\w\s,]*)\)|(?<range>\[(?:\d+[smhd]|\$__rate_interval)\])|(?<name>[a-zA-Z_]\w*)|(?<number>\d+(?:\.\d+)?)|(?<sign>==|!=|>=|<=|[()+\-*/<>,]))\s*/;

/** What is wrong with an expression of PromQL, as far as one can tell without Prometheus. */
function faultsOf(expression: string): string[] {
  const faults: string[] = [];
  const known = new Set<string>();
  const asked: string[] = [];
  let depth = 0;
  let rest = expression.trim();
  while (rest !== "") {
    const labels = LABELS.exec(rest);
    if (labels !== null) {
      asked.push(...[...labels[0].matchAll(/(\w+)\s*(?:=|!)/g)].map(([, label]) => label!));
      rest = rest.slice(labels[0].length).trim();
      continue;
    }
    const token = TOKEN.exec(rest);
    if (token === null) return [...faults, `cannot be read from: ${rest}`];
    rest = rest.slice(token[0].length);
    const { names, name, sign } = token.groups!;
    if (names !== undefined) asked.push(...names.split(",").map((label) => label.trim()));
    if (sign === "(") depth += 1;
    if (sign === ")") depth -= 1;
    if (depth < 0) faults.push("closes what is not open");
    if (name === undefined || WORDS.has(name)) continue;
    if (FUNCTIONS.has(name)) {
      if (!/^(\(|by\b)/.test(rest)) faults.push(`${name} has no argument`);
    } else if (SERIES.has(name)) {
      for (const label of SERIES.get(name)!) known.add(label);
    } else faults.push(`there is no ${name}`);
  }
  if (depth > 0) faults.push("leaves a parenthesis open");
  faults.push(...asked.filter((label) => !known.has(label)).map((label) => `no metric here has the label ${label}`));
  return faults;
}

describe("the check of expressions", () => {
  test.each([
    ["sum(tocsin_gone)", "there is no tocsin_gone"],
    ["sum(tocsin_sockets", "leaves a parenthesis open"],
    ["sum by (user) (tocsin_sockets)", "no metric here has the label user"],
    ['tocsin_outage{kode="X"}', "no metric here has the label kode"],
    ["rate(tocsin_hits_found_total[5])", "cannot be read from: [5])"],
    ["sum > 1", "sum has no argument"],
  ])("finds what is wrong with %s", (expression, fault) => {
    expect(faultsOf(expression)).toEqual([fault]);
  });
});

describe("metrics", () => {
  test("have names as Prometheus wants them", () => {
    expect(OURS.length).toBeGreaterThan(30);
    for (const { name, type } of OURS) {
      expect([name, name.endsWith("_total")]).toEqual([name, type === "counter"]);
      expect(name).not.toMatch(/_(ms|milliseconds|kb|mb|percent)(_|$)/);
    }
  });

  test("have labels with few values only", () => {
    const bounded =
      "survey reason source stage code engine operation role topic partition transport kind outcome route status catalog model step what";
    const labels = new Set(OURS.flatMap(({ labels }) => labels));
    expect([...labels].filter((label) => !bounded.split(" ").includes(label))).toEqual([]);
  });

  test("are all in docs/watching.md, and nothing else is", () => {
    const told = [...read("docs/watching.md").matchAll(/^\| `(tocsin_\w+)`/gm)].map(([, name]) => name!);
    expect(told.toSorted()).toEqual(OURS.map(({ name }) => name).toSorted());
  });
});

const rules = z.strictObject({
  groups: z.array(
    z.strictObject({
      name: z.string().regex(/^tocsin-[a-z]+$/),
      rules: z.array(
        z.strictObject({
          alert: z.string().regex(/^Tocsin[A-Z][A-Za-z]+$/),
          expr: z.string(),
          for: z.string().regex(/^\d+[smh]$/),
          labels: z.strictObject({ severity: z.enum(["critical", "warning"]) }),
          annotations: z.strictObject({
            summary: z.string().min(10),
            runbook: z.string().regex(/^docs\/watching\.md#[a-z]+$/),
          }),
        }),
      ),
    }),
  ),
});

describe("deploy/prometheus", () => {
  const { groups } = rules.parse(parse(read("deploy/prometheus/alerts.yml")));
  const all = groups.flatMap((group) => group.rules);

  test.each(all.map((rule) => [rule.alert, rule] as const))("%s asks for what there is", (_name, { expr }) => {
    expect(faultsOf(expr)).toEqual([]);
  });

  test("says for each alert what to do", () => {
    const headings = [...read("docs/watching.md").matchAll(/^#+ (.+)$/gm)].map(([, text]) => text!.toLowerCase());
    expect(new Set(all.map(({ alert }) => alert)).size).toBe(all.length);
    for (const { alert, annotations } of all) {
      expect([alert, headings]).toEqual([alert, expect.arrayContaining([annotations.runbook.split("#")[1]])]);
    }
  });

  test("prometheus.yml loads the rules, and asks at the port that compose sets", () => {
    const { rule_files, scrape_configs } = parse(read("deploy/prometheus/prometheus.yml"));
    expect(rule_files).toEqual(["alerts.yml"]);
    expect(scrape_configs[0].job_name).toBe("tocsin");
    const { services } = parse(read("docker-compose.yml"), { merge: true });
    for (const { names, port } of scrape_configs[0].dns_sd_configs) {
      for (const name of names) expect(Number(services[name].environment.METRICS_PORT)).toBe(port);
    }
  });
});

const panel = z.object({
  id: z.int(),
  type: z.enum(["timeseries", "stat"]),
  title: z.string().min(3),
  description: z.string().min(3),
  datasource: z.object({ type: z.literal("prometheus"), uid: z.string() }),
  gridPos: z.object({ x: z.int().min(0), y: z.int().min(0), w: z.int().min(1).max(24), h: z.int().min(1) }),
  targets: z.array(z.object({ refId: z.string(), expr: z.string(), legendFormat: z.string() })).min(1),
});
const dashboard = z.object({
  uid: z.string().regex(/^tocsin-[a-z]+$/),
  title: z.string(),
  schemaVersion: z.int(),
  time: z.object({ from: z.string(), to: z.string() }),
  panels: z.array(panel).min(1),
});

describe.each(readdirSync(join(ROOT, "deploy/grafana")).filter((name) => name.endsWith(".json")))(
  "deploy/grafana/%s",
  (name) => {
    const { uid, panels } = dashboard.parse(JSON.parse(read(`deploy/grafana/${name}`)));

    test("asks for what there is", () => {
      for (const { title, targets } of panels) {
        for (const { expr } of targets) expect([title, expr, faultsOf(expr)]).toEqual([title, expr, []]);
      }
    });

    test("takes its numbers from the source that is provisioned, and no panel covers another", () => {
      const [source] = parse(read("deploy/grafana/provisioning/datasources/prometheus.yaml")).datasources;
      expect(uid).toBe(`tocsin-${name.replace(".json", "")}`);
      expect(new Set(panels.map(({ datasource }) => datasource.uid))).toEqual(new Set([source.uid]));
      expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
      const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
        Array.from({ length: w * h }, (_, n) => `${x + (n % w)} ${y + Math.floor(n / w)}`),
      );
      expect(new Set(cells).size).toBe(cells.length);
    });
  },
);

test("every metric is on a dashboard or in a rule", () => {
  const files = ["alerts.yml"].map((name) => read(`deploy/prometheus/${name}`));
  const grafana = readdirSync(join(ROOT, "deploy/grafana")).filter((name) => name.endsWith(".json"));
  const text = [...files, ...grafana.map((name) => read(`deploy/grafana/${name}`))].join("\n");
  expect(OURS.filter(({ name }) => !text.includes(name)).map(({ name }) => name)).toEqual([]);
});
