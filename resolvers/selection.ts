// Which fields of an answer are asked for: what nobody wants need not be read. Used where one field is dear.
import type { GraphQLResolveInfo, SelectionSetNode } from "graphql";

/** Whether any of these fields of the field being resolved is selected, in whichever fragment. */
export function selects({ fieldNodes, fragments }: GraphQLResolveInfo, ...names: string[]): boolean {
  const within = (set: SelectionSetNode | undefined): boolean =>
    set?.selections.some((selection) => {
      if (selection.kind === "Field") return names.includes(selection.name.value);
      if (selection.kind === "InlineFragment") return within(selection.selectionSet);
      return within(fragments[selection.name.value]?.selectionSet);
    }) ?? false;
  return fieldNodes.some((node) => within(node.selectionSet));
}
