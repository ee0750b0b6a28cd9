// `npm run cli -- models list|add|state`: trained models, in the folders where a running service looks for them; and what
// the service makes of the settings. Called by cli/program.ts and cli/service.ts.

import { existsSync } from "node:fs";
import { cp, mkdir, rename, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { Argument, type Command } from "commander";
import { MODEL_STATES, type ModelState } from "../domain/classifier.js";
import { TocsinError } from "../domain/errors.js";
import { MANIFESTS, MODEL_FILE, readModel } from "../ingest/classifiers/folder.js";
import { createModelRegistry, type ModelRegistry } from "../ingest/classifiers/registry.js";
import { tryModel } from "../ingest/classifiers/trial.js";
import type { Settings } from "./settings.js";
import { tableOf } from "./table.js";

/** Models that come with Tocsin: beside the sources, or beside the folder of what was built of them. */
const SHIPPED = ["..", "../.."]
  .map((up) => resolve(import.meta.dirname, up, "models"))
  .filter((path) => existsSync(path))
  .slice(0, 1);

const modelsDir = ({ MODELS_DIR, DATA_DIR }: Settings): string => MODELS_DIR ?? join(DATA_DIR, "models");

/** Of a name and version that come twice, the user's counts. */
export const openModels = (settings: Settings, log: (line: string) => void): Promise<ModelRegistry> =>
  createModelRegistry({ folders: [...SHIPPED, modelsDir(settings)], log });

export function addModelCommands(program: Command, settings: () => Settings): void {
  const models = program.command("models").description("trained models that give alerts scores and classes");
  const withModels = async (work: (registry: ModelRegistry) => unknown): Promise<void> => {
    const registry = await openModels(settings(), (line) => process.stderr.write(`${line}\n`));
    try {
      await work(registry);
    } finally {
      registry.close();
    }
  };
  models
    .command("list")
    .description("every version, with its state")
    .action(() => withModels((registry) => process.stdout.write(listOf(registry))));
  models
    .command("add")
    .description(`copy a folder with ${MODEL_FILE} and ${MANIFESTS.join(" or ")} to where the service finds it`)
    .argument("<dir>", "the folder")
    .action(async (dir: string) => {
      const { path, notes } = await addModel(resolve(dir), modelsDir(settings()));
      process.stdout.write([path, ...notes, ""].join("\n"));
    });
  models
    .command("state")
    .description("what a version does; a running service follows within seconds")
    .argument("<name>")
    .argument("<version>")
    .addArgument(new Argument("<state>").choices(MODEL_STATES))
    .action((name: string, version: string, state: ModelState) =>
      withModels((registry) => registry.setState(name, version, state)),
    );
}

function listOf(registry: ModelRegistry): string {
  const rows = registry
    .list()
    .map((model) => [
      model.name,
      model.version,
      model.state,
      model.surveys.join(" "),
      model.licence,
      model.outputs.join(" ").slice(0, 60),
    ]);
  return tableOf(["model", "version", "state", "surveys", "licence", "outputs"], rows);
}

export interface AddedModel {
  readonly path: string;
  /** What its maker could do better. */
  readonly notes: readonly string[];
}

/** Checked first, and there as a whole or not at all. Throws BAD_MODEL and DUPLICATE_KEY. */
export async function addModel(from: string, folder: string): Promise<AddedModel> {
  const model = await readModel(from);
  const { manifest } = model;
  const name = `${manifest.name}-${manifest.version}`;
  const path = join(folder, name);
  if (existsSync(path)) {
    throw new TocsinError("DUPLICATE_KEY", `${path} is there already.`, { remedy: "Give the model another version." });
  }
  const notes = await tryModel(model);
  const draft = join(folder, `.${name}`);
  await mkdir(draft, { recursive: true });
  try {
    for (const file of [...MANIFESTS, MODEL_FILE]) {
      if (existsSync(join(from, file))) await cp(join(from, file), join(draft, file));
    }
    await rename(draft, path);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  return { path, notes };
}
