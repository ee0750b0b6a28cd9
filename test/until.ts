// Waiting for a condition in tests: looks at it after every turn of the event loop.
import { setImmediate as turn } from "node:timers/promises";

/** Resolves as soon as `holds` is true; fails after `withinMs`, telling what it waited for. */
export async function until(what: string, holds: () => boolean, withinMs = 20_000): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error(`Waited ${withinMs} ms for: ${what}`);
    await turn();
  }
}
