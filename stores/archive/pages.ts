// How pages are read. Used by every store that has them.

/**
 * Settings of a SELECT ... ORDER BY <the table's order> LIMIT n: read as much as is shown. By default each part of the
 * table is read far ahead into buffers, in blocks of 65,000 rows.
 */
export const STOP_WHEN_FULL = "SETTINGS read_in_order_use_buffering = 0, max_block_size = 4096";

/**
 * Of a page of alerts in the order of time alone: the planner would take one of the table's projections (alerts.orders.ts)
 * where it holds all that is asked for, and sort the whole of it.
 */
export const IN_TIME = `${STOP_WHEN_FULL}, optimize_use_projections = 0`;
