// Where the writer schema of a framed packet is looked up: the registry and folder of the settings, then the folders
// beside the packet's file. Called by cli/service.ts.
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
  const ofSettings = settings.SCHEMA_DIR === undefined ? undefined : inFolder(settings.SCHEMA_DIR);
  const first =
    settings.SCHEMA_REGISTRY_URL === undefined
      ? ofSettings
      : schemasInRegistry(settings.SCHEMA_REGISTRY_URL, ofSettings);

  return (path) => {
    const beside = [dirname(path), dirname(dirname(path))].map(inFolder);
    return schemaLookup(async (id) => {
      for (const schemas of first === undefined ? beside : [first, ...beside]) {
        const schema = await schemas(id);
        if (schema !== null) return schema;
      }
      return null;
    });
  };
}
