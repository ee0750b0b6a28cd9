// The served schema against the contract and against docs/schema.graphql (TOCSIN_UPDATE_DOCS=1 writes the latter).
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import {
  buildSchema,
  type GraphQLArgument,
  type GraphQLInputField,
  type GraphQLSchema,
  getIntrospectionQuery,
  graphqlSync,
  isEnumType,
  isInputObjectType,
  isObjectType,
  isScalarType,
} from "graphql";
import { describe, expect, it } from "vitest";
import type { SurveyDescription } from "../domain/survey.js";
import { printedSchema } from "../schema/print.js";
import { SHARED } from "../test/shared.js";
import { buildTocsinSchema } from "./build.js";

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const contractFile = `${SHARED}/contract.graphql`;
const printedFile = at("../docs/schema.graphql");

const survey = (id: string): SurveyDescription => ({
  id,
  title: id,
  fields: [],
  bands: [],
  publicProgramids: [1],
  counterpartRadiusArcsec: 1.5,
  pointColumns: [],
  pointFields: { detections: [], nonDetections: [], forced: [] },
  nightOffsetHours: 0,
});
const served = buildTocsinSchema([survey("ZTF"), survey("LSST")]);

const argument = ({ name, type, defaultValue }: GraphQLArgument | GraphQLInputField) =>
  `${name}: ${type}${defaultValue === undefined ? "" : ` = ${JSON.stringify(defaultValue)}`}`;

/** Everything that a schema promises, one line each. */
function promises(schema: GraphQLSchema): string[] {
  const lines: string[] = [];
  for (const type of Object.values(schema.getTypeMap())) {
    if (type.name.startsWith("__")) continue;
    if (isScalarType(type)) lines.push(`scalar ${type.name}`);
    if (isEnumType(type)) lines.push(...type.getValues().map((value) => `enum ${type.name} ${value.name}`));
    if (!isObjectType(type) && !isInputObjectType(type)) continue;
    for (const field of Object.values(type.getFields())) {
      const path = `${type.name}.${field.name}`;
      if ("args" in field) {
        lines.push(`${path}: ${field.type}`);
        lines.push(...field.args.map((arg: GraphQLArgument) => `${path}(${argument(arg)})`));
      } else {
        lines.push(`${type.name}.${argument(field)}`);
      }
    }
  }
  return lines;
}

describe("the served schema", () => {
  it.skipIf(!existsSync(contractFile))("keeps every name, type, argument and default of the contract", () => {
    const contract = promises(buildSchema(readFileSync(contractFile, "utf8")));
    expect(contract.length).toBeGreaterThan(150);
    const have = new Set(promises(served));
    expect(contract.filter((line) => !have.has(line))).toEqual([]);
  });

  it("asks for nothing more than the contract's fields ask for", () => {
    if (!existsSync(contractFile)) return;
    const contract = buildSchema(readFileSync(contractFile, "utf8"));
    const names = new Set(promises(contract).map((line) => line.split(/[:(]/)[0]));
    const known = new Set(promises(contract));
    const added = promises(served).filter((line) => names.has(line.split(/[:(]/)[0]) && !known.has(line));
    expect(added.filter((line) => /\(\w+: [^=]*!\)$/.test(line))).toEqual([]);
  });

  it("is what docs/schema.graphql says", () => {
    const text = printedSchema(served);
    if (process.env.TOCSIN_UPDATE_DOCS) writeFileSync(printedFile, text);
    expect(readFileSync(printedFile, "utf8")).toBe(text);
  });

  it("answers what tools ask of it", () => {
    expect(graphqlSync({ schema: served, source: getIntrospectionQuery() }).errors).toBeUndefined();
  });

  it("takes its surveys from their descriptions", () => {
    const other = buildTocsinSchema([survey("ATLAS")]);
    expect(promises(other).filter((line) => line.startsWith("enum Survey"))).toEqual(["enum Survey ATLAS"]);
  });
});
