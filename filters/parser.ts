// Text -> tree, by precedence climbing. Called by check.ts. Stops at the first fault: what follows it would be guesswork.
import { type Keyword, type Token, tokenize } from "./lexer.js";
import { type Place, type Problem, problemAt, quoteForMessage, SyntaxProblem } from "./problem.js";
import type { ArithmeticSign, CompareSign, LetPart, Node } from "./syntax.js";

const MAX_NODES = 500;
/** Parentheses, calls, `not` and minus signs inside one another; far above what people write, far below the stack. */
const MAX_DEPTH = 64;

// How tightly operators bind: a higher number binds tighter.
const OR = 1;
const AND = 2;
const NOT = 3;
const COMPARISON = 4;
const SUM = 5;
const PRODUCT = 6;

const COMPARE_SIGNS: ReadonlySet<string> = new Set(["=", "!=", "<", "<=", ">", ">="]);

/** An expression with the named parts before it, in their order. */
export interface Whole {
  readonly lets: readonly LetPart[];
  readonly tree: Node;
}

export type Parsed = Whole | { readonly problem: Problem };

/** Never throws: a text that is no expression is answered with its first problem. */
export function parse(text: string): Parsed {
  try {
    return new Parser(tokenize(text)).whole();
  } catch (error) {
    if (error instanceof SyntaxProblem) {
      return { problem: error.problem };
    }
    throw error;
  }
}

class Parser {
  private at = 0;
  private nodes = 0;
  private depth = 0;

  constructor(private readonly tokens: readonly Token[]) {}

  whole(): Whole {
    const lets: LetPart[] = [];
    while (startsLet(this.next, this.tokens[this.at + 1])) {
      lets.push(this.letPart());
    }
    if (this.next.kind === "end") {
      const empty = lets.length === 0 ? "the expression is empty" : "nothing follows the parts that let names";
      throw this.fault(this.next, `${empty}; write a condition such as drb > 0.8`);
    }
    const tree = this.expression(OR);
    const rest = this.next;
    if (rest.kind !== "end") {
      throw this.fault(rest, `found ${shown(rest)} after a complete expression; ${afterOperand(rest)}`);
    }
    return { lets, tree };
  }

  private letPart(): LetPart {
    this.take();
    const name = this.take();
    this.expectSymbol("=", `= must follow let ${quoteForMessage(name.text)}`);
    const value = this.expression(OR);
    this.expectSymbol(";", `a ; must end the part that let ${quoteForMessage(name.text)} of ${where(name)} begins`);
    return { name: name.text, value, ...placeOf(name) };
  }

  private get next(): Token {
    return this.tokens[this.at]!;
  }

  private expression(tightness: number): Node {
    this.depth++;
    if (this.depth > MAX_DEPTH) {
      throw this.fault(this.next, `the expression is nested more than ${MAX_DEPTH} deep here; make it flatter`);
    }
    let left = this.operand(tightness);
    for (;;) {
      const longer = this.continued(left, tightness);
      if (!longer) {
        break;
      }
      left = longer;
    }
    this.depth--;
    return left;
  }

  /** `left` with the operator that follows it, or null where none follows that binds at least this tightly. */
  private continued(left: Node, tightness: number): Node | null {
    const token = this.next;
    if (this.isSymbol("+", "-") && tightness <= SUM) {
      return this.arithmetic(left, PRODUCT);
    }
    if (this.isSymbol("*", "/") && tightness <= PRODUCT) {
      return this.arithmetic(left, PRODUCT + 1);
    }
    if (startsComparison(token, this.tokens[this.at + 1]) && tightness <= COMPARISON) {
      return this.comparison(left);
    }
    if (this.isKeyword("and") && tightness <= AND) {
      return this.chain("and", left, AND + 1);
    }
    if (this.isKeyword("or") && tightness <= OR) {
      return this.chain("or", left, OR + 1);
    }
    return null;
  }

  private arithmetic(left: Node, rightTightness: number): Node {
    const sign = this.take().text as ArithmeticSign;
    const right = this.expression(rightTightness);
    return this.node({ kind: "arithmetic", sign, left, right, ...spanning(left, right) });
  }

  private chain(kind: "and" | "or", first: Node, tightness: number): Node {
    const operands = [first];
    while (this.isKeyword(kind)) {
      this.take();
      operands.push(this.expression(tightness));
    }
    return this.node({ kind, operands, ...spanning(first, operands.at(-1)!) });
  }

  private comparison(left: Node): Node {
    const compared = this.comparisonOf(left);
    if (startsComparison(this.next, this.tokens[this.at + 1])) {
      throw this.fault(this.next, `found ${shown(this.next)}; comparisons do not chain: write a < b and b < c`);
    }
    return compared;
  }

  private comparisonOf(left: Node): Node {
    const token = this.take();
    if (token.kind === "symbol") {
      const right = this.expression(SUM);
      return this.node({ kind: "compare", sign: token.text as CompareSign, left, right, ...spanning(left, right) });
    }
    if (token.text === "is") {
      const negated = this.isKeyword("not");
      if (negated) {
        this.take();
      }
      const end = this.expectKeyword("null", negated ? "is not" : "is");
      return this.node({ kind: "isNull", negated, value: left, ...spanning(left, end) });
    }
    const negated = token.text === "not";
    const word = negated ? this.take() : token;
    return word.text === "between" ? this.between(left, negated) : this.inList(left, negated);
  }

  private between(value: Node, negated: boolean): Node {
    const low = this.expression(SUM);
    this.expectKeyword("and", "between a");
    const high = this.expression(SUM);
    return this.node({ kind: "between", negated, value, low, high, ...spanning(value, high) });
  }

