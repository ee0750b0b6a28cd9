// The arrays that a list function reads in its condition or value, and the names of their elements there. Called by
// compile.ts and listsql.ts.
import type { FilterField, FilterList } from "./fields.js";
import { atom, identifier, type Sql } from "./sql.js";

export class Lambda {
  /** Column to the name of its element, in the order of first use. */
  private readonly elements = new Map<string, string>();

  /** `depth` counts the list functions around: names must differ from those of a lambda around this one. */
  constructor(
    private readonly list: FilterList,
    readonly depth: number,
    private readonly noteRead: (field: FilterField) => void,
  ) {}

  /** The name of the field's element. No column is called like it: names hold letters, digits, _ and points only. */
  element(field: FilterField): string {
    const known = this.elements.get(field.column);
    if (known) return known;
    const name = identifier("#".repeat(this.depth) + (this.elements.size + 1));
    this.elements.set(field.column, name);
    this.noteRead(field);
    return name;
  }

  /** `name(lambda with this body, the arrays that it reads)`; the first array is the one read first. */
  call(name: string, body: string, known: Partial<Sql>): Sql {
    if (this.elements.size === 0) this.element(this.list.counted);
    const names = [...this.elements.values()];
    const args = names.length === 1 ? names[0]! : `(${names.join(", ")})`;
    return atom(`${name}(${args} -> ${body}, ${[...this.elements.keys()].map(identifier).join(", ")})`, known);
  }

  /** The same with another array, computed, before those that the body reads. */
  callOver(name: string, array: string, body: string, known: Partial<Sql>): Sql {
    const names = [identifier(`${"#".repeat(this.depth)}0`), ...this.elements.values()];
    const args = names.length === 1 ? names[0]! : `(${names.join(", ")})`;
    const arrays = [array, ...[...this.elements.keys()].map(identifier)];
    return atom(`${name}(${args} -> ${body}, ${arrays.join(", ")})`, known);
  }
}
