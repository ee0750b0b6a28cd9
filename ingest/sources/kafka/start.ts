// Where to begin in a topic: its beginning, its end, or a time. Called by cli/kafka.settings.ts, bookmarks.ts and source.ts.

/** `time` in epoch milliseconds: the first message at or after it. */
export type Start =
  | { readonly at: "earliest" }
  | { readonly at: "latest" }
  | { readonly at: "time"; readonly time: number };

const AGO = /^(\d+(?:\.\d+)?)\s*(m|h|d)$/;
const MS_PER = { m: 60_000, h: 3_600_000, d: 86_400_000 };
/** A date, or date and time; without zone it is UTC. */
const ISO = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})?)?$/;

/** "earliest", "latest", "2023-10-12T03:00:00Z", or how long before `now`: "90m", "6h", "2d". Null for anything else. */
export function parseStart(text: string, now: number): Start | null {
  if (text === "earliest" || text === "latest") return { at: text };
  const ago = AGO.exec(text);
  if (ago !== null) {
    const time = now - Number(ago[1]) * MS_PER[ago[2] as keyof typeof MS_PER];
    return { at: "time", time: Math.max(0, Math.round(time)) };
  }
  const iso = ISO.exec(text);
  if (iso === null) return null;
  const time = Date.parse(iso[1] !== undefined && iso[4] === undefined ? `${text}Z` : text);
  return Number.isNaN(time) || time < 0 ? null : { at: "time", time };
}
