// GraphQL over HTTP: Apollo with our errors, and with an operation's depth and cost looked at before it runs. Used by app.ts.
import type { Server } from "node:http";
import { ApolloServer, HeaderMap } from "@apollo/server";
import { ApolloServerPluginCacheControlDisabled } from "@apollo/server/plugin/disabled";
import { ApolloServerPluginDrainHttpServer } from "@apollo/server/plugin/drainHttpServer";
import { GraphQLError, type GraphQLSchema } from "graphql";
import type { Logger } from "pino";
import { TocsinError } from "../domain/errors.js";
import type { Context } from "../resolvers/context.js";
import { MAX_TOKENS } from "../schema/cost.js";
import { type Faults, retryAfter, STATUS } from "./faults.js";
import { checkOperation } from "./limits.js";
import { type OperationWatch, outcomeOf } from "./operation.watch.js";

const DRAIN_MS = 5_000;

/** What a resolver gets, and what the operation's cost is taken off. */
export interface HttpContext extends Context {
  /** Throws RATE_LIMITED. */
  readonly spend: (cost: number) => Promise<void>;
}

export interface ApolloParts {
  readonly schema: GraphQLSchema;
  readonly server: Server;
  readonly path: string;
  readonly faults: Faults;
  readonly log: Logger;
  readonly watch: OperationWatch;
  /** Ends what else holds connections. */
  readonly drain: () => Promise<void>;
}

export function createApollo({
  schema,
  server,
  path,
  faults,
  log,
  watch,
  drain,
}: ApolloParts): ApolloServer<HttpContext> {
  return new ApolloServer<HttpContext>({
    schema,
    introspection: true,
    csrfPrevention: true,
    persistedQueries: false,
    includeStacktraceInErrorResponses: false,
    stopOnTerminationSignals: false,
    parseOptions: { maxTokens: MAX_TOKENS },
    formatError: (formatted, error) => faults.formatGraphql(error, formatted),
    logger: log,
    plugins: [
      ApolloServerPluginCacheControlDisabled(),
      ApolloServerPluginDrainHttpServer({ httpServer: server, stopGracePeriodMillis: DRAIN_MS }),
      {
        serverWillStart: async () => ({ drainServer: drain }),
        requestDidStart: async () => {
          const end = watch.began("http");
          return {
            didResolveOperation: async ({ document, request, operation, contextValue }) => {
              try {
                if (operation?.operation === "subscription") throw overSocketsOnly(path);
                const { operationName, variables } = request;
                await contextValue.spend(
                  checkOperation({ schema, document, operationName, variableValues: variables }),
                );
              } catch (error) {
                throw error instanceof TocsinError ? refusal(error) : error;
              }
            },
            willSendResponse: async ({ operation, response: { body } }) =>
              end(
                operation?.operation ?? "unknown",
                body.kind === "single" ? outcomeOf(body.singleResult.errors) : "OK",
              ),
          };
        },
      },
    ],
  });
}

/** An operation refused as a whole: with the status that HTTP has for that. */
function refusal(originalError: TocsinError): GraphQLError {
  const http = {
    status: STATUS[originalError.code] ?? 400,
    headers: new HeaderMap(Object.entries(retryAfter(originalError))),
  };
  return new GraphQLError(originalError.message, { originalError, extensions: { http } });
}

const overSocketsOnly = (path: string) =>
  new TocsinError("BAD_REQUEST", "A subscription needs a WebSocket, not an HTTP request.", {
    remedy: `Open a WebSocket of graphql-transport-ws at ${path} and subscribe there.`,
  });
