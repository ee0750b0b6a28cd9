// What names mean at each place of an expression: fields of the alert, of a list's element, and parts that let named.
// Called by checker.ts.
import type { FieldTable, FilterField, FilterList } from "./fields.js";
import { nearestName } from "./nearest.js";
import { type Checking, made, type Part } from "./part.js";
import { quoteForMessage } from "./problem.js";
import type { LetPart, Node } from "./syntax.js";
import type { Typed } from "./typed.js";

/** List functions inside one another. */
const MAX_LIST_DEPTH = 2;

/** A field, a named part or a whole list function that an expression reads of the alert. */
export interface Reading {
  readonly node: Node;
  readonly typed: Typed;
}

interface NamedPart {
  /** null where it has problems, which are noted. */
  readonly part: Part | null;
  readonly fieldsRead: ReadonlySet<string>;
  readonly depth: number;
  used: boolean;
}

type NameNode = Node & { kind: "name" };

const ALERT = "alert.";
/** First words of names that enrichment adds: where one is unknown, its kin are what the user wants to know of. */
const FAMILIES: ReadonlySet<string> = new Set("feature score class match watch area skymap cut".split(" "));

export class Scope {
  fieldsRead = new Set<string>();
  readings: Reading[] = [];
  /** List functions inside one another, so far. */
  deepest = 0;
  private readonly lists: FilterList[] = [];
  private readonly named = new Map<string, NamedPart>();

  constructor(
    private readonly table: FieldTable,
    private readonly checking: Checking,
  ) {}

  /** How many list functions are around this place. */
  get depth(): number {
    return this.lists.length;
  }

  inside<T>(list: FilterList, check: () => T): T {
    this.lists.push(list);
    this.deepest = Math.max(this.deepest, this.lists.length);
    try {
      return check();
    } finally {
      this.lists.pop();
    }
  }

  /** Names the part for what follows it. */
  define(letPart: LetPart): void {
    const { name } = letPart;
    if (name.includes(".") || this.table.get(name) || this.named.has(name)) {
      const why = name.includes(".")
        ? "cannot name a part: letters, digits and _ only"
        : this.named.has(name)
          ? "names two parts; each needs a name of its own"
          : `is a field of ${this.table.survey}; give the part another name`;
      this.checking.problem(letPart, `${quoteForMessage(name)} ${why}`);
    }
    const before = { fieldsRead: this.fieldsRead, readings: this.readings };
    this.fieldsRead = new Set();
    this.readings = [];
    this.deepest = 0;
    const part = this.checking.part(letPart.value);
    this.named.set(name, { part, fieldsRead: this.fieldsRead, depth: this.deepest, used: false });
    this.fieldsRead = before.fieldsRead;
    this.readings = before.readings;
  }

  unused(): string[] {
    return [...this.named].flatMap(([name, { used }]) => (used ? [] : [name]));
  }

  /** What the name stands for where it stands. */
  name(node: NameNode): Part | null {
    const { name } = node;
    const list = this.lists.at(-1);
    if (name.startsWith(ALERT)) return this.ofAlert(node, name.slice(ALERT.length), false);
    const own = list?.get(name);
    if (!list || !own) return this.ofAlert(node, name, list !== undefined);
    if (this.named.has(name)) {
      const remedy = `rename the part that let ${name} names if you mean that`;
      this.checking.warning(node, `${name} is the field of ${list.name} here; ${remedy}`);
    }
    this.fieldsRead.add(own.column);
    return { ...made(node, { op: "element", kind: own.kind, field: own }, name), unit: own.unit };
  }

  /** The list that a list function's first argument names. */
  list(node: Node): FilterList | null {
    return node.kind === "name" ? (this.table.list(node.name) ?? null) : null;
  }

  noList(node: Node, user: string): null {
    if (node.kind !== "name") return this.checking.problem(node, `${user} needs a list first, such as detections`);
    const lists = this.table.toldNames.filter((name) => this.table.list(name));
    const kin = lists.filter((name) => familyOf(name) === familyOf(node.name));
    const known = this.table.get(node.name);
    const problem = known
      ? `${node.name} is no list; ${user} needs one first, such as detections`
      : `${this.table.survey} has no list ${quoteForMessage(node.name)}; ${remedyOf(node.name, kin.length > 0 ? kin : lists)}`;
    return this.checking.problem(node, problem);
  }

