// All of a connection of the API, page by page. For tests and benchmarks.
import { ask } from "./service.js";

interface Page<T> {
  edges: { node: T }[];
  pageInfo: { hasNextPage: boolean; endCursor: string | null };
}
/** Every node of a connection, page by page. */
export async function every<T>(
  url: string,
  field: string,
  argumentsText: string,
  fields: string,
  variables = {},
): Promise<T[]> {
  const nodes: T[] = [];
  for (let after: string | null = null; ; ) {
    const types = Object.keys(variables).length > 0 ? "$ids: [ID!]!, " : "";
    const query = `query (${types}$after: String) { ${field}(${argumentsText} first: 1000, after: $after) {
      edges { node { ${fields} } } pageInfo { hasNextPage endCursor } } }`;
    const page: Record<string, Page<T>> = await ask(url, query, { ...variables, after });
    const { edges, pageInfo } = page[field]!;
    nodes.push(...edges.map(({ node }) => node));
    if (!pageInfo.hasNextPage) return nodes;
    after = pageInfo.endCursor;
  }
}
