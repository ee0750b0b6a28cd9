// A temporary folder with real servers and processes of ours, all of them ended together. Used by the benchmarks of load
// and scale.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Running, ServerOptions } from "../cli/servers/background.js";
import { OurProcess } from "./faults.processes.js";

export class Place {
  readonly #closers: (() => Promise<unknown> | unknown)[] = [];

  private constructor(readonly folder: string) {
    this.#closers.push(() => rm(folder, { recursive: true, force: true }));
  }

  static async make(name: string): Promise<Place> {
    return new Place(await mkdtemp(join(tmpdir(), `tocsin-${name}-`)));
  }

  async server<R extends Running>(name: string, start: (options: ServerOptions) => Promise<R>): Promise<R> {
    const tell = (line: string): void => void process.stderr.write(`${line}\n`);
    const running = await start({ folder: join(this.folder, name), tell });
    this.#closers.push(() => running.kill());
    return running;
  }

  /** Not started yet. Its DATA_DIR is a folder of its own. */
  ours(name: string, environment: Readonly<Record<string, string>>): OurProcess {
    const made = new OurProcess(
      name,
      { ...environment, DATA_DIR: this.dataDir(name) },
      join(this.folder, "processes.log"),
    );
    this.closing(() => made.kill());
    return made;
  }

  dataDir = (name: string): string => join(this.folder, name.replaceAll(" ", "-"));

  /** Called before everything that was made earlier is ended. */
  closing(close: () => Promise<unknown> | unknown): void {
    this.#closers.push(close);
  }

  async close(): Promise<void> {
    for (const close of this.#closers.splice(0).reverse()) await close();
  }
}
