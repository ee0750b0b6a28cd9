// README and every page of the manual: links lead somewhere; files, settings and commands that are named exist; what stands
// there as GraphQL fits the schema.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import {
  buildSchema,
  type DefinitionNode,
  FieldsOnCorrectTypeRule,
  isObjectType,
  Kind,
  parse,
  ScalarLeafsRule,
  validate,
} from "graphql";
import { expect, test } from "vitest";
import { ROOMS } from "./runner.js";

const ROOT = resolve(import.meta.dirname, "..");
const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");
const below = (folder: string): string[] =>
  readdirSync(join(ROOT, folder), { recursive: true }).map((name) => `${folder}/${name}`);

const PAGES = [
  ...["README.md", "deploy/README.md", "clients/examples/README.md"],
  ...below("docs").filter((name) => name.endsWith(".md")),
].map((path) => [path, read(path)] as const);
const FOLDERS = [...ROOMS, "docs", "deploy", "models"];
const FILES = [...FOLDERS, ...FOLDERS.flatMap(below)];
const CODE = [
  ...FILES.filter((name) => /\.(ts|mjs|py|yaml|yml)$/.test(name) && !name.startsWith("test/docs.test")).map(read),
  read("docker-compose.yml"),
].join("\n");
const schema = buildSchema(read("docs/schema.graphql"));

const withoutFences = (page: string): string => page.replaceAll(/^```.*?^```$/gms, "");
const inlineCode = (page: string): string[] =>
  [...withoutFences(page).matchAll(/`([^`\n]+)`/g)].map(([, text]) => text!);
const fences = (page: string, language: string): string[] =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, "gms"))].map(([, text]) => text!);
const slug = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
    .replaceAll(/\s/g, "-");

test.each(PAGES)("%s: links lead to files and headings that are there", (path, page) => {
  const targets = [...withoutFences(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target!);
  for (const target of targets.filter((text) => !/^https?:/.test(text))) {
    const [file, anchor] = target.split("#");
    const full = file === "" ? join(ROOT, path) : resolve(ROOT, dirname(path), file!);
    expect(existsSync(full), target).toBe(true);
    if (anchor === undefined) continue;
    const headings = [...readFileSync(full, "utf8").matchAll(/^#+ (.+)$/gm)].map(([, text]) => slug(text!));
    expect(headings, target).toContain(anchor);
  }
});

test.each(PAGES)("%s: files that are named are there", (_path, page) => {
  for (const name of inlineCode(page)) {
    // What benchmarks write is no part of the repository.
    if (name.startsWith("bench/results/")) continue;
    if (!new RegExp(`^(${FOLDERS.join("|")})/[\\w.*<>{},/-]+$`).test(name)) continue;
    const pattern = name
      .replaceAll(".", "\\.")
      .replaceAll("*", "[^/]*")
      .replaceAll(/<\w+>/g, "[^/]+")
      .replaceAll(/\{([^}]*)\}/g, (_, names: string) => `(${names.replaceAll(",", "|")})`);
    const wanted = new RegExp(`^${pattern.replace(/\/$/, "")}$`);
    expect(FILES.some((file) => wanted.test(file)) || existsSync(join(ROOT, name)), name).toBe(true);
  }
});

/** Whole documents, one operation after the other. */
const operations = (text: string): DefinitionNode[] => [...parse(text).definitions];

test.each(PAGES)("%s: GraphQL fits the schema", (_path, page) => {
  const inline = inlineCode(page).filter((text) => /^((mutation|query|subscription)\b.*)?\{.*\}$/.test(text));
  for (const text of [...fences(page, "graphql"), ...inline.filter((code) => !/…|^\{["}]|^\{\w+\}/.test(code))]) {
    for (const definition of operations(text)) {
      const faults = validate(schema, { kind: Kind.DOCUMENT, definitions: [definition] });
      expect([text, faults.map(String)]).toEqual([text, []]);
    }
  }
});

test("there are pages with GraphQL to check", () => {
  expect(PAGES.flatMap(([, page]) => fences(page, "graphql").flatMap(operations)).length).toBeGreaterThan(15);
});

test.each(PAGES)("%s: fields that are named are in the schema", (_path, page) => {
  for (const text of inlineCode(page)) {
    const [, type, field] = /^([A-Z]\w+)\.(\w+)\b/.exec(text) ?? [];
    const owner = type === undefined ? undefined : schema.getType(type);
    if (isObjectType(owner)) expect(Object.keys(owner.getFields()), text).toContain(field);
    // `catalog(name:) { rematch { done } }`: a part of a query, its arguments as the sentence has them.
    const root = /^(\w+)(\([^)]*\))? \{.*\}$/.exec(text)?.[1];
    if (root === undefined || !(root in schema.getQueryType()!.getFields())) continue;
    const query = `{ ${text
      .replaceAll(/\([^()]*\)/g, "")
      .replaceAll(/\{ … \}/g, "{ __typename }")
      .replaceAll("…", "")} }`;
    const faults = validate(schema, parse(query), [FieldsOnCorrectTypeRule, ScalarLeafsRule]);
    expect([text, faults.map(String)]).toEqual([text, []]);
  }
});

test.each(PAGES)("%s: names in capitals are the code's", (_path, page) => {
  for (const text of inlineCode(page)) {
    const [, name] = /^([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)(=.*)?$/.exec(text) ?? [];
    if (name !== undefined) expect(new RegExp(`\\b${name}\\b`).test(CODE), name).toBe(true);
  }
});

const scripts = Object.keys(JSON.parse(read("package.json")).scripts as object);
const COMMANDS = new Set([...CODE.matchAll(/\.command\("(\w+)/g)].map(([, name]) => name!));

test.each(PAGES)("%s: commands and their options are there", (_path, page) => {
  for (const [line, script, rest] of page.matchAll(/npm run (?:--silent )?([\w:]+)(?: -- ([^\n`#]*))?/g)) {
    expect(scripts, line).toContain(script);
    if (rest === undefined) continue;
    const [first] = rest.split(" ");
    if (script === "cli" && /^\w/.test(first!)) expect(["help", ...COMMANDS], line).toContain(first);
    for (const [, option] of rest.matchAll(/(?<=\s)--([a-z][\w-]*)/g)) {
      // Benchmarks read theirs from a record; the commands name them.
      const told = script === "bench" ? `\\boptions\\.${option}\\b` : `"--${option}[ "]`;
      expect(new RegExp(told).test(CODE), `--${option} of ${line}`).toBe(true);
    }
  }
});
