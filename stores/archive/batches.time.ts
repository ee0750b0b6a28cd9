// When a batch began, which its id tells. Used by stores that show when something was made.

/** Epoch milliseconds: batches.ts makes ids of them. */
export const begunAt = (batch: bigint): number => Number(batch >> 20n);
