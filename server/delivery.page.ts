// Many events of a subscription in one execution: variables, arguments and selections are looked at once for all of them.
// Called by delivery.ts.
import {
  type ExecutionArgs,
  type ExecutionResult,
  execute,
  GraphQLError,
  type GraphQLFieldConfig,
  GraphQLList,
  GraphQLObjectType,
  GraphQLSchema,
  getNullableType,
} from "graphql";

/**
 * What `execute` gives for each event as its root value, in their order. Subscription fields never give null: an event with
 * an error that nothing below takes has no data.
 */
export async function executePage(args: ExecutionArgs, events: readonly unknown[]): Promise<ExecutionResult[]> {
  const { data, errors = [] } = await execute({ ...args, schema: pagedSchema(args.schema), rootValue: events });
  const errorsOf = events.map((): GraphQLError[] => []);
  for (const error of errors) {
    const [field, at, ...below] = error.path ?? [];
    if (typeof at !== "number") for (const list of errorsOf) list.push(error);
    else errorsOf[at]!.push(errorAt(error, [field!, ...below]));
  }
  return events.map((_, at) => {
    const own = errorsOf[at]!;
    const entries = Object.entries(data ?? {}).map(([name, values]) => [
      name,
      Array.isArray(values) ? values[at] : values,
    ]);
    const isWhole = data && entries.every(([, value]) => value !== null);
    return { ...(own.length > 0 && { errors: own }), data: isWhole ? Object.fromEntries(entries) : null };
  });
}

function errorAt(error: GraphQLError, path: (string | number)[]): GraphQLError {
  const { message, nodes = null, source = null, positions = null, originalError = null, extensions } = error;
  return new GraphQLError(message, { nodes, source, positions, path, originalError, extensions });
}

const pagedSchemas = new WeakMap<GraphQLSchema, GraphQLSchema>();

/** The schema with a type Subscription whose fields take a list of events and give a list with an entry for each. */
function pagedSchema(schema: GraphQLSchema): GraphQLSchema {
  let paged = pagedSchemas.get(schema);
  if (paged === undefined) {
    const single = schema.getSubscriptionType()!;
    const { fields, ...subscription } = single.toConfig();
    const lists = Object.entries(fields).map(([name, field]) => [name, overList(field)]);
    const { types, ...others } = schema.toConfig();
    paged = new GraphQLSchema({
      ...others,
      types: types.filter((type) => type !== single),
      subscription: new GraphQLObjectType({ ...subscription, fields: Object.fromEntries(lists) }),
      assumeValid: true,
    });
    pagedSchemas.set(schema, paged);
  }
  return paged;
}

function overList<C>(field: GraphQLFieldConfig<unknown, C>): GraphQLFieldConfig<readonly unknown[], C> {
  const { type, resolve, subscribe: _, ...others } = field;
  return {
    ...others,
    type: new GraphQLList(getNullableType(type)),
    resolve: (events, ...of) =>
      events.map((event) => {
        try {
          return resolve!(event, ...of);
        } catch (error) {
          // A returned error is the entry's own; a thrown one would be everybody's.
          return error instanceof Error ? error : new Error(String(error));
        }
      }),
  };
}
