// Where the writer schema of a framed packet is looked up: the registry and folder of the settings, then the folders
// beside the packet's file. Called by intake.ts, replays.ts and writing.ts.
import { dirname } from "node:path";
import { type SchemaById, type SchemaLookup, schemaLookup } from "../ingest/avro/confluent.js";
import { schemasInRegistry } from "../ingest/avro/registry.js";
import { schemasInFolder } from "../ingest/avro/schemafolder.js";
import type { Settings } from "./settings.js";

/** A lookup for each file, sharing what was read before. */
export function schemasNear(settings: Settings): (path: string) => SchemaLookup {
  const folders = new Map<string, SchemaById>();
  const inFolder = (folder: string): SchemaById => {
    const schemas = folders.get(folder) ?? schemasInFolder(folder);
    folders.set(folder, schemas);
    return schemas;
  };
  const first = ofSettings(settings);
  return (path) => inTurn([...first, ...[dirname(path), dirname(dirname(path))].map(inFolder)]);
}

/** The lookup for what comes from no file. */
export const schemasOfSettings = (settings: Settings): SchemaLookup => inTurn(ofSettings(settings));

function ofSettings({ SCHEMA_DIR, SCHEMA_REGISTRY_URL }: Settings): readonly SchemaById[] {
  const folder = SCHEMA_DIR === undefined ? undefined : schemasInFolder(SCHEMA_DIR);
  if (SCHEMA_REGISTRY_URL !== undefined) return [schemasInRegistry(SCHEMA_REGISTRY_URL, folder)];
  return folder === undefined ? [] : [folder];
}

function inTurn(all: readonly SchemaById[]): SchemaLookup {
  return schemaLookup(async (id) => {
    for (const schemas of all) {
      const schema = await schemas(id);
      if (schema !== null) return schema;
    }
    return null;
  });
}
