// Files of CATALOG_DIR that the API's owner loads, in the background of the service. Called by catalogs.keeper.ts and
// lightcurves.keeper.ts.
import { realpath } from "node:fs/promises";
import { join, sep } from "node:path";
import { TocsinError } from "../domain/errors.js";
import { jdFromEpochMs } from "../domain/time.js";
import { outsideRequests } from "../stores/request.js";

/** Finished loads that are remembered. */
const REMEMBERED = 100;

export interface Loading {
  readonly name: string;
  /** JD. */
  readonly startedAt: number;
  /** 0 to 1. */
  readonly done: number;
  /** Stored so far. */
  readonly rows: number;
  readonly finished: boolean;
  readonly error: string | null;
}

/** Loads until the signal is aborted; resolves with how many rows there are in the end. */
export type LoadWork = (tell: (done: number, rows: number) => void, signal: AbortSignal) => Promise<number>;

export interface Loads {
  /** Throws LOAD_IN_PROGRESS where one of this name goes on. */
  start(name: string, work: LoadWork): Loading;
  all(): readonly Loading[];
  /** Breaks loads off where they are; they go on when they are asked for again. */
  close(): Promise<void>;
}

/** `what`: as in "The catalog x is being loaded by this service already." */
export function createLoads(what: string): Loads {
  const loads: { now: Loading }[] = [];
  const running = new Set<Promise<void>>();
  const abort = new AbortController();
  return {
    start(name, work) {
      if (loads.some(({ now }) => now.name === name && !now.finished)) {
        throw new TocsinError("LOAD_IN_PROGRESS", `The ${what} ${name} is being loaded by this service already.`, {
          remedy: "Wait until that ends: catalogLoads and lightCurveLoads tell how far it is.",
        });
      }
      const startedAt = jdFromEpochMs(Date.now());
      const load: { now: Loading } = { now: { name, startedAt, done: 0, rows: 0, finished: false, error: null } };
      loads.push(load);
      if (loads.length > REMEMBERED) loads.splice(0, loads.findIndex(({ now }) => now.finished) + 1);
      const tell = (done: number, rows: number): void => {
        load.now = { ...load.now, done, rows };
      };
      // The load goes on when the request that asked for it has ended.
      const end = outsideRequests(() => work(tell, abort.signal))
        .then(
          (rows) => {
            load.now = { ...load.now, done: 1, rows, finished: true };
          },
          (error: unknown) => {
            load.now = { ...load.now, finished: true, error: told(error) };
          },
        )
        .finally(() => running.delete(end));
      running.add(end);
      return load.now;
    },
    all: () => loads.map(({ now }) => now),
    async close() {
      abort.abort();
      await Promise.all(running);
    },
  };
}

const told = (error: unknown): string => {
  if (error instanceof TocsinError) return `${error.message} ${error.remedy}`;
  return error instanceof Error ? error.message : String(error);
};

/** The file's path; nothing outside of the folder is one, by no name and no link. */
export async function within(folder: string, file: string): Promise<string> {
  const missing = (cause?: unknown) =>
    new TocsinError("NOT_FOUND", `There is no file ${JSON.stringify(file)} in the service's folder of catalogs.`, {
      remedy: "Put it into CATALOG_DIR (catalogs in DATA_DIR) and name it without folders.",
      cause,
    });
  if (!/^[\w.+-]{1,200}$/.test(file) || file.startsWith(".")) throw missing();
  try {
    const [real, root] = await Promise.all([realpath(join(folder, file)), realpath(folder)]);
    if (real.startsWith(root + sep)) return real;
  } catch (error) {
    throw missing(error);
  }
  throw missing();
}
