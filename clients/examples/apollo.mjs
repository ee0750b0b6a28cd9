// Apollo Client: a query over HTTP, then live hits over graphql-ws:  node apollo.mjs OBJECT_ID FILTER_ID [CURSOR]
import { ApolloClient, ApolloLink, gql, HttpLink, InMemoryCache } from "@apollo/client";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { OperationTypeNode } from "graphql";
import { createClient } from "graphql-ws";
import WebSocket from "ws";

const uri = `${process.env.TOCSIN_URL ?? "http://127.0.0.1:4000"}/graphql`;
const token = process.env.TOCSIN_TOKEN;
const [objectId, filterId, after] = process.argv.slice(2);

const authorization = token ? { authorization: `Bearer ${token}` } : {};
const socket = createClient({
  url: uri.replace("http", "ws"),
  webSocketImpl: WebSocket,
  connectionParams: authorization,
  retryAttempts: 0, // a retry would send the same `after` again: see subscribe.mjs for how to go on after a break
});
const client = new ApolloClient({
  cache: new InMemoryCache(),
  link: ApolloLink.split(
    ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION,
    new GraphQLWsLink(socket),
    new HttpLink({ uri, headers: authorization }),
  ),
});

const LIGHT_CURVE = gql`
  query LightCurve($objectId: ID!) {
    object(survey: ZTF, objectId: $objectId) {
      objectId
      alertCount
      lightCurve { detections { candid jd band magnitude } }
    }
  }
`;
const HITS = gql`
  subscription Hits($filterIds: [ID!]!, $after: String) {
    filterHits(filterIds: $filterIds, after: $after) { cursor passedAt alert { candid objectId band magnitude } }
  }
`;

const { data } = await client.query({ query: LIGHT_CURVE, variables: { objectId } });
console.log(JSON.stringify(data.object));

client.subscribe({ query: HITS, variables: { filterIds: [filterId], after } }).subscribe({
  next: ({ data, error }) => console.log(JSON.stringify(error ?? data.filterHits)),
  error: (error) => {
    console.error(error.message ?? error);
    process.exit(1);
  },
});
