// Waiting for a condition in tests: looks at it after every turn of the event loop, later every two milliseconds.
import { setTimeout as pause, setImmediate as turn } from "node:timers/promises";

/** Resolves as soon as `holds` is true; fails after `withinMs`, telling what it waited for. */
export async function until(what: string, holds: () => boolean, withinMs = 20_000): Promise<void> {
  const deadline = Date.now() + withinMs;
  for (let looks = 0; !holds(); looks += 1) {
    if (Date.now() > deadline) throw new Error(`Waited ${withinMs} ms for: ${what}`);
    await (looks < 100 ? turn() : pause(2));
  }
}
