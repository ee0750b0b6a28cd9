// The library of example filters, one file each in library/<survey>/. Read by cli/ for resolvers/.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Survey } from "../domain/survey.js";

export interface FilterExample {
  /** The file's name: young-supernova. */
  readonly name: string;
  readonly title: string;
  /** What it catches, and who uses such cuts. */
  readonly description: string;
  /** The whole file: its head is a comment. */
  readonly where: string;
}

/** The compiled program lies beside the sources, or has them copied beside it. */
const FOLDERS = ["./library/", "../../filters/library/"].map((path) => fileURLToPath(new URL(path, import.meta.url)));

/** By name; none for a survey that has none. */
export function examplesOf(survey: Survey): readonly FilterExample[] {
  const folder = FOLDERS.map((path) => `${path}${survey.toLowerCase()}`).find(existsSync);
  if (folder === undefined) return [];
  const files = readdirSync(folder).filter((file) => file.endsWith(".filter"));
  return files
    .sort()
    .map((file) => exampleOf(file.slice(0, -".filter".length), readFileSync(`${folder}/${file}`, "utf8")));
}

/** Its first line is the title, the other comment lines up to an empty line the description. */
function exampleOf(name: string, where: string): FilterExample {
  const [head = ""] = where.split("\n\n", 1);
  const [title = name, ...rest] = head.split("\n").map((line) => line.replace(/^--\s?/, ""));
  return { name, title, description: rest.join(" "), where };
}
