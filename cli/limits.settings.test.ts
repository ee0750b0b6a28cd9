// Settings of bounds: their defaults are the server's own, wrong ones are refused, and docs/limits.md names every one.
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { z } from "zod";
import { DEFAULT_LIMITS } from "../server/bounds.js";
import { DEFAULT_HUB_LIMITS } from "../subscriptions/request.js";
import { hubLimits, limitSettings, serverLimits } from "./limits.settings.js";

const schema = z.object(limitSettings);

it("without any, the bounds are the defaults", () => {
  const settings = schema.parse({});
  expect(serverLimits(settings)).toEqual(DEFAULT_LIMITS);
  expect({ ...DEFAULT_HUB_LIMITS, ...hubLimits(settings) }).toEqual(DEFAULT_HUB_LIMITS);
});

it("every setting reaches a bound of its own", () => {
  const flat = (bounds: object): string[] =>
    Object.entries(bounds).flatMap(([name, value]) =>
      typeof value === "object" ? flat(value).map((path) => `${name}.${path}`) : [`${name}=${value}`],
    );
  const boundsOf = (given: Record<string, string>) => {
    const settings = schema.parse(given);
    return [...flat(serverLimits(settings)), ...flat(hubLimits(settings))];
  };
  const usual = new Set(boundsOf({}));
  const changed = Object.keys(limitSettings).map((name) => {
    const other = String(Number(schema.parse({})[name as keyof typeof limitSettings]) + 1);
    const paths = boundsOf({ [name]: other }).filter((path) => !usual.has(path));
    expect(paths).toHaveLength(1);
    return paths[0]!.split("=")[0];
  });
  expect(new Set(changed).size).toBe(changed.length);
});

it.each([
  ["REQUESTS_PER_MINUTE", "-1"],
  ["COST_PER_MINUTE", "999999"],
  ["QUERIES_RUNNING", "0"],
  ["TRUST_PROXY", "true"],
  ["TIME_LIMIT_S", "0.5"],
])("%s=%s is refused", (name, value) => {
  expect(schema.safeParse({ [name]: value }).success).toBe(false);
});

it.each(["REQUESTS_PER_MINUTE", "COST_PER_MINUTE", "SOCKETS_PER_TOKEN"])("%s=0 is no bound", (name) => {
  expect(schema.safeParse({ [name]: "0" }).success).toBe(true);
});

it("docs/limits.md tells each with its default", () => {
  const manual = readFileSync(new URL("../docs/limits.md", import.meta.url), "utf8");
  for (const [name, usual] of Object.entries(schema.parse({}))) {
    expect(manual).toMatch(new RegExp(`\\| \`${name}\` \\| ${usual.toLocaleString("en-US")} \\|`));
  }
});
