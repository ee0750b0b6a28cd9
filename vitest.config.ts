// Test runner settings: one alias so that graphql loads once, and decorator metadata before any type-graphql class.
import { defineConfig } from "vitest/config";

export default defineConfig({
  resolve: { alias: [{ find: /^graphql$/, replacement: "graphql/index.js" }] },
  test: {
    include: [
      "{domain,schema,resolvers,ingest,stores,subscriptions,filters,server,cli,test,bench,clients}/**/*.test.ts",
    ],
    setupFiles: ["./test/setup.ts"],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    pool: "forks",
    maxWorkers: 2,
  },
});