  private inList(value: Node, negated: boolean): Node {
    this.expectSymbol("(", "after in comes a list in parentheses: in (1, 2)");
    if (this.isSymbol(")")) {
      throw this.fault(this.next, "the list after in is empty; name at least one value");
    }
    const list = this.list();
    const end = this.expectSymbol(")", "a comma or ) must follow a value of the list");
    return this.node({ kind: "in", negated, value, list, ...spanning(value, end) });
  }

  private list(): Node[] {
    const items = [this.expression(OR)];
    while (this.isSymbol(",")) {
      this.take();
      items.push(this.expression(OR));
    }
    return items;
  }

  private operand(tightness: number): Node {
    const token = this.take();
    switch (token.kind) {
      case "number":
        return this.number(token);
      case "string":
        return this.node({ kind: "text", value: token.text, ...placeOf(token) });
      case "name":
        return this.isSymbol("(") ? this.call(token) : this.node({ kind: "name", name: token.text, ...placeOf(token) });
      case "keyword":
        return this.keyword(token, tightness);
      case "symbol":
        if (token.text === "(") {
          const inner = this.expression(OR);
          const end = this.expectSymbol(")", `a ) must close the ( of ${where(token)}`);
          return { ...inner, ...spanning(token, end) };
        }
        if (token.text === "-") {
          const operand = this.expression(PRODUCT + 1);
          return this.node({ kind: "negate", operand, ...spanning(token, operand) });
        }
    }
    throw this.fault(token, `found ${shown(token)} where a name, a number, text in quotes or ( should stand`);
  }

  private keyword(token: Token, tightness: number): Node {
    if (token.text === "true" || token.text === "false") {
      return this.node({ kind: "truth", value: token.text === "true", ...placeOf(token) });
    }
    if (token.text === "not") {
      if (tightness > NOT) {
        throw this.fault(token, "found not inside a comparison or sum; put parentheses around not (...)");
      }
      const operand = this.expression(NOT);
      return this.node({ kind: "not", operand, ...spanning(token, operand) });
    }
    if (token.text === "null") {
      throw this.fault(token, "found null; write `is null` or `is not null` after a value");
    }
    throw this.fault(token, `found ${token.text} where a name, a number, text in quotes or ( should stand`);
  }

  private number(token: Token): Node {
    const following = this.next;
    if (following.start === token.end && (following.kind === "name" || following.kind === "number")) {
      const text = token.text + following.text;
      throw this.fault(token, `found ${quoteForMessage(text)}, which is neither a number nor a name`);
    }
    return this.node({ kind: "number", text: token.text, ...placeOf(token) });
  }

  private call(name: Token): Node {
    this.take();
    const args = this.isSymbol(")") ? [] : this.list();
    const end = this.expectSymbol(")", `a comma or ) must follow an argument of ${quoteForMessage(name.text)}`);
    return this.node({ kind: "call", name: name.text, nameEnd: name.end, args, ...spanning(name, end) });
  }

  private node(node: Node): Node {
    this.nodes++;
    if (this.nodes > MAX_NODES) {
      throw this.fault(node, `the expression has more than ${MAX_NODES} parts; split it into several filters`);
    }
    return node;
  }

  private isSymbol(...texts: string[]): boolean {
    return this.next.kind === "symbol" && texts.includes(this.next.text);
  }

  private isKeyword(word: Keyword): boolean {
    return this.next.kind === "keyword" && this.next.text === word;
  }

  private take(): Token {
    const token = this.next;
    if (token.kind !== "end") {
      this.at++;
    }
    return token;
  }

  private expectSymbol(symbol: string, otherwise: string): Token {
    if (!this.isSymbol(symbol)) {
      throw this.fault(this.next, `found ${shown(this.next)}; ${otherwise}`);
    }
    return this.take();
  }

  private expectKeyword(word: Keyword, after: string): Token {
    if (!this.isKeyword(word)) {
      throw this.fault(this.next, `found ${shown(this.next)}; ${word} must follow ${after}`);
    }
    return this.take();
  }

  private fault(place: Place, message: string): SyntaxProblem {
    return new SyntaxProblem(problemAt(place, message));
  }
}

/** `let` is no keyword: a field may be called so. */
function startsLet(token: Token, following: Token | undefined): boolean {
  return token.kind === "name" && token.text.toLowerCase() === "let" && following?.kind === "name";
}

function startsComparison(token: Token, following: Token | undefined): boolean {
  if (token.kind === "symbol") {
    return COMPARE_SIGNS.has(token.text);
  }
  if (token.kind !== "keyword") {
    return false;
  }
  if (token.text === "not") {
    return following?.kind === "keyword" && (following.text === "in" || following.text === "between");
  }
  return token.text === "between" || token.text === "in" || token.text === "is";
}

function afterOperand(token: Token): string {
  if (token.kind === "symbol" && token.text === ")") {
    return "there is no ( that it would close";
  }
  if (token.kind === "symbol" && token.text === ",") {
    return "commas stand only between arguments and between the values of in (...)";
  }
  if (token.kind === "symbol" && token.text === ";") {
    return "only the parts that let names end with one";
  }
  return "an operator such as and, or, =, < should stand between two values";
}

function shown(token: Token): string {
  switch (token.kind) {
    case "end":
      return "the end of the expression";
    case "string":
      return `the text '${quoteForMessage(token.text)}'`;
    default:
      return quoteForMessage(token.text);
  }
}

function where(place: Place): string {
  return `line ${place.line}, column ${place.column}`;
}

function placeOf({ start, end, line, column }: Place): Place {
  return { start, end, line, column };
}

function spanning(first: Place, last: Place): Place {
  return { start: first.start, end: last.end, line: first.line, column: first.column };
}
