// Relay connections out of rows: one row more than asked for tells whether there is a next page. All lists use it.

export interface Connection<Edge> {
  edges: Edge[];
  pageInfo: { hasNextPage: boolean; endCursor: string | null };
}

/** A page of at most `first` edges; `rows` were asked for with first + 1. Without edges it ends at `empty`. */
export function connection<Row, Edge extends { cursor: string }>(
  rows: readonly Row[],
  first: number,
  edge: (row: Row) => Edge,
  empty: string | null = null,
): Connection<Edge> {
  const edges = rows.slice(0, first).map(edge);
  return { edges, pageInfo: { hasNextPage: rows.length > first, endCursor: edges.at(-1)?.cursor ?? empty } };
}
