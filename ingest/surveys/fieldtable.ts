// Tables of a survey's own fields, written one a line: name, type, unit ("-" for none), description.
// Called by the surveys' lists of fields.
import type { ElementType } from "../../domain/columns.js";
import type { OwnField } from "../../domain/survey.js";

const LINE = /^(\S+)\s+(\S+)\s+(\S+)\s+(.+)$/;

/** Every field may be missing: surveys add and drop fields from one schema version to the next. */
export function fieldTable(text: string): OwnField[] {
  return text
    .trim()
    .split("\n")
    .map((line) => {
      const [, name, type, unit, description] = LINE.exec(line.trim())!;
      return {
        name: name!,
        type: type as ElementType,
        nullable: true,
        unit: unit === "-" ? null : unit!,
        description: description!,
      };
    });
}
