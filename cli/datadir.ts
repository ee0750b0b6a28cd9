// One service per DATA_DIR: a socket in the folder is both the lock and the way in for commands of the same user.
// The kernel drops the listener when the process dies in any way, so a lock is never left behind. Called by cli/service.ts.
import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TocsinError } from "../domain/errors.js";

/** Unix socket paths end at 107 bytes; a deeper folder gets a socket named after its hash. */
const MAX_SOCKET_PATH = 100;

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
    probe.once("error", () => resolve(false));
  });
}

export interface DataDirLock {
  /** Answers requests of commands on the socket once a handler is set; 503 before. */
  readonly server: Server;
  release(): Promise<void>;
}

/** Make the folder (mode 700 where it is new) and lock it. Throws DATA_DIR_IN_USE. */
export async function lockDataDir(dataDir: string): Promise<DataDirLock> {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const path = socketPath(dataDir);
  if (await isOpen(dataDir)) {
    throw new TocsinError("DATA_DIR_IN_USE", `Another Tocsin process has ${dataDir} open.`);
  }
  rmSync(path, { force: true });
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) =>
      reject(
        error.code === "EADDRINUSE"
          ? new TocsinError("DATA_DIR_IN_USE", `Another Tocsin process has ${dataDir} open.`)
          : error,
      ),
    );
    server.listen(path, resolve);
  });
  chmodSync(path, 0o600);
  return {
    server,
    release: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
