// The list of what is in a backup, with checksums: written last, read first. Called by backup.ts.
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, readdir, readFile, rename } from "node:fs/promises";
import { join, relative } from "node:path";
import { z } from "zod";
import { TocsinError } from "../domain/errors.js";

const NAME = "manifest.json";
const FORMAT = 1;

const manifest = z.object({
  format: z.literal(FORMAT),
  madeAt: z.string(),
  archive: z.object({
    database: z.string(),
    /** Null: its files are in the backup. Otherwise where the servers wrote theirs, in the order of CLICKHOUSE_URL. */
    places: z.array(z.object({ path: z.string(), disk: z.string().nullable() })).nullable(),
    rows: z.record(z.string(), z.number()),
  }),
  /** Packets in segment files; otherwise they are in the archive. */
  segments: z.boolean(),
  files: z.array(z.object({ path: z.string(), bytes: z.number(), sha256: z.string() })),
});

export type Manifest = z.infer<typeof manifest>;

/** The checksums of everything in the folder, and the list itself: from then on it is a backup. */
export async function writeManifest(folder: string, told: Omit<Manifest, "format" | "files">): Promise<Manifest> {
  const whole: Manifest = { format: FORMAT, ...told, files: await filesIn(folder) };
  const draft = join(folder, `${NAME}.new`);
  const file = await open(draft, "w", 0o600);
  try {
    await file.writeFile(`${JSON.stringify(whole, null, 2)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, join(folder, NAME));
  return whole;
}

/** @throws TocsinError BAD_BACKUP where the folder is not a whole backup, or a file of it is not what was written. */
export async function readManifest(folder: string): Promise<Manifest> {
  const bad = (why: string, cause?: unknown) => new TocsinError("BAD_BACKUP", `${folder}: ${why}.`, { cause });
  const text = await readFile(join(folder, NAME), "utf8").catch((cause: unknown) => {
    throw bad("there is no manifest.json", cause);
  });
  const read = manifest.safeParse(parsed(text));
  if (!read.success) throw bad("manifest.json is not of this version", read.error);
  const found = new Map((await filesIn(folder)).map((file) => [file.path, file]));
  for (const { path, bytes, sha256 } of read.data.files) {
    const file = found.get(path);
    if (file === undefined) throw bad(`${path} is missing`);
    if (file.bytes !== bytes || file.sha256 !== sha256) throw bad(`${path} is not what was written`);
  }
  return read.data;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

async function filesIn(folder: string): Promise<Manifest["files"]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .filter((path) => path !== NAME)
    .sort();
  const files: Manifest["files"] = [];
  for (const path of paths) {
    const hash = createHash("sha256");
    let bytes = 0;
    for await (const chunk of createReadStream(join(folder, path))) {
      hash.update(chunk as Buffer);
      bytes += (chunk as Buffer).length;
    }
    files.push({ path, bytes, sha256: hash.digest("hex") });
  }
  return files;
}
