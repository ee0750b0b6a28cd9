// The stores that live in the graph, over either engine. Called by cli/ and tests.
import type { FilterStore } from "../filters.store.js";
import type { LinkStore } from "../links.store.js";
import type { SourceLinkStore } from "../sources.store.js";
import { createFilterStore } from "./filters.js";
import type { Graph } from "./graph.js";
import { refuseUnfinished } from "./import.js";
import { createLinkStore } from "./links.js";
import { createSourceLinkStore } from "./sources.js";

export interface GraphStores {
  readonly filters: FilterStore;
  readonly links: LinkStore;
  readonly sources: SourceLinkStore;
}

/** Brings the graph's schema up to date first. IMPORT_UNFINISHED where an import was interrupted. The caller closes the graph. */
export async function createGraphStores(graph: Graph): Promise<GraphStores> {
  await graph.migrate();
  await refuseUnfinished(graph);
  return { filters: createFilterStore(graph), links: createLinkStore(graph), sources: createSourceLinkStore(graph) };
}
