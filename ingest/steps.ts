// Names and versions of the steps that change what is stored of an alert. Raise a version with every change of a step's
// results: each alert's batch names the versions that made it. Read by ingest/pipeline.ts.
export const STEP_VERSIONS: Readonly<Record<string, string>> = {
  normalise: "1",
  class: "1",
  counterparts: "1",
};
