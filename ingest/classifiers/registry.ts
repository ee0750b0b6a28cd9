// The models that are there and how they stand: folders that are looked at while the service runs. Made by cli/, asked by
// ingest/enrich/scores.ts and by the API.
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import pLimit from "p-limit";
import type { Model, ModelState } from "../../domain/classifier.js";
import { TocsinError } from "../../domain/errors.js";
import type { OperandSource, Operands } from "../../domain/operand.js";
import type { Survey } from "../../domain/survey.js";
import type { Models } from "../../stores/scores.store.js";
import { MANIFESTS, MODEL_FILE, type ModelFolder, readModel } from "./folder.js";
import { elementFields } from "./inputs.js";
import { type Manifest, outputNames } from "./manifest.js";
import { type BatchTime, Pace } from "./pace.js";
import { modelKey, readStates, type States, withState, writeStates } from "./states.js";

const LOOK_MS = 2_000;
/** A model that fails so often in a row is let be until somebody sets its state again. */
const MOST_FAULTS = 3;

/** A model that is to see alerts. */
export interface RunningModel extends ModelFolder {
  readonly key: string;
  readonly shadow: boolean;
}

export interface ModelRegistry extends Models, OperandSource {
  running(survey: Survey): readonly RunningModel[];
  /** The columns of lists that these read, as `detections.flux`: whoever makes the lists need not make others. */
  wantedLists(survey: Survey): ReadonlySet<string>;
  /** Of a model whose state says that it runs: why it does not. */
  suspended(key: string): string | null;
  /** A whole batch failed, or went well in that time. */
  failed(key: string, why: string): void;
  succeeded(key: string, time: BatchTime): void;
  /** Seconds that each model usually takes for a batch, by its key. */
  paces(): ReadonlyMap<string, number>;
  /** Look at the folders now. */
  refresh(): Promise<void>;
  close(): void;
}

export interface RegistryOptions {
  /** Folders of models, each a folder of its own; of the same name and version the later folder's counts. The last one holds the states. */
  readonly folders: readonly string[];
  readonly log: (line: string) => void;
}

