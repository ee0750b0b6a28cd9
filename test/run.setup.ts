// The folder of one run of tests, for what its files share: made before the first test, removed after the last. Loaded by
// test/runner.ts.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Name of the environment variable with the folder's path; outside of such a run it is not set. */
export const RUN_FOLDER = "TOCSIN_TEST_RUN";

export default function setup(): () => void {
  const folder = mkdtempSync(join(tmpdir(), "tocsin-run-"));
  process.env[RUN_FOLDER] = folder;
  return () => rmSync(folder, { recursive: true, force: true });
}
