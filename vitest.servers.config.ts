// Settings of `npm run test:servers`: the tests with real Kafka, Neo4j and ClickHouse, which they start themselves.
import { defineConfig } from "vitest/config";
import { SERVERS_TESTS, SETTINGS, withoutJava } from "./test/runner.js";

export default defineConfig({
  ...SETTINGS,
  test: {
    ...SETTINGS.test,
    include: SERVERS_TESTS,
    exclude: withoutJava(),
    globalSetup: [...SETTINGS.test.globalSetup, "./test/servers.setup.ts"],
    testTimeout: 300_000,
    // They wait more than they compute: for servers to start, to be missed, to be back.
    maxWorkers: 3,
    // Brokers, JVMs and clusters beside each other on a small machine: what fails twice is a fault.
    retry: 1,
    // The first to ask for a server waits for its download as well.
    hookTimeout: 600_000,
  },
});
