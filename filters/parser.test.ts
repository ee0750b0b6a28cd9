// Precedence, places, bounds and messages of the parser.
import { describe, expect, test } from "vitest";
import { parse } from "./parser.js";
import type { Node } from "./syntax.js";

/** The tree with every operation in brackets, so that precedence shows. */
function print(node: Node): string {
  const list = (nodes: readonly Node[], between: string) => nodes.map(print).join(between);
  switch (node.kind) {
    case "number":
      return node.text;
    case "text":
      return JSON.stringify(node.value);
    case "truth":
      return String(node.value).toUpperCase();
    case "name":
      return node.name;
    case "call":
      return `${node.name}(${list(node.args, ", ")})`;
    case "or":
    case "and":
      return `[${list(node.operands, ` ${node.kind} `)}]`;
    case "not":
      return `[not ${print(node.operand)}]`;
    case "negate":
      return `[- ${print(node.operand)}]`;
    case "compare":
    case "arithmetic":
      return `[${print(node.left)} ${node.sign} ${print(node.right)}]`;
    case "between":
      return `[${print(node.value)}${node.negated ? " not" : ""} between ${print(node.low)} .. ${print(node.high)}]`;
    case "in":
      return `[${print(node.value)}${node.negated ? " not" : ""} in ${list(node.list, ", ")}]`;
    case "isNull":
      return `[${print(node.value)} is${node.negated ? " not" : ""} null]`;
  }
}

function tree(text: string): Node {
  const parsed = parse(text);
  if ("problem" in parsed) throw new Error(parsed.problem.message);
  return parsed.tree;
}

function problem(text: string): string {
  const parsed = parse(text);
  if (!("problem" in parsed)) throw new Error(`parses as ${print(parsed.tree)}`);
  return `${parsed.problem.line}:${parsed.problem.column} ${parsed.problem.message}`;
}

describe("precedence", () => {
  test.each([
    ["a or b and c or d", "[a or [b and c] or d]"],
    ["a and b or c and d", "[[a and b] or [c and d]]"],
    ["not a and not b", "[[not a] and [not b]]"],
    ["not a = b", "[not [a = b]]"],
    ["not not a", "[not [not a]]"],
    ["a + b * c - d / e", "[[a + [b * c]] - [d / e]]"],
    ["a - b - c", "[[a - b] - c]"],
    ["a / b / c", "[[a / b] / c]"],
    ["-a * -b", "[[- a] * [- b]]"],
    ["- -a", "[- [- a]]"],
    ["a - -1", "[a - [- 1]]"],
    ["a + 1 < b * 2 and c", "[[[a + 1] < [b * 2]] and c]"],
    ["(a or b) and c", "[[a or b] and c]"],
    ["(a < b) = (c < d)", "[[a < b] = [c < d]]"],
    ["a between 1 + 1 and 2 and b", "[[a between [1 + 1] .. 2] and b]"],
    ["a NOT Between -1 AND 2", "[a not between [- 1] .. 2]"],
    ["a in (1, 2,3) or b not in ('x')", '[[a in 1, 2, 3] or [b not in "x"]]'],
    ["not a in (1)", "[not [a in 1]]"],
    ["a is null and b IS NOT NULL", "[[a is null] and [b is not null]]"],
    ["True = FALSE", "[TRUE = FALSE]"],
    ["if(a < b or c, 1, 2) > abs(-x)", "[if([[a < b] or c], 1, 2) > abs([- x])]"],
    [
      "has(match.gaia_dr3, separationArcsec < 1 and parallax > 3 * parallax_error)",
      "has(match.gaia_dr3, [[separationArcsec < 1] and [parallax > [3 * parallax_error]]])",
    ],
    ["feature.g.amplitude > .5e-3", "[feature.g.amplitude > .5e-3]"],
    ["f() = 5.", "[f() = 5.]"],
    ["a = 'it''s' -- it's\n and b = ''", '[[a = "it\'s"] and [b = ""]]'],
    ["Candid = 9223372036854775807", "[Candid = 9223372036854775807]"],
    ["order = android", "[order = android]"],
  ])("%s", (text, expected) => {
    expect(print(tree(text))).toBe(expected);
  });
});

test("every node knows its stretch of the text, its line and its column", () => {
  const text = "a\n  and b <\r\n  -- a note\r\n 'π😀' and c in (1)";
  const root = tree(text) as Node & { kind: "and" };
  const [a, b, c] = root.operands as [Node, Node & { kind: "compare" }, Node];
  const cut = (node: Node) => [text.slice(node.start, node.end), node.line, node.column];
  expect(cut(root)).toEqual([text, 1, 1]);
  expect(cut(a)).toEqual(["a", 1, 1]);
  expect(cut(b.right)).toEqual(["'π😀'", 4, 2]);
  // After a character of two UTF-16 units the column still counts characters.
  expect(cut(c)).toEqual(["c in (1)", 4, 11]);
});

