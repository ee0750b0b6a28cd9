// The schema as text: docs/schema.graphql, which clients' tools read. Called by cli/ and held up to date by a test.
import { type GraphQLSchema, printSchema } from "graphql";

const HEAD = "# The schema that the service serves. Printed from the code; a test keeps it up to date.\n\n";

export const printedSchema = (schema: GraphQLSchema): string => `${HEAD}${printSchema(schema)}\n`;
