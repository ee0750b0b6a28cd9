// What the server tells of every GraphQL operation, for metrics and traces: never its text, its variables or its caller.
// Told by apollo.ts and websocket.ts, heard by cli/watching.ts.
import type { OperationTypeNode } from "graphql";

/** "unknown" where the operation could not be read or was turned away before that. */
export type OperationKind = `${OperationTypeNode}` | "unknown";
/** OK, or the code of the first error. */
export type Outcome = string;
/** Only its first call counts. A subscription has ended here when it has begun. */
export type OperationEnd = (kind: OperationKind, outcome: Outcome) => void;

export interface OperationWatch {
  began(transport: "http" | "websocket"): OperationEnd;
}

export const unwatched: OperationWatch = { began: () => () => {} };

/** Of errors as callers see them. */
export function outcomeOf(errors: readonly { readonly extensions?: Record<string, unknown> }[] | undefined): Outcome {
  const [first] = errors ?? [];
  return first === undefined ? "OK" : String(first.extensions?.code ?? "INTERNAL");
}
