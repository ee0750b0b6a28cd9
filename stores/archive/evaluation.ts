// The settings under which compiled expressions mean the same wherever they run. Used by inflight.ts and by every read of
// enriched/.

/** After SETTINGS, behind a statement that holds texts of filters/compile. */
export const EVALUATION_SETTINGS = [
  // Aliases must not hide the rows' own columns from other expressions.
  "prefer_column_name_to_alias = 1",
  // Machine code for 1,000 filters took 8.7 s to make and is used for one small block.
  "compile_expressions = 0",
  // Planning is nearly all of the cost, and the older planner takes half the time: 0.5 s instead of 1.0 for 1,000 filters.
  "enable_analyzer = 0",
  "short_circuit_function_evaluation = 'disable'",
  // The defaults, 50,000 and 500,000, are reached by some 1,000 filters.
  "max_ast_elements = 1000000",
  "max_expanded_ast_elements = 1000000",
].join(", ");
