// Text of an expression -> tokens with places. Called by the parser only.
import { type Place, problemAt, quoteForMessage, SyntaxProblem } from "./problem.js";

const MAX_CHARACTERS = 10_000;

export type Keyword = "and" | "or" | "not" | "between" | "in" | "is" | "null" | "true" | "false";
const KEYWORDS: ReadonlySet<string> = new Set<Keyword>([
  "and",
  "or",
  "not",
  "between",
  "in",
  "is",
  "null",
  "true",
  "false",
]);

/** `text` is the token as written; of a string, what stands between its quotes with '' made one quote. */
export interface Token extends Place {
  readonly kind: "name" | "keyword" | "number" | "string" | "symbol" | "end";
  readonly text: string;
}

/** What people write out of habit from other languages, and what is right here. */
const FOREIGN: Readonly<Record<string, string>> = {
  "==": "equality is a single =",
  "<>": "unequal is !=",
  "&&": "write and",
  "||": "write or",
  "!": "write not, or != for unequal",
  "&": "write and",
  "|": "write or",
  '"': "text stands in single quotes: 'like this'",
  "`": "names stand without quotes",
  "/*": "a comment is -- to the end of its line",
  "//": "a comment is -- to the end of its line",
  "#": "a comment is -- to the end of its line",
  "**": "write pow(a, b)",
  "^": "write pow(a, b)",
  "%": "there is no remainder operator; a - b * floor(a / b) is one",
};

// One alternative per token, tried in this order at each position.
const TOKEN =
  /(?<space>[ \t\r\n\f\u00a0\ufeff]+|--[^\n\r]*)|(?<name>[A-Za-z_]\w*(?:\.\w+)*)|(?<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?<string>'(?:[^']|'')*')|(?<foreign>==|<>|&&|\|\||\*\*|\/\*|\/\/|!(?!=)|[&|"`#^%])|(?<symbol>!=|<=|>=|[-=<>+*/(),;])/y;

export function tokenize(text: string): Token[] {
  if (text.length > MAX_CHARACTERS) {
    throw new SyntaxProblem({
      message: `the expression has ${text.length} characters; at most ${MAX_CHARACTERS} are allowed`,
      start: 0,
      end: 0,
      line: 1,
      column: 1,
    });
  }
  const places = new Places(text);
  const tokens: Token[] = [];
  const pattern = new RegExp(TOKEN);
  let at = 0;
  while (at < text.length) {
    pattern.lastIndex = at;
    const groups = pattern.exec(text)?.groups;
    if (!groups) {
      throw unreadable(text, places, at);
    }
    const end = pattern.lastIndex;
    if (groups.space === undefined) {
      tokens.push(token(groups, places.place(at, end)));
    }
    at = end;
  }
  tokens.push({ kind: "end", text: "", ...places.place(text.length, text.length) });
  return tokens;
}

function token(groups: Record<string, string | undefined>, place: Place): Token {
  if (groups.name !== undefined) {
    const lower = groups.name.toLowerCase();
    return KEYWORDS.has(lower)
      ? { kind: "keyword", text: lower, ...place }
      : { kind: "name", text: groups.name, ...place };
  }
  if (groups.number !== undefined) {
    return { kind: "number", text: groups.number, ...place };
  }
  if (groups.string !== undefined) {
    return { kind: "string", text: stringValue(groups.string, place), ...place };
  }
  if (groups.foreign !== undefined) {
    throw new SyntaxProblem(problemAt(place, `found ${groups.foreign}; ${FOREIGN[groups.foreign]}`));
  }
  return { kind: "symbol", text: groups.symbol!, ...place };
}

function stringValue(quoted: string, place: Place): string {
  // Half a surrogate pair has no UTF-8 form: it would compare as another character.
  if (/\p{Surrogate}/u.test(quoted)) {
    throw new SyntaxProblem(problemAt(place, "this text holds half of a character (a lone surrogate); remove it"));
  }
  return quoted.slice(1, -1).replaceAll("''", "'");
}

function unreadable(text: string, places: Places, at: number): SyntaxProblem {
  const character = String.fromCodePoint(text.codePointAt(at)!);
  const place = places.place(at, at + character.length);
  if (character === "'") {
    return new SyntaxProblem(problemAt(place, "this text does not end; a single quote must close it"));
  }
  if (/[‘’“”´]/.test(character)) {
    return new SyntaxProblem(
      problemAt(place, `found ${character}; text stands in straight single quotes: 'like this'`),
    );
  }
  return new SyntaxProblem(
    problemAt(place, `found ${quoteForMessage(character)}, which no expression contains outside of text in quotes`),
  );
}

/** Line and column of offsets asked for in ascending order. */
class Places {
  private line = 1;
  private column = 1;
  private seen = 0;

  constructor(private readonly text: string) {}

  place(start: number, end: number): Place {
    for (; this.seen < start; this.seen++) {
      const unit = this.text.charCodeAt(this.seen);
      const endsLine = unit === 0x0a || (unit === 0x0d && this.text[this.seen + 1] !== "\n");
      const isSecondHalf = unit >= 0xdc00 && unit <= 0xdfff;
      if (endsLine) {
        this.line++;
        this.column = 1;
      } else if (!isSecondHalf) {
        this.column++;
      }
    }
    return { start, end, line: this.line, column: this.column };
  }
}
