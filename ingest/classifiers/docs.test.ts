// The figures of the manual are those of the shipped models' manifests (TOCSIN_UPDATE_DOCS=1 writes them).
import { readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";

const MANUAL = new URL("../../docs/classifiers.md", import.meta.url);
const [BEGIN, END] = ["<!-- figures of the manifests -->\n", "<!-- end of the figures -->"];

interface Quality {
  readonly testAlerts: number;
  readonly rocAuc: number;
  readonly completenessAt1PercentFalse: number;
  readonly bogusRejectedByKind: Readonly<Record<string, number>>;
  readonly accuracy: number;
  readonly accuracyWhereClassed: number;
  readonly classed: number;
  readonly rocAucOneAgainstRest: Readonly<Record<string, number>>;
  readonly confusion: Readonly<Record<string, Readonly<Record<string, number>>>>;
}
const quality = (folder: string): Quality =>
  JSON.parse(readFileSync(new URL(`../../models/${folder}/manifest.json`, import.meta.url), "utf8")).quality;

const percent = (part: number) => `${(100 * part).toFixed(1)} %`;
const row = (cells: readonly (string | number)[]) => `| ${cells.join(" | ")} |`;
const table = (head: readonly string[], rows: readonly (readonly (string | number)[])[]) =>
  [row(head), row(head.map(() => "---")), ...rows.map(row)].join("\n");

function figures(): string {
  const stamps = quality("stamps-sim");
  const curves = quality("lightcurve-sim");
  const classes = Object.keys(curves.confusion);
  return [
    `\n**stampsSim** 1 (real or bogus from the three cutouts, ZTF): ROC AUC ${stamps.rocAuc} on ${stamps.testAlerts} alerts, half of them real; ${percent(stamps.completenessAt1PercentFalse)} of the real ones pass where 1 % of the bogus ones do. At 0.5, by what they are, it rejects:\n`,
    table(
      ["Bogus", "rejected"],
      Object.entries(stamps.bogusRejectedByKind).map(([kind, part]) => [kind, percent(part)]),
    ),
    `\n**lightcurveSim** 1 (kind of source from the history up to the alert, first alerts included; ZTF, LSST): ${percent(curves.accuracy)} of ${curves.testAlerts} alerts right by the largest score; ${percent(curves.classed)} get a class (a score of 0.5 and more), of which ${percent(curves.accuracyWhereClassed)} are right. Rows: what they are; columns: the largest score.\n`,
    table(
      ["", ...classes, "ROC AUC"],
      classes.map((name) => [
        name,
        ...classes.map((other) => curves.confusion[name]![other]!),
        curves.rocAucOneAgainstRest[name]!,
      ]),
    ),
    "\n",
  ].join("\n");
}

test("the manual has the manifests' figures", () => {
  const manual = readFileSync(MANUAL, "utf8");
  const [from, to] = [manual.indexOf(BEGIN) + BEGIN.length, manual.indexOf(END)];
  expect(to).toBeGreaterThan(from - 1);
  const expected = `${manual.slice(0, from)}${figures()}${manual.slice(to)}`;
  if (process.env.TOCSIN_UPDATE_DOCS === "1") writeFileSync(MANUAL, expected);
  else expect(manual).toBe(expected);
});
