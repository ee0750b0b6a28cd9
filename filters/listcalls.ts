// Checks of the list functions: has, every, count, min, max, mean, sum, first, last, nearest. Called by checker.ts.
import { isListFunction, LIST_FUNCTIONS, type ListSignature, SCALAR_INSTEAD } from "./functions.js";
import { type Checking, made, type Part } from "./part.js";
import type { Scope } from "./scope.js";
import type { Node } from "./syntax.js";
import type { ListFunctionName, Typed } from "./typed.js";

/** null where there are problems, which are then noted. */
export function checkListCall(
  node: Node & { kind: "call"; name: ListFunctionName },
  checking: Checking,
  scope: Scope,
): Part | null {
  const { name, args } = node;
  const signature = LIST_FUNCTIONS[name];
  const [first] = args;
  const list = first && scope.list(first);
  if (first && !list) {
    return Object.hasOwn(SCALAR_INSTEAD, name) && (first.kind !== "name" || !first.name.includes("."))
      ? checking.problem(
          first,
          `${name} is of a list such as detections; of single values take ${SCALAR_INSTEAD[name]}`,
        )
      : scope.noList(first, name);
  }
  const least = 1 + (signature.value === null ? 0 : 1) + (signature.condition === "required" ? 1 : 0);
  const most = signature.value === null ? 2 : 3;
  if (!list || args.length < least || args.length > most) {
    const count = `${args.length} argument${args.length === 1 ? "" : "s"}`;
    return checking.problem(node, `${name} was given ${count}; write ${signature.usage}`);
  }
  if (signature.order !== null && list.order !== signature.order) {
    const inOrder = list.order === "time" ? "by time; write first or last" : "nearest first; write nearest";
    return checking.problem(node, `${list.name} is ordered ${inOrder} instead of ${name}`);
  }
  if (scope.tooDeep(1)) {
    return scope.nestedTooDeep(node);
  }
  const [valueNode, conditionNode] = signature.value === null ? [undefined, args[1]] : [args[1], args[2]];
  const { value, condition } = checking.inside(list, () => ({
    value: valueNode && checkValue(valueNode, name, signature, checking),
    condition: conditionNode && checking.ofKind(conditionNode, "truth", name),
  }));
  if (value === null || condition === null) {
    return null;
  }
  if (!value && !condition) {
    scope.fieldsRead.add(list.name);
  }
  const typed: Typed = {
    op: "list",
    kind: signature.result === "same" ? value!.typed.kind : signature.result,
    name,
    list,
    value: value?.typed ?? null,
    condition: condition?.typed ?? null,
  };
  if (scope.depth === 0) {
    scope.read(node, typed);
  }
  return { ...made(node, typed, `${name}(...)`), unit: value?.unit ?? null };
}

function checkValue(node: Node, name: string, signature: ListSignature, checking: Checking): Part | null {
  return signature.value === "any" ? checking.part(node) : checking.ofKind(node, "number", name);
}

export function isListCall(node: Node & { kind: "call" }): node is Node & { kind: "call"; name: ListFunctionName } {
  return isListFunction(node.name);
}
