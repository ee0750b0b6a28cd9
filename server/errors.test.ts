// docs/errors.md against the catalogue of codes (TOCSIN_UPDATE_DOCS=1 writes it).
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { errorTable } from "./faults.js";

const file = fileURLToPath(new URL("../docs/errors.md", import.meta.url));

it("docs/errors.md lists every code with its meaning", () => {
  const text = readFileSync(file, "utf8");
  const table = /<!-- codes -->\n[\s\S]*<!-- \/codes -->/;
  const now = text.replace(table, `<!-- codes -->\n${errorTable()}\n<!-- /codes -->`);
  if (process.env.TOCSIN_UPDATE_DOCS) writeFileSync(file, now);
  expect(readFileSync(file, "utf8")).toBe(now);
  expect(text).toMatch(table);
});
