// Rows of a page, in numbers alone: read where decorators are not loaded. Used by pageinfo.type.ts, costs and loaders.
export const DEFAULT_PAGE = 100;
export const MAX_PAGE = 1_000;
