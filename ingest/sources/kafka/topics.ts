// Which topics are read: names and patterns of the setting KAFKA_TOPICS. Called by source.ts and cli/kafka.settings.ts.

export interface TopicChoice {
  /** Names that are asked for as such; the topics need not exist yet. */
  readonly names: readonly string[];
  readonly patterns: readonly RegExp[];
}

/** What Kafka allows in a topic's name. */
const NAME = /^[A-Za-z0-9._-]{1,249}$/;
const MAX_PATTERN = 500;

/**
 * "ztf_nightly, /ztf_\d{8}_programid1/": a pattern stands between slashes, must fit the whole name and may hold commas.
 * Throws an Error that says which part cannot be used.
 */
export function parseTopics(text: string): TopicChoice {
  const names: string[] = [];
  const patterns: RegExp[] = [];
  let rest = text.trim();
  while (rest !== "") {
    const [part] = /^\/.*?\/(?=\s*(,|$))|^[^,]*/.exec(rest)!;
    rest = rest.slice(part.length).replace(/^\s*,?\s*/, "");
    const trimmed = part.trim();
    if (trimmed === "") continue;
    if (trimmed.startsWith("/")) patterns.push(patternOf(trimmed));
    else if (NAME.test(trimmed) && trimmed !== "." && trimmed !== "..") names.push(trimmed);
    else throw new Error(`"${trimmed}" is no name of a topic; a pattern stands between slashes`);
  }
  return { names: [...new Set(names)], patterns };
}

function patternOf(text: string): RegExp {
  if (text.length < 3 || !text.endsWith("/")) throw new Error(`the pattern ${text} does not end with a slash`);
  if (text.length > MAX_PATTERN) throw new Error(`a pattern is longer than ${MAX_PATTERN} characters`);
  try {
    return new RegExp(`^(?:${text.slice(1, -1)})$`);
  } catch (error) {
    throw new Error(`${text} is no pattern (${(error as Error).message})`);
  }
}

/** Those of the cluster's topics that are chosen, in alphabetical order. Kafka's own (__…) only by their exact names. */
export function chosenTopics({ names, patterns }: TopicChoice, existing: readonly string[]): string[] {
  const fits = (topic: string) => !topic.startsWith("__") && patterns.some((pattern) => pattern.test(topic));
  return existing.filter((topic) => names.includes(topic) || fits(topic)).sort();
}
