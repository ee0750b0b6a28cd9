// Settings of `npm test`: everything that needs nothing but npm. Test files that read the shared data are left out where
// it is not there; those with real servers are left to `npm run test:servers`.
import { existsSync } from "node:fs";
import { defineConfig } from "vitest/config";
import { leaveOut, ROOMS, SERVERS_TESTS, SETTINGS, testFiles, withoutJava } from "./test/runner.js";
import { SHARED } from "./test/shared.js";

/** Imports by which a test file reads the data; those that can do without say so themselves. */
const READS_DATA = /from "[./a-z]*\/(shared|truth\.fixture|cutouts)\.js"/;
const DOES_WITHOUT = ["resolvers/build.test.ts"];

const withoutData = existsSync(SHARED)
  ? []
  : leaveOut(
      `There is no ${SHARED}`,
      testFiles((path, text) => !DOES_WITHOUT.includes(path) && READS_DATA.test(text)),
    );
// Only to say their names.
withoutJava();

export default defineConfig({
  ...SETTINGS,
  test: {
    ...SETTINGS.test,
    include: ROOMS.map((room) => `${room}/**/*.test.ts`),
    exclude: [...SERVERS_TESTS, ...withoutData],
  },
});
