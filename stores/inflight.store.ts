// Expressions over rows that are not stored: how the live stream runs filters. Implemented by stores/archive.
import type { Block } from "../domain/columns.js";

/** A compiled expression; the text comes from filters/compile only, never from a user. */
export interface CompiledColumn {
  readonly alias: string;
  readonly sql: string;
}

export interface InFlightQuery {
  /**
   * SELECT the columns over the block's rows, in the order of the rows. The block is sent with the query and nothing is
   * stored.
   */
  select(block: Block, columns: readonly CompiledColumn[]): Promise<Block>;
}
