// Test runner settings: graphql loads once, decorator metadata before any type-graphql class, and test files that read the
// shared data are left out, by name, where it is not there.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { defineConfig } from "vitest/config";
import { SHARED } from "./test/shared.js";

const ROOMS = "domain schema resolvers ingest stores subscriptions filters server cli test bench clients".split(" ");
/** Imports by which a test file reads the data; those that can do without say so themselves. */
const READS_DATA = /from "[./a-z]*\/(shared|truth\.fixture|cutouts)\.js"/;
const DOES_WITHOUT = ["resolvers/build.test.ts"];

function leftOut(): string[] {
  if (existsSync(SHARED)) return [];
  const files = ROOMS.flatMap((room) => readdirSync(room, { recursive: true }).map((path) => `${room}/${path}`));
  const missing = files.filter(
    (path) => path.endsWith(".test.ts") && !DOES_WITHOUT.includes(path) && READS_DATA.test(readFileSync(path, "utf8")),
  );
  process.stderr.write(`There is no ${SHARED}: left out, because they read its data:\n  ${missing.join("\n  ")}\n`);
  return missing;
}

export default defineConfig({
  resolve: { alias: [{ find: /^graphql$/, replacement: "graphql/index.js" }] },
  test: {
    include: ROOMS.map((room) => `${room}/**/*.test.ts`),
    exclude: leftOut(),
    setupFiles: ["./test/setup.ts"],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    pool: "forks",
    maxWorkers: 2,
  },
});
