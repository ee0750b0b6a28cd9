// One service per DATA_DIR: a socket in the folder is both the lock and the way in for commands of the same user.
// The kernel drops the listener when the process dies in any way, so a lock is never left behind. Called by cli/service.ts
// and cli/alone.ts; commands ask isOpen.
import { createHash, randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, renameSync, rmSync, type Stats, statSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { TocsinError } from "../domain/errors.js";

/** Unix socket paths end at 107 bytes; a deeper folder gets a socket named after its hash. */
const MAX_SOCKET_PATH = 100;
/** A socket file that is younger than this may be one that is just about to listen. */
const YOUNG_MS = 250;

export function socketPath(dataDir: string): string {
  const inside = join(dataDir, "service.sock");
  if (Buffer.byteLength(inside) <= MAX_SOCKET_PATH) return inside;
  const name = createHash("sha256").update(dataDir).digest("hex").slice(0, 24);
  return join(tmpdir(), `tocsin-${process.getuid?.() ?? 0}-${name}.sock`);
}

/** Whether a service (or another command) has this DATA_DIR open. */
export function isOpen(dataDir: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(socketPath(dataDir));
    probe.once("connect", () => {
      probe.destroy();
      resolve(true);
    });
    // Anything else says that somebody is there: a full queue, another user's socket.
    probe.once("error", ({ code }: NodeJS.ErrnoException) => resolve(code !== "ECONNREFUSED" && code !== "ENOENT"));
  });
}

export interface DataDirLock {
  /** Answer requests of commands from now on, first of all those that have come already. */
  answer(listener: RequestListener): void;
  /** Cut off all commands, and answer none from now on; the lock is still held. */
  hangUp(): void;
  release(): Promise<void>;
}

/** Make the folder (mode 700 where it is new) and lock it. Throws DATA_DIR_IN_USE, DISK_FULL, BAD_SETTING. */
export async function lockDataDir(dataDir: string): Promise<DataDirLock> {
  const server = createServer();
  const early: Parameters<RequestListener>[] = [];
  const keep: RequestListener = (...call) => void early.push(call);
  server.on("request", keep);
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    await claim(server, dataDir);
  } catch (error) {
    throw error instanceof TocsinError ? error : folderFault(error as NodeJS.ErrnoException, dataDir);
  }
  return {
    answer(listener) {
      server.off("request", keep).on("request", listener);
      for (const call of early.splice(0)) listener(...call);
    },
    hangUp() {
      server.removeAllListeners("request").on("request", keep);
      server.closeAllConnections();
    },
    release: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Listen at the socket's path. Only one can bind there; a file that nobody listens at is cleared away first. */
async function claim(server: Server, dataDir: string): Promise<void> {
  const path = socketPath(dataDir);
  while (!(await binds(server, path))) {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found === undefined) continue;
    if (await isOpen(dataDir)) {
      throw new TocsinError("DATA_DIR_IN_USE", `Another Tocsin process has ${dataDir} open.`);
    }
    if (Math.abs(Date.now() - found.mtimeMs) < YOUNG_MS) await delay(YOUNG_MS / 10);
    else removeStale(path, found);
  }
  chmodSync(path, 0o600);
}

function binds(server: Server, path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException): void => {
      if (error.code === "EADDRINUSE") resolve(false);
      else reject(error);
    };
    server.once("error", failed);
    server.listen(path, () => {
      server.off("error", failed);
      resolve(true);
    });
  });
}

/** Another process may have cleared the file away and bound its own meanwhile: that one is put back. */
function removeStale(path: string, stale: Stats): void {
  const aside = `${path}.${randomBytes(4).toString("hex")}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw error;
  }
  const moved = statSync(aside);
  if (moved.ino === stale.ino && moved.mtimeMs === stale.mtimeMs) rmSync(aside);
  else renameSync(aside, path);
}

function folderFault(error: NodeJS.ErrnoException, dataDir: string): TocsinError {
  return error.code === "ENOSPC"
    ? new TocsinError("DISK_FULL", `There is no room for DATA_DIR=${dataDir}.`, { cause: error })
    : new TocsinError("BAD_SETTING", `DATA_DIR=${dataDir} cannot be used: ${error.message}.`, { cause: error });
}
