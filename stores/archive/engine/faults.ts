// Why the engine did not start, read from the end of its log. Called by embedded.ts.
import { open, rename, stat } from "node:fs/promises";
import { TocsinError } from "../../../domain/errors.js";

const LONGEST_LOG = 10 * 1024 ** 2;

/** Length of the log now; a log beyond 10 MiB is moved aside to <log>.1 first. */
export async function logEnd(log: string): Promise<number> {
  const size = await stat(log).then(
    (found) => found.size,
    () => 0,
  );
  if (size <= LONGEST_LOG) return size;
  await rename(log, `${log}.1`);
  return 0;
}

/** The last 8 KiB of what the engine has logged since `from`. */
async function readSince(log: string, from: number): Promise<string> {
  const file = await open(log, "r").catch(() => null);
  if (file === null) return "";
  try {
    const { size } = await file.stat();
    const start = Math.max(from, size - 8192);
    const bytes = Buffer.alloc(Math.max(0, size - start));
    await file.read(bytes, 0, bytes.length, start);
    return bytes.toString("utf8");
  } finally {
    await file.close();
  }
}

/** The coded error for a start that failed. `what` says how it failed; the log's end is the error's cause. */
export async function startFault(what: string, dataDir: string, log: string, from: number): Promise<TocsinError> {
  const said = await readSince(log, from);
  const cause = new Error(`The engine's log ends with:\n${said.trim()}`);
  if (/Cannot lock file/.test(said)) {
    return new TocsinError("DATA_DIR_IN_USE", `Another process has the archive in ${dataDir} open.`, { cause });
  }
  if (/Code: 243\b|No space left on device/.test(said)) {
    return new TocsinError("DISK_FULL", `The disk under ${dataDir} is full; the archive cannot start.`, { cause });
  }
  return new TocsinError("ENGINE_UNAVAILABLE", `The embedded archive ${what}.`, {
    remedy: `Read ${log}; then start the service again.`,
    cause,
  });
}

/** What keeps us from writing in the data directory, where that is what an error says. */
export function folderFault(error: unknown, dataDir: string): unknown {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  if (code === "ENOSPC") {
    return new TocsinError("DISK_FULL", `The disk under ${dataDir} is full; the archive cannot start.`, {
      cause: error,
    });
  }
  if (code === "EACCES" || code === "EPERM" || code === "EROFS" || code === "ENOTDIR" || code === "EEXIST") {
    return new TocsinError("BAD_SETTING", `The archive cannot write in ${dataDir} (${code}).`, { cause: error });
  }
  return error;
}
