// Which files below the given paths hold packets, and how large they are. Called by sources/files.ts and its progress.
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { DeadLetter } from "../../domain/packet.js";

export interface PacketFile {
  readonly path: string;
  readonly bytes: number;
}

/** In folders only these are opened; a file that is named itself is always opened. */
const PACKET_FILE = /\.(avro|tar|tar\.gz|tgz|avro\.gz)$/i;

/**
 * Files in the order of their paths, folders walked to any depth (links to folders are not followed).
 * A path that cannot be read is a dead letter, not an exception.
 */
export async function listPacketFiles(
  paths: readonly string[],
): Promise<{ files: PacketFile[]; unreadable: DeadLetter[] }> {
  const files: PacketFile[] = [];
  const unreadable: DeadLetter[] = [];
  const failed = (path: string, error: unknown) =>
    unreadable.push({
      reason: "UNREADABLE",
      message: `${path} cannot be read: ${explain(error)}.`,
      origin: { source: path, position: "file" },
      survey: null,
      bytes: null,
      schemaFingerprint: null,
    });

  const add = async (path: string): Promise<void> => {
    const found = await stat(path);
    // A pipe or a device would be waited for without an end.
    if (found.isFile()) files.push({ path, bytes: found.size });
    else failed(path, new Error(found.isDirectory() ? "it is a link to a folder" : "it is not a file"));
  };

  const walk = async (folder: string): Promise<void> => {
    const entries = await readdir(folder, { withFileTypes: true });
    entries.sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const entry of entries) {
      const path = join(folder, entry.name);
      try {
        if (entry.isDirectory()) await walk(path);
        else if (PACKET_FILE.test(entry.name)) await add(path);
      } catch (error) {
        failed(path, error);
      }
    }
  };

  for (const path of paths) {
    try {
      if ((await stat(path)).isDirectory()) await walk(path);
      else await add(path);
    } catch (error) {
      failed(path, error);
    }
  }
  return { files, unreadable };
}

const EXPLANATIONS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file or folder",
  EACCES: "permission denied",
  EISDIR: "it is a folder",
  ELOOP: "its links go round in circles",
};

/** A file system error in words. */
export function explain(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  return (code !== undefined && EXPLANATIONS[code]) || (error instanceof Error ? error.message : String(error));
}
