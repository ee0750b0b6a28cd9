// What is wrong with an expression, and where: made by the lexer, parser and checker, shown by editing.ts and the API.

/** A stretch of the expression's text. Offsets count UTF-16 units from 0; line and column start at 1, columns count characters. */
export interface Place {
  readonly start: number;
  readonly end: number;
  readonly line: number;
  readonly column: number;
}

/** The message says what was found and what would be right; it does not repeat the place. */
export interface Problem extends Place {
  readonly message: string;
}

/** Thrown inside lexer and parser, where nothing sensible can follow; parse() turns it into a value. */
export class SyntaxProblem extends Error {
  constructor(readonly problem: Problem) {
    super(problem.message);
  }
}

export function problemAt(place: Place, message: string): Problem {
  return { message, start: place.start, end: place.end, line: place.line, column: place.column };
}

/** Text of a user inside a message: short, on one line, control characters made visible. */
export function quoteForMessage(text: string): string {
  const shown = Array.from(text.slice(0, 80), (c) => (/[\p{C}\p{Z}]/u.test(c) && c !== " " ? codePoint(c) : c));
  return shown.length > 40 ? `${shown.slice(0, 37).join("")}...` : shown.join("");
}

function codePoint(character: string): string {
  return `U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")}`;
}