export async function createModelRegistry({ folders, log }: RegistryOptions): Promise<ModelRegistry> {
  const own = folders.at(-1)!;
  const oneByOne = pLimit(1);
  const listeners = new Set<() => void>();
  const suspensions = new Map<string, string>();
  const faults = new Map<string, number>();
  const paces = new Map<string, Pace>();
  /** By folder: what was read of it, while its files stay as they are. */
  let read = new Map<string, Read>();
  let models: readonly Standing[] = [];
  let shown = "";

  async function look(): Promise<void> {
    const now = new Map<string, Read>();
    for (const folder of folders) {
      for (const path of await modelFolders(folder)) {
        const signature = await signatureOf(path);
        const known = read.get(path);
        now.set(path, known?.signature === signature ? known : { signature, ...(await tryRead(path)) });
      }
    }
    read = now;
    stand(await readStates(own));
  }

  function stand(states: States): void {
    const byKey = new Map<string, ModelFolder>();
    for (const { model } of read.values()) if (model !== null) byKey.set(modelKey(model.manifest), model);
    models = standing(byKey, states);
    const picture = JSON.stringify(models.map(({ key, state, manifest }) => [key, state, manifest]));
    if (picture === shown) return;
    shown = picture;
    for (const listener of listeners) listener();
  }

  async function tryRead(path: string): Promise<Omit<Read, "signature">> {
    try {
      return { model: await readModel(path) };
    } catch (error) {
      log((error as Error).message);
      return { model: null };
    }
  }

  /** A folder that cannot be read for now leaves everything as it stands. */
  const refresh = (): Promise<void> =>
    oneByOne(async () => {
      try {
        await look();
      } catch (error) {
        log(`The models were not looked at: ${(error as Error).message}`);
      }
    });

  await oneByOne(look);
  const timer = setInterval(() => void refresh(), LOOK_MS).unref();

  const shownModel = ({ manifest, key, state }: Standing): Model => ({
    name: manifest.name,
    version: manifest.version,
    licence: manifest.licence,
    description: manifest.description,
    trainedOn: manifest.trainedOn,
    quality: manifest.quality,
    surveys: manifest.surveys,
    outputs: outputNames(manifest),
    classes: manifest.class?.of ?? [],
    sha256: manifest.sha256,
    state,
    suspended: suspensions.get(key) ?? null,
    slow: paces.get(key)?.slow ?? null,
  });

  const running = (survey: Survey): RunningModel[] =>
    models
      .filter(({ state, manifest }) => state !== "retired" && manifest.surveys.includes(survey))
      .map(({ manifest, file, key, state }) => ({ manifest, file, key, shadow: state === "shadow" }));

  return {
    list: () => models.map(shownModel),
    running,
    wantedLists: (survey) => new Set(running(survey).flatMap(({ manifest }) => listColumns(manifest))),
    operands: (survey) => {
      const active = models.filter(({ state, manifest }) => state === "active" && manifest.surveys.includes(survey));
      return { values: active.flatMap(({ manifest }) => operandsOf(manifest)), lists: [] };
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    setState: (name, version, state) =>
      oneByOne(async () => {
        await look();
        const chosen = { name, version, state };
        const key = modelKey(chosen);
        if (!models.some((model) => model.key === key)) {
          throw new TocsinError("UNKNOWN_MODEL", `There is no version ${version} of a model ${name}.`);
        }
        const versions = models.map(({ manifest, state }) => ({ ...manifest, state }));
        const states = withState(await readStates(own), versions, chosen);
        await writeStates(own, states);
        suspensions.delete(key);
        faults.delete(key);
        paces.delete(key);
        stand(states);
        return shownModel(models.find((model) => model.key === key)!);
      }),
    suspended: (key) => suspensions.get(key) ?? null,
    failed(key, why) {
      const count = (faults.get(key) ?? 0) + 1;
      faults.set(key, count);
      if (count < MOST_FAULTS || suspensions.has(key)) return;
      suspensions.set(key, why);
      log(`The model ${key} has failed ${count} times in a row and runs no more until its state is set: ${why}.`);
    },
    succeeded(key, time) {
      faults.delete(key);
      const pace = paces.get(key) ?? new Pace();
      paces.set(key, pace);
      const wasSlow = pace.slow !== null;
      pace.took(time);
      if (pace.slow !== null && !wasSlow) log(`The model ${key} holds up the stream. ${pace.slow}`);
    },
    paces: () => new Map([...paces].map(([key, pace]) => [key, pace.seconds])),
    refresh,
    close: () => clearInterval(timer),
  };
}

interface Read {
  readonly signature: string;
  /** null where it is none. */
  readonly model: ModelFolder | null;
}

interface Standing extends ModelFolder {
  readonly key: string;
  readonly state: ModelState;
}

/** By name and version. Of several versions of a name that would be active, the one that somebody chose, else the last. */
function standing(byKey: ReadonlyMap<string, ModelFolder>, states: States): Standing[] {
  const all = [...byKey]
    .map(([key, model]) => ({ ...model, key, state: states[key] ?? model.manifest.state }))
    .sort((a, b) => (a.key < b.key ? -1 : 1));
  return all.map((model) => {
    const rivals = all.filter(({ manifest, state }) => manifest.name === model.manifest.name && state === "active");
    const first = rivals.find(({ key }) => states[key] === "active") ?? rivals.at(-1);
    return model.state === "active" && first !== model ? { ...model, state: "retired" } : model;
  });
}

function operandsOf(manifest: Manifest): Operands["values"] {
  const { name, version, description } = manifest;
  const scores = outputNames(manifest).map((output) => ({
    name: `score.${name}.${output}`,
    type: "Float32" as const,
    nullable: true,
    unit: null,
    description: `Output ${output} of ${name} ${version}. ${description}`,
  }));
  if (manifest.class === undefined) return scores;
  const { of, threshold } = manifest.class;
  const classes = `${of.join(", ")}; missing where none reaches ${threshold}`;
  const said = `Class by ${name} ${version}: ${classes}. ${description}`;
  return [...scores, { name: `class.${name}`, type: "String", nullable: true, unit: null, description: said }];
}

const listColumns = ({ inputs }: Manifest): string[] =>
  inputs
    .filter((input) => input.kind === "list")
    .flatMap((input) => input.lists.flatMap((list) => elementFields(input).map((field) => `${list}.${field}`)));

/** Hidden ones are being copied. */
async function modelFolders(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    const paths = entries
      .filter((entry) => entry.isDirectory() && !entry.name.startsWith("."))
      .map(({ name }) => join(folder, name))
      .sort();
    const found = await Promise.all(paths.map(async (path) => ((await hasManifest(path)) ? [path] : [])));
    return found.flat();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

const hasManifest = async (path: string): Promise<boolean> =>
  (await readdir(path)).some((name) => (MANIFESTS as readonly string[]).includes(name));

/** Times and sizes of its files. */
async function signatureOf(path: string): Promise<string> {
  const parts = await Promise.all(
    [...MANIFESTS, MODEL_FILE].map(async (name) => {
      const found = await stat(join(path, name)).catch(() => null);
      return found === null ? "-" : `${found.mtimeMs} ${found.size}`;
    }),
  );
  return parts.join(" ");
}
