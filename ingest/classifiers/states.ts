// Which state somebody chose for each version of each model: a small file in MODELS_DIR, read by every process that looks
// there. Called by registry.ts and cli/models.ts.
import { randomUUID } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { MODEL_STATES, type ModelState } from "../../domain/classifier.js";
import { TocsinError } from "../../domain/errors.js";

const FILE = "states.json";
const shape = z.record(z.string(), z.enum(MODEL_STATES));

/** By modelKey. */
export type States = Readonly<Record<string, ModelState>>;

export const modelKey = ({ name, version }: { readonly name: string; readonly version: string }): string =>
  `${name} ${version}`;

/** Empty where nobody has chosen anything yet. Throws BAD_MODEL where the file is damaged. */
export async function readStates(folder: string): Promise<States> {
  let text: string;
  try {
    text = await readFile(join(folder, FILE), "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return {};
    throw error;
  }
  const result = shape.safeParse(parsed(text));
  if (result.success) return result.data;
  throw new TocsinError("BAD_MODEL", `${join(folder, FILE)} does not hold the models' states.`, {
    remedy: "Remove it: then every model has the state that its manifest names.",
  });
}

/** As a whole or not at all. */
export async function writeStates(folder: string, states: States): Promise<void> {
  await mkdir(folder, { recursive: true });
  const draft = join(folder, `.${FILE}.${randomUUID()}`);
  await writeFile(draft, `${JSON.stringify(states, null, 2)}\n`);
  await rename(draft, join(folder, FILE));
}

/** A version that becomes active takes the place of the one that was: a name has one active version. */
export function withState(
  states: States,
  versions: readonly { readonly name: string; readonly version: string; readonly state: ModelState }[],
  chosen: { readonly name: string; readonly version: string; readonly state: ModelState },
): States {
  const others = versions.filter(
    ({ name, version, state }) =>
      chosen.state === "active" && name === chosen.name && version !== chosen.version && state === "active",
  );
  const retired = Object.fromEntries(others.map((other) => [modelKey(other), "retired" as const]));
  return { ...states, ...retired, [modelKey(chosen)]: chosen.state };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
