// Depth and cost of an operation, variables included, before anything runs. Called for HTTP and WebSocket alike.
import {
  type DocumentNode,
  type FragmentDefinitionNode,
  GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  Kind,
  type SelectionSetNode,
} from "graphql";
import { fieldExtensionsEstimator, getComplexity, simpleEstimator } from "graphql-query-complexity";
import { TocsinError } from "../domain/errors.js";
import { MAX_COST, MAX_DEPTH } from "../schema/cost.js";
import { rootOf } from "./faults.js";

export interface Operation {
  readonly schema: GraphQLSchema;
  /** Validated: no cycles of fragments. */
  readonly document: DocumentNode;
  readonly operationName?: string | null | undefined;
  readonly variableValues?: { readonly [variable: string]: unknown } | null | undefined;
}

/** Its cost. Throws QUERY_TOO_DEEP, QUERY_TOO_COMPLEX, or BAD_ARGUMENT where a variable does not fit its type. */
export function checkOperation({ schema, document, operationName, variableValues }: Operation): number {
  const operation = getOperationAST(document, operationName);
  if (operation == null) return 0; // the executor says what is wrong
  const depth = depthOf(operation.selectionSet, document);
  if (depth > MAX_DEPTH) {
    throw new TocsinError("QUERY_TOO_DEEP", `The query nests ${depth} levels deep; at most ${MAX_DEPTH} are allowed.`);
  }
  const cost = costOf(schema, document, operationName, variableValues);
  if (cost > MAX_COST) {
    const message = `The query costs ${Math.ceil(cost)} units; at most ${MAX_COST} are allowed.`;
    throw new TocsinError("QUERY_TOO_COMPLEX", message, { details: { cost: Math.ceil(cost), maxCost: MAX_COST } });
  }
  return Math.ceil(cost);
}

function costOf(
  schema: GraphQLSchema,
  query: DocumentNode,
  operationName: string | null | undefined,
  variables: Operation["variableValues"],
): number {
  try {
    return getComplexity({
      schema,
      query,
      ...(operationName != null && { operationName }),
      variables: { ...variables },
      estimators: [fieldExtensionsEstimator(), simpleEstimator({ defaultComplexity: 1 })],
    });
  } catch (error) {
    if (!(error instanceof GraphQLError)) throw error;
    // The library stops where fragments unfold to more than 10,000 fields.
    if (/maximum allowed number of nodes/.test(error.message)) {
      throw new TocsinError("QUERY_TOO_COMPLEX", "The query's fragments unfold to more than 10,000 fields.");
    }
    const cause = rootOf(error);
    const remedy = cause instanceof TocsinError ? { remedy: cause.remedy } : {};
    throw new TocsinError("BAD_ARGUMENT", error.message, { ...remedy, cause: error });
  }
}

/** Levels of fields; each fragment is measured once. Introspection is not counted: graphql bounds its depth itself. */
function depthOf(root: SelectionSetNode, document: DocumentNode): number {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const node of document.definitions) {
    if (node.kind === Kind.FRAGMENT_DEFINITION) fragments.set(node.name.value, node);
  }
  const measured = new Map<string, number>();

  function depth(set: SelectionSetNode | undefined): number {
    let deepest = 0;
    for (const selection of set?.selections ?? []) {
      if (selection.kind === Kind.FIELD) {
        if (!selection.name.value.startsWith("__")) deepest = Math.max(deepest, 1 + depth(selection.selectionSet));
      } else if (selection.kind === Kind.INLINE_FRAGMENT) {
        deepest = Math.max(deepest, depth(selection.selectionSet));
      } else {
        deepest = Math.max(deepest, ofFragment(selection.name.value));
      }
    }
    return deepest;
  }
  function ofFragment(name: string): number {
    let levels = measured.get(name);
    if (levels === undefined) {
      levels = depth(fragments.get(name)?.selectionSet);
      measured.set(name, levels);
    }
    return levels;
  }
  return depth(root);
}
