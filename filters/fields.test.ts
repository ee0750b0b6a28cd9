// Tables of names out of surveys and what rooms tell, and their changes.
import { expect, test } from "vitest";
import type { OperandSource, Operands } from "../domain/operand.js";
import { TEST_OPERANDS, TEST_SURVEY } from "../test/reference/filterfields.js";
import { checkCondition } from "./check.js";
import { fieldsOfSurveys } from "./fields.js";

function changing(initial: Operands) {
  let operands = initial;
  const listeners = new Set<() => void>();
  return {
    source: {
      operands: () => operands,
      onChange: (listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    } satisfies OperandSource,
    set(changed: Operands) {
      operands = changed;
      for (const listener of listeners) listener();
    },
  };
}

const NONE: Operands = { values: [], lists: [] };

test("what comes is known at once, what goes is unknown, and listeners hear of both", () => {
  const { source, set } = changing(NONE);
  const fieldsOf = fieldsOfSurveys([TEST_SURVEY], [source]);
  const problems = () => checkCondition("has(match.gaia_dr3)", fieldsOf("ZTF")).problems.map((one) => one.message);
  let heard = 0;
  const end = fieldsOf.onChange(() => {
    heard += 1;
  });
  expect(problems()).toEqual(["ZTF has no list match.gaia_dr3; filterFields lists the names that there are"]);
  expect(fieldsOf("ZTF")).toBe(fieldsOf("ZTF"));
  const before = fieldsOf("ZTF");
  set(TEST_OPERANDS);
  expect(fieldsOf("ZTF")).not.toBe(before);
  expect(problems()).toEqual([]);
  set({ ...TEST_OPERANDS, lists: TEST_OPERANDS.lists.slice(0, 1) });
  expect(problems()).toEqual(["ZTF has no list match.gaia_dr3; there are detections"]);
  expect(heard).toBe(2);
  end();
  set(NONE);
  expect(heard).toBe(2);
});

test("the first source holds, and hides no field of the alert", () => {
  const field = { type: "Float64", nullable: false, unit: null } as const;
  const first = { values: [{ ...field, name: "drb", description: "Another." }], lists: [] };
  const list = { name: "forced", description: "Other.", order: "time", fields: [] } as const;
  const fieldsOf = fieldsOfSurveys(
    [TEST_SURVEY],
    [changing({ ...first, lists: [list] }).source, changing(TEST_OPERANDS).source, changing(TEST_OPERANDS).source],
  );
  const table = fieldsOf("ZTF");
  expect(table.get("drb")).toMatchObject({ description: "Field drb.", origin: "alert" });
  expect(table.lists.map(({ name }) => name)).toEqual([
    ...["detections", "forced", "match.gaia_dr3", "lsst.detections", "watch.mine"],
  ]);
  expect(table.list("forced")!.description).toBe("Forced photometry.");
  // Values of a step that failed are missing, so all of them may be.
  expect(table.get("feature.count")).toMatchObject({ nullable: true, mayBeNaN: false, origin: "enrichment" });
  expect(table.list("detections")!.get("jd")).toMatchObject({ column: "detections.jd", mayBeNaN: false });
  expect(table.list("detections")!.get("magpsf")).toMatchObject({ nullable: false, mayBeNaN: true, origin: "list" });
});
