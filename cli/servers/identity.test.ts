// Signals go to the process that is meant, never to one that has got its id later.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { afterEach, expect, it } from "vitest";
import { until } from "../../test/until.js";
import { identify, isAlive, isGone, signal } from "./identity.js";

const children: ChildProcess[] = [];
const start = (program: string, ...args: string[]): ChildProcess => {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "ignore"] });
  children.push(child);
  return child;
};
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

it("ends the process that is meant, and knows when it is gone", async () => {
  const child = start("sleep", "600");
  const who = identify(child.pid!)!;
  expect(isAlive(who)).toBe(true);
  expect(await isGone(who, 0)).toBe(false);
  expect(signal(who, "SIGTERM")).toBe(true);
  expect(await isGone(who, 10_000)).toBe(true);
  expect(signal(who, "SIGTERM")).toBe(false);
});

it("spares a process that has the id of one that is dead", async () => {
  const child = start("sleep", "600");
  const { pid, started } = identify(child.pid!)!;
  const predecessor = { pid, started: String(Number(started) - 1) };
  expect(isAlive(predecessor)).toBe(false);
  expect(signal(predecessor, "SIGKILL")).toBe(false);
  expect(isAlive({ pid, started })).toBe(true);
});

it("takes a zombie for dead", async () => {
  // The shell's child ends, and the program that the shell became never asks for it.
  const parent = start("sh", "-c", "sh -c 'echo $$' & exec sleep 600");
  const [line] = (await once(parent.stdout!, "data")) as [Buffer];
  await until("the child to be a zombie", () => identify(Number(line)) === null);
  expect(() => process.kill(Number(line), 0)).not.toThrow();
});
