// docs/features.md has every feature as the code has it (TOCSIN_UPDATE_DOCS=1 writes its tables).
import { readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { BAND_FEATURES } from "./band.features.js";
import type { Feature } from "./definition.js";
import { FEATURES_VERSION } from "./features.js";
import { COLOUR_FEATURES, OBJECT_FEATURES } from "./object.features.js";

const file = new URL("../../docs/features.md", import.meta.url);
const TABLES: Readonly<Record<string, readonly Feature[]>> = {
  object: OBJECT_FEATURES,
  band: BAND_FEATURES,
  colour: COLOUR_FEATURES,
};

const escaped = (text: string) => text.replaceAll("|", "\\|");
const row = ({ name, unit, description }: Feature) => `| \`${name}\` | ${unit ?? ""} | ${escaped(description)} |`;
const table = (features: readonly Feature[]) =>
  ["| name | unit | meaning |", "|---|---|---|", ...features.map(row)].join("\n");

/** The text with the tables between their marks as the code has them. */
function current(text: string): string {
  let next = text.replace(/version of the step is \d+/, `version of the step is ${FEATURES_VERSION}`);
  for (const [name, features] of Object.entries(TABLES)) {
    const between = new RegExp(`(<!-- ${name} -->\n)[^]*?(\n<!-- end -->)`);
    expect(next).toMatch(between);
    next = next.replace(between, (_, open: string, close: string) => `${open}${table(features)}${close}`);
  }
  return next;
}

test("the tables are those of the code", () => {
  const text = readFileSync(file, "utf8");
  const next = current(text);
  if (process.env.TOCSIN_UPDATE_DOCS === "1") writeFileSync(file, next);
  else expect(text).toBe(next);
});

test("names are camelCase and meet no other", () => {
  for (const features of Object.values(TABLES)) {
    const names = features.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name).toMatch(/^[a-z][a-zA-Z0-9]*$/);
  }
});
