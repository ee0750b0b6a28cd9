// What is costly to ask is asked once in a while, by one at a time. Used by watching.ts.

/** The last answer for `forMs`; whoever asks while it is asked for waits for the same. A failure is not remembered. */
export function remembered<T>(ask: () => Promise<T>, forMs: number): () => Promise<T> {
  let answer: { readonly value: T; readonly at: number } | null = null;
  let asking: Promise<T> | null = null;
  return async () => {
    if (answer !== null && performance.now() - answer.at < forMs) return answer.value;
    asking ??= ask()
      .then((value) => {
        answer = { value, at: performance.now() };
        return value;
      })
      .finally(() => {
        asking = null;
      });
    return asking;
  };
}
