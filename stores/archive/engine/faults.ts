// The engine's log: kept short, and read for why the engine did not start. Called by embedded.ts.
import { copyFile, open, stat, truncate } from "node:fs/promises";
import { TocsinError } from "../../../domain/errors.js";

const LONGEST_LOG = 10 * 1024 ** 2;

/** Keep the log below 10 MiB: a longer one is copied to <log>.1 and begins anew. Answers its length. */
export async function trimLog(log: string): Promise<number> {
  const size = await stat(log).then(
    (found) => found.size,
    () => 0,
  );
  if (size <= LONGEST_LOG) return size;
  // Not renamed: the engine would go on writing to the file that it has open.
  await copyFile(log, `${log}.1`);
  await truncate(log);
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
    return new TocsinError("DISK_FULL", `The disk under ${dataDir} is full; the archive cannot start.`, {
      cause,
      engine: "archive",
    });
  }
  return new TocsinError("ENGINE_UNAVAILABLE", `The embedded archive ${what}.`, {
    remedy: `Read ${log}; then start the service again.`,
    cause,
    engine: "archive",
  });
}

/** What keeps us from writing in the data directory, where that is what an error says. */
export function folderFault(error: unknown, dataDir: string): unknown {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  if (code === "ENOSPC") {
    return new TocsinError("DISK_FULL", `The disk under ${dataDir} is full; the archive cannot start.`, {
      cause: error,
      engine: "archive",
    });
  }
  if (code === "EACCES" || code === "EPERM" || code === "EROFS" || code === "ENOTDIR" || code === "EEXIST") {
    return new TocsinError("BAD_SETTING", `The archive cannot write in ${dataDir} (${code}).`, { cause: error });
  }
  return error;
}
