// Parsed and validated documents, kept by their text: a thousand subscribers send the same one. Used by websocket.ts.
import { createHash } from "node:crypto";
import {
  type DocumentNode,
  GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  Kind,
  parse,
  specifiedRules,
  type ValidationRule,
  validate,
  visit,
} from "graphql";
import { LRUCache } from "lru-cache";

const KEPT = 500;

export interface PreparedDocument {
  readonly document: DocumentNode;
  /** Same text, same digest. */
  readonly digest: string;
}

export interface Documents {
  /** The document, or why it cannot be run. */
  prepare(text: string): PreparedDocument | readonly GraphQLError[];
}

export function createDocuments(
  schema: GraphQLSchema,
  { maxTokens, rules = [] }: { maxTokens: number; rules?: readonly ValidationRule[] },
): Documents {
  const kept = new LRUCache<string, PreparedDocument | readonly GraphQLError[]>({ max: KEPT });
  function read(text: string, digest: string): PreparedDocument | readonly GraphQLError[] {
    try {
      const document = parse(text, { maxTokens });
      const errors = validate(schema, document, [...specifiedRules, ...rules]);
      return errors.length > 0 ? errors : { document, digest };
    } catch (error) {
      if (error instanceof GraphQLError) return [error];
      throw error;
    }
  }
  return {
    prepare(text) {
      const digest = createHash("sha256").update(text).digest("base64");
      let prepared = kept.get(digest);
      if (prepared === undefined) {
        prepared = read(text, digest);
        kept.set(digest, prepared);
      }
      return prepared;
    },
  };
}

/**
 * The variable that gives the root field's argument `after` and nothing else; null where there is none. Subscribers
 * that differ only by it get the same hits in the same form.
 */
export function cursorVariable(document: DocumentNode, operationName: string | null | undefined): string | null {
  const operation = getOperationAST(document, operationName);
  const root = operation?.selectionSet.selections[0];
  const after =
    root?.kind === Kind.FIELD ? root.arguments?.find((argument) => argument.name.value === "after")?.value : undefined;
  if (after?.kind !== Kind.VARIABLE) return null;
  let uses = 0;
  visit(document, {
    Variable(node) {
      if (node.name.value === after.name.value) uses += 1;
    },
  });
  return uses === 2 ? after.name.value : null; // where it is declared, and there
}
