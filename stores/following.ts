// What other processes change in an engine that they share, looked for again and again. Used by the stores that follow it.

/**
 * Looks at once, and again `everyMs` after each look has ended; a look that fails is one more, since nobody changes anything
 * while the engine is away. The function ends it.
 */
export function following(look: () => Promise<unknown>, everyMs: number): () => void {
  let timer: NodeJS.Timeout | null = null;
  let ended = false;
  const again = async (): Promise<void> => {
    await look().catch(() => {});
    if (!ended) timer = setTimeout(again, everyMs).unref();
  };
  void again();
  return () => {
    ended = true;
    if (timer !== null) clearTimeout(timer);
  };
}
