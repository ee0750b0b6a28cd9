// A model's folder on disk: manifest.json or manifest.yaml and model.onnx, which must be what the manifest says. Called by
// registry.ts and by cli/models.ts before it copies one.
import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "yaml";
import { TocsinError } from "../../domain/errors.js";
import { type Manifest, manifestSchema } from "./manifest.js";

export const MODEL_FILE = "model.onnx";
export const MANIFESTS = ["manifest.json", "manifest.yaml"] as const;

const MAX_MANIFEST_BYTES = 1024 * 1024;
/** Weights of a large network; what is beyond is no classifier of alerts. */
const MAX_MODEL_BYTES = 1024 * 1024 * 1024;

/** Where a tensor of an ONNX file names the file that has its values: TensorProto.external_data, key "location". */
const EXTERNAL = "\n\x08location\x12";

export interface ModelFolder {
  readonly manifest: Manifest;
  /** Path of the ONNX file. */
  readonly file: string;
}

const bad = (folder: string, why: string) => new TocsinError("BAD_MODEL", `${folder} is no model: ${why}.`);

/** Throws BAD_MODEL, which says what is wrong. */
export async function readModel(folder: string): Promise<ModelFolder> {
  const manifest = checked(folder, await manifestText(folder));
  const file = join(folder, MODEL_FILE);
  const size = await sizeOf(file);
  if (size === null) throw bad(folder, `it has no ${MODEL_FILE}`);
  if (size > MAX_MODEL_BYTES) throw bad(folder, `${MODEL_FILE} has ${size} bytes, more than ${MAX_MODEL_BYTES}`);
  const model = await readFile(file);
  const sha256 = createHash("sha256").update(model).digest("hex");
  if (sha256 !== manifest.sha256) {
    throw bad(folder, `the SHA-256 of ${MODEL_FILE} is ${sha256}, its manifest says ${manifest.sha256}`);
  }
  if (model.includes(EXTERNAL)) {
    throw bad(
      folder,
      `weights of ${MODEL_FILE} lie in other files, which its SHA-256 does not cover; save it as one file`,
    );
  }
  return { manifest, file };
}

async function manifestText(folder: string): Promise<string> {
  for (const name of MANIFESTS) {
    const path = join(folder, name);
    const size = await sizeOf(path);
    if (size === null) continue;
    if (size > MAX_MANIFEST_BYTES) throw bad(folder, `${name} has ${size} bytes, more than ${MAX_MANIFEST_BYTES}`);
    return readFile(path, "utf8");
  }
  throw bad(folder, `it has no ${MANIFESTS.join(" or ")}`);
}

/** JSON is YAML, so one reader does for both. */
function checked(folder: string, text: string): Manifest {
  let value: unknown;
  try {
    value = parse(text, { maxAliasCount: 0 });
  } catch (error) {
    throw bad(folder, `its manifest does not parse (${(error as Error).message.split("\n")[0]})`);
  }
  const result = manifestSchema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  throw bad(folder, `its manifest's ${issue.path.join(".") || "value"}: ${issue.message}`);
}

async function sizeOf(path: string): Promise<number | null> {
  try {
    const found = await stat(path);
    return found.isFile() ? found.size : null;
  } catch {
    return null;
  }
}