describe("messages", () => {
  test.each([
    ["", "1:1 the expression is empty; write a condition such as drb > 0.8"],
    ["  -- nothing\n", "2:1 the expression is empty; write a condition such as drb > 0.8"],
    ["a <", "1:4 found the end of the expression where a name, a number, text in quotes or ( should stand"],
    ["a < and b", "1:5 found and where a name, a number, text in quotes or ( should stand"],
    [
      "a b",
      "1:3 found b after a complete expression; an operator such as and, or, =, < should stand between two values",
    ],
    ["a)", "1:2 found ) after a complete expression; there is no ( that it would close"],
    [
      "a, b",
      "1:2 found , after a complete expression; commas stand only between arguments and between the values of in (...)",
    ],
    ["(a or\nb", "2:2 found the end of the expression; a ) must close the ( of line 1, column 1"],
    ["1 < a < 2", "1:7 found <; comparisons do not chain: write a < b and b < c"],
    ["a = not b", "1:5 found not inside a comparison or sum; put parentheses around not (...)"],
    ["a = null", "1:5 found null; write `is null` or `is not null` after a value"],
    ["a is 5", "1:6 found 5; null must follow is"],
    ["a is not 5", "1:10 found 5; null must follow is not"],
    ["a between 1 or 2", "1:13 found or; and must follow between a"],
    ["a in 5", "1:6 found 5; after in comes a list in parentheses: in (1, 2)"],
    ["a in ()", "1:7 the list after in is empty; name at least one value"],
    ["a in (1 2)", "1:9 found 2; a comma or ) must follow a value of the list"],
    ["abs(a", "1:6 found the end of the expression; a comma or ) must follow an argument of abs"],
    ["a == b", "1:3 found ==; equality is a single ="],
    ["a <> b", "1:3 found <>; unequal is !="],
    ["a && b", "1:3 found &&; write and"],
    ["!a", "1:1 found !; write not, or != for unequal"],
    ['a = "x"', "1:5 found \"; text stands in single quotes: 'like this'"],
    ["a = ‘x’", "1:5 found ‘; text stands in straight single quotes: 'like this'"],
    ["a = 'x", "1:5 this text does not end; a single quote must close it"],
    ["a > 1x", "1:5 found 1x, which is neither a number nor a name"],
    ["a > 0x1F", "1:5 found 0x1F, which is neither a number nor a name"],
    ["a > 1.2.3", "1:5 found 1.2.3, which is neither a number nor a name"],
    ["a @ b", "1:3 found @, which no expression contains outside of text in quotes"],
    ["a \u0000 b", "1:3 found U+0000, which no expression contains outside of text in quotes"],
    ["größe > 1", "1:3 found ö, which no expression contains outside of text in quotes"],
    ["a; drop table alerts", "1:2 found ; after a complete expression; only the parts that let names end with one"],
    ["a = '\ud800'", "1:5 this text holds half of a character (a lone surrogate); remove it"],
  ])("%j", (text, expected) => {
    expect(problem(text)).toBe(expected);
  });
});

describe("bounds", () => {
  test("100,000 characters are refused before they are read", () => {
    const started = performance.now();
    expect(problem("'".repeat(100_000))).toBe("1:1 the expression has 100000 characters; at most 10000 are allowed");
    expect(performance.now() - started).toBeLessThan(50);
    expect(problem(`a${" ".repeat(9_999)}b`)).toContain("10001 characters");
    expect(print(tree(`a${" ".repeat(9_999)}`))).toBe("a");
  });
  test("500 nodes", () => {
    const sum = (names: number) => Array(names).fill("a").join("+");
    expect(tree(sum(250)).kind).toBe("arithmetic");
    expect(problem(sum(251))).toBe("1:1 the expression has more than 500 parts; split it into several filters");
    expect(tree(Array(499).fill("a").join(" and ")).kind).toBe("and");
    expect(problem(Array(500).fill("a").join(" and "))).toContain("more than 500 parts");
  });
  test.each([
    ["parentheses", "(", ")"],
    ["calls", "f(", ")"],
    ["not", "not ", ""],
    ["minus", "- ", ""],
    ["lists", "a in (", ")"],
    ["between", "a between (", ") and 1"],
  ])("nesting of %s", (_name, open, close) => {
    const nested = (depth: number) => `${open.repeat(depth)}a${close.repeat(depth)}`;
    expect("tree" in parse(nested(30))).toBe(true);
    const most = Math.floor(9_999 / (open.length + close.length));
    expect(problem(nested(most))).toContain("nested more than 64 deep");
  });
  test("10,000 parentheses", () => {
    expect(problem("(".repeat(10_000))).toContain("nested more than 64 deep");
  });
});
