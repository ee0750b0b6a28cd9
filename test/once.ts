// What only one of the run's processes does at a time, so that the others find it done. Called by servers.ts and
// firststart.ts.
import { setTimeout as delay } from "node:timers/promises";
import { lockDataDir } from "../cli/datadir.js";
import { TocsinError } from "../domain/errors.js";

const RETRY_MS = 50;

/** Whoever comes meanwhile waits. The lock's folder is made; who is killed loses it. */
export async function oneAtATime<T>(lockFolder: string, work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      const lock = await lockDataDir(lockFolder);
      try {
        return await work();
      } finally {
        await lock.release();
      }
    } catch (error) {
      if (!(error instanceof TocsinError) || error.code !== "DATA_DIR_IN_USE") throw error;
      await delay(RETRY_MS);
    }
  }
}
