// A page of events gives what each event by itself gives: graphql's own execute is the truth.
import { buildSchema, execute, GraphQLError, type GraphQLSchema, parse } from "graphql";
import { expect, test } from "vitest";
import { executePage } from "./delivery.page.js";

interface Event {
  readonly n: number;
}

function schema(): GraphQLSchema {
  const built = buildSchema(`
    type Query { nothing: Int }
    type Subscription { events(ids: [ID!]!, factor: Int = 2): Event! }
    interface Numbered { n: Int! }
    type Event implements Numbered { n: Int!, times: Int!, list: [Int!]!, odd: Int, never: Int!, self: Event! }
  `);
  built.getSubscriptionType()!.getFields().events!.resolve = (event: Event, { factor, ids }) => {
    if (event.n === 7) throw new Error("seven");
    return { ...event, times: event.n * factor, list: [event.n, ids.length] };
  };
  const fields = (
    built.getType("Event") as never as { getFields(): Record<string, { resolve?: unknown }> }
  ).getFields();
  fields.odd!.resolve = async ({ n }: Event) => {
    if (n % 2 === 0) throw new GraphQLError("even", { extensions: { code: "EVEN", n } });
    return n;
  };
  fields.never!.resolve = ({ n }: Event) => (n === 4 ? null : n);
  fields.self!.resolve = (event: Event) => event;
  return built;
}

const EVENTS: readonly Event[] = Array.from({ length: 10 }, (_, n) => ({ n }));

test.each([
  ["plain", "subscription ($ids: [ID!]!) { events(ids: $ids) { n times list } }"],
  [
    "an alias and a fragment",
    "subscription ($ids: [ID!]!) { mine: events(ids: $ids, factor: 3) { ...f self { ...f } } } fragment f on Numbered { n __typename }",
  ],
  [
    "a fragment at the root",
    "subscription ($ids: [ID!]!) { ...s } fragment s on Subscription { events(ids: $ids) { n } }",
  ],
  ["fields that fail", "subscription ($ids: [ID!]!) { events(ids: $ids) { n odd self { odd } } }"],
  ["errors that take the whole event", "subscription ($ids: [ID!]!) { events(ids: $ids) { n self { never } } }"],
  [
    "directives",
    "subscription ($ids: [ID!]!, $no: Boolean = false) { events(ids: $ids) { n times @include(if: $no) } }",
  ],
])("%s", async (_, text) => {
  const args = { schema: schema(), document: parse(text), variableValues: { ids: ["a", "b"] } };
  const page = await executePage(args, EVENTS);
  const alone = await Promise.all(EVENTS.map(async (event) => execute({ ...args, rootValue: event })));
  expect(JSON.parse(JSON.stringify(page))).toEqual(JSON.parse(JSON.stringify(alone)));
  expect(page.map(({ errors }) => errors?.map(({ extensions, locations }) => [extensions, locations]))).toEqual(
    alone.map(({ errors }) => errors?.map(({ extensions, locations }) => [extensions, locations])),
  );
});

test("what is wrong with the operation is told of every event", async () => {
  const document = parse("subscription ($ids: [ID!]!) { events(ids: $ids) { n } }");
  const page = await executePage({ schema: schema(), document, variableValues: {} }, EVENTS);
  expect(page.map(({ data, errors }) => [data ?? null, errors!.length])).toEqual(EVENTS.map(() => [null, 1]));
});
