// Old packets of segment files: whole segments go. Called by cli/ at the start and daily; segments.ts asks what is gone.
import { readdir, stat, unlink } from "node:fs/promises";
import { join } from "node:path";

const DAY_MS = 86_400_000;
const NAME = /^(\d{8,})\.seg$/;

/** Numbers of the segments in a folder, ascending. */
export async function segmentNumbers(dir: string): Promise<number[]> {
  const names = await readdir(dir);
  return names
    .flatMap((name) => NAME.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
}

export const segmentPath = (dir: string, segment: number): string =>
  join(dir, `${String(segment).padStart(8, "0")}.seg`);

/**
 * Delete the oldest segments, as far as their last packet is older than so many days; the newest one stays. Harmless
 * beside an open store. Returns how many went.
 */
export async function dropOldSegments(dir: string, keepDays: number): Promise<number> {
  const numbers = await segmentNumbers(dir);
  let dropped = 0;
  for (const segment of numbers.slice(0, -1)) {
    const path = segmentPath(dir, segment);
    // In their order, so that what is missing is always older than what is there.
    if (Date.now() - (await stat(path)).mtimeMs <= keepDays * DAY_MS) break;
    await unlink(path);
    dropped += 1;
  }
  return dropped;
}

/** Whether a segment that is missing was dropped: there are newer ones only. */
export async function wasDropped(dir: string, segment: number): Promise<boolean> {
  const [oldest] = await segmentNumbers(dir);
  return oldest !== undefined && segment > 0 && segment < oldest;
}