  /** A name of the alert's; `inElement` where an element's field was looked for first. */
  private ofAlert(node: NameNode, name: string, inElement: boolean): Part | null {
    const part = this.namedPart(node, name);
    if (part !== undefined) return part;
    const field = this.table.get(name);
    if (field && !inElement) return this.field(node, field);
    const list = this.table.list(name);
    // Whether the alert is on a watch list is a truth; whatever else is a list is asked by a function.
    if (list && name.startsWith("watch.") && !inElement) {
      this.fieldsRead.add(name);
      const typed: Typed = { op: "list", kind: "truth", name: "has", list, value: null, condition: null };
      this.read(node, typed);
      return made(node, typed, name);
    }
    return this.unknown(node, name, inElement);
  }

  private field(node: NameNode, field: FilterField): Part {
    const typed: Typed = { op: "field", kind: field.kind, field };
    this.fieldsRead.add(field.name);
    this.read(node, typed);
    return { ...made(node, typed, node.name), unit: field.unit };
  }

  /** A part that let named or a cut; undefined where none is called so. */
  private namedPart(node: NameNode, name: string): Part | null | undefined {
    const named = this.named.get(name) ?? this.cut(node, name);
    if (!named) return undefined;
    named.used = true;
    for (const read of named.fieldsRead) this.fieldsRead.add(read);
    if (named.part === null) return null;
    if (this.tooDeep(named.depth)) return this.nestedTooDeep(node);
    this.deepest = Math.max(this.deepest, this.depth + named.depth);
    this.read(node, named.part.typed);
    return { ...named.part, node, shown: name };
  }

  private cut(node: NameNode, name: string): NamedPart | undefined {
    const cut = this.table.cuts.get(name);
    if (!cut) return undefined;
    const { problem, ...apart } = this.checking.apart(cut.expression);
    if (problem !== null) this.checking.problem(node, `${name} cannot be read: ${problem}`);
    const named = { ...apart, used: true };
    this.named.set(name, named);
    return named;
  }

  tooDeep(more: number): boolean {
    return this.depth + more > MAX_LIST_DEPTH;
  }

  nestedTooDeep(node: Node): null {
    const remedy = "a list function may hold another, but not two inside one another";
    return this.checking.problem(node, `lists are nested too deep here; ${remedy}`);
  }

  /** Notes what has one value in an alert, to be shown with it. */
  read(node: Node, typed: Typed): void {
    this.readings.push({ node, typed });
  }

  private unknown(node: NameNode, name: string, inElement: boolean): null {
    return this.checking.problem(node, inElement ? this.unknownInElement(name) : this.unknownOfAlert(name));
  }

  private unknownInElement(name: string): string {
    const list = this.lists.at(-1)!;
    const own = list.fields.map((field) => field.name);
    const known = this.table.get(name) || (name.startsWith("watch.") && this.table.list(name));
    const alerts = known ? `the alert's is alert.${name}` : remedyOf(name, own);
    return `${list.name} has no field ${quoteForMessage(name)}; ${alerts}`;
  }

  private unknownOfAlert(name: string): string {
    const { survey } = this.table;
    if (this.table.list(name)) return `${name} is a list; ask by has(${name}, ...), count(${name}, ...) or another`;
    const dot = name.lastIndexOf(".");
    const list = this.table.list(name.slice(0, Math.max(dot, 0)));
    if (list?.get(name.slice(dot + 1))) {
      const field = name.slice(dot + 1);
      const example = list.order === "time" ? `last(${list.name}, ${field})` : `nearest(${list.name}, ${field})`;
      return `${name} is a field of a list, with many values; write for example ${example}`;
    }
    if (FAMILIES.has(familyOf(name))) {
      const kin = this.table.toldNames.filter((known) => familyOf(known) === familyOf(name));
      return `${survey} has no ${quoteForMessage(name)} (any more); ${remedyOf(name, kin)}`;
    }
    const nearest = nearestName(name, this.table.toldNames);
    const remedy = nearest ? `did you mean ${nearest}?` : "filterFields lists the names that it has";
    return `${survey} has no field ${quoteForMessage(name)}; ${remedy}`;
  }
}

/** The first word of a name with points; of another name nothing. */
function familyOf(name: string): string {
  return name.slice(0, Math.max(name.indexOf("."), 0));
}

const MOST_SHOWN = 12;

function remedyOf(name: string, known: readonly string[]): string {
  const nearest = nearestName(name, known);
  if (nearest) return `did you mean ${nearest}?`;
  if (known.length === 0) return "filterFields lists the names that there are";
  const more = known.length > MOST_SHOWN ? ", ..." : "";
  return `there are ${known.slice(0, MOST_SHOWN).join(", ")}${more}`;
}
