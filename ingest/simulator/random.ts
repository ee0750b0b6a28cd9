// Seeded random numbers: the same seed gives the same sky on every machine. Used by all of ingest/simulator.

export interface Random {
  /** Uniform in [0, 1). */
  uniform(): number;
  between(low: number, high: number): number;
  /** Integer in [0, bound). */
  below(bound: number): number;
  normal(mean: number, sigma: number): number;
  pick<T>(items: readonly T[]): T;
  /** An independent stream that depends on this one's seed and the name only, not on how much was drawn. */
  stream(name: string): Random;
}

/** FNV-1a over the text, 32 bits. */
export function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return h >>> 0;
}

/** Weyl sequence with Murmur3's finaliser: passes what a toy sky needs and is fast. */
export function createRandom(seed: string): Random {
  let state = hash(seed);
  let spare: number | null = null;
  const next = (): number => {
    state = (state + 0x9e3779b9) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    return (z ^ (z >>> 16)) >>> 0;
  };
  const uniform = (): number => (next() * 0x200000 + (next() >>> 11)) / 2 ** 53;
  const between = (low: number, high: number): number => low + (high - low) * uniform();
  const below = (bound: number): number => Math.floor(uniform() * bound);
  return {
    uniform,
    between,
    below,
    /** Polar method of Marsaglia. */
    normal(mean, sigma) {
      if (spare !== null) {
        const value = spare;
        spare = null;
        return mean + sigma * value;
      }
      for (;;) {
        const u = 2 * uniform() - 1;
        const v = 2 * uniform() - 1;
        const s = u * u + v * v;
        if (s > 0 && s < 1) {
          const scale = Math.sqrt((-2 * Math.log(s)) / s);
          spare = v * scale;
          return mean + sigma * u * scale;
        }
      }
    },
    pick: (items) => items[below(items.length)]!,
    stream: (name) => createRandom(`${seed}/${name}`),
  };
}
