// What both test runs share: where tests are, the settings of vitest, and how files that cannot run here are left out,
// by name. Called by vitest.config.ts and vitest.servers.config.ts.
import { readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { ViteUserConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";
import { javaFault, mavenFault } from "../cli/servers/java.js";

export const ROOMS = "domain schema resolvers ingest stores subscriptions filters server cli test bench clients".split(
  " ",
);
export const SERVERS_TESTS = ROOMS.map((room) => `${room}/**/*.servers.test.ts`);

/** Those that take longest begin first: one of them at the end would keep all but one worker waiting. */
const LONGEST = [
  "stores/archive/cluster.servers",
  "bench/faults.servers",
  "subscriptions/streams/publisher.servers",
  "stores/graph/neo4j.faults.servers",
  "ingest/sources/kafka/faults.servers",
  "stores/archive/cluster.faults.servers",
  "stores/graph/neo4j.servers",
  "test/faults",
  "test/kill",
  "test/rights",
  "test/badinput",
  "bench/smoke",
  "test/ztf",
  "test/nights",
  "test/guide",
].map((stem) => resolve(`${stem}.test.ts`));

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const long = LONGEST.flatMap((path) => sorted.filter(({ moduleId }) => moduleId === path));
    return [...long, ...sorted.filter(({ moduleId }) => !LONGEST.includes(moduleId))];
  }
}

/** `graphql` loads once; decorator metadata comes before any type-graphql class. */
export const SETTINGS = {
  resolve: { alias: [{ find: /^graphql$/, replacement: "graphql/index.js" }] },
  test: {
    setupFiles: ["./test/setup.ts"],
    globalSetup: ["./test/run.setup.ts"],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    pool: "forks",
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
  },
} satisfies ViteUserConfig;

/** Test files of which both the path and the text are wanted. */
export function testFiles(wanted: (path: string, text: string) => boolean): string[] {
  const files = ROOMS.flatMap((room) => readdirSync(room, { recursive: true }).map((path) => `${room}/${path}`));
  return files.filter((path) => path.endsWith(".test.ts") && wanted(path, readFileSync(path, "utf8")));
}

/** Say so on stderr, and answer the files. */
export function leaveOut(why: string, files: string[]): string[] {
  if (files.length > 0) process.stderr.write(`${why}: left out are\n  ${files.join("\n  ")}\n`);
  return files;
}

/** Those that use Kafka or Neo4j, unless they look for themselves what there is. */
const NEEDS_JAVA = /\bservers\.(kafka|neo4j)\(|\bstart(Kafka|Neo4j)\(/;
const LOOKS_ITSELF = /\bavailable\(/;

/** The tests with real servers that cannot run for want of Java or Maven. */
export function withoutJava(): string[] {
  const fault = javaFault() ?? mavenFault();
  if (fault === null) return [];
  return leaveOut(
    `${fault} The tests with Kafka and Neo4j need Java 17 and Maven`,
    testFiles((path, text) => path.endsWith(".servers.test.ts") && NEEDS_JAVA.test(text) && !LOOKS_ITSELF.test(text)),
  );
}
