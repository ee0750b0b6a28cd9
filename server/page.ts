// The query page at "/": GraphiQL out of its npm package, with nothing from other sites, so that it works offline.
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import express, { type Router } from "express";
import { EXAMPLES } from "./examples.js";

const require = createRequire(import.meta.url);
const packageFile = (name: string, file: string) => join(dirname(require.resolve(`${name}/package.json`)), file);

/** Address on the page to file in node_modules. */
const FILES = {
  "react.js": packageFile("react", "umd/react.production.min.js"),
  "react-dom.js": packageFile("react-dom", "umd/react-dom.production.min.js"),
  "graphiql.js": packageFile("graphiql", "graphiql.min.js"),
  "graphiql.css": packageFile("graphiql", "graphiql.min.css"),
  "graphql-ws.js": packageFile("graphql-ws", "umd/graphql-ws.min.js"),
};

// The editor sets style attributes; its fonts are data: addresses in its own style sheet.
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width" />
    <title>Tocsin</title>
    <link rel="icon" href="data:," />
    <link rel="stylesheet" href="/page/graphiql.css" />
    <link rel="stylesheet" href="/page/page.css" />
  </head>
  <body>
    <div id="page">Loading the query page.</div>
    <script src="/page/react.js"></script>
    <script src="/page/react-dom.js"></script>
    <script src="/page/graphiql.js"></script>
    <script src="/page/graphql-ws.js"></script>
    <script src="/page/page.js"></script>
  </body>
</html>
`;

const STYLE = "html, body, #page { height: 100%; margin: 0; }\n";

const SCRIPT = `const http = new URL("/graphql", location.href);
const socket = new URL(http);
socket.protocol = http.protocol === "https:" ? "wss:" : "ws:";
// A socket has no headers: what the headers' editor says of Authorization goes along when it opens.
let headers = {};
const authorization = () => Object.entries(headers).find(([name]) => name.toLowerCase() === "authorization")?.[1];
const send = GraphiQL.createFetcher({
  url: http.href,
  wsClient: graphqlWs.createClient({ url: socket.href, connectionParams: () => ({ authorization: authorization() }) }),
});
const fetcher = (operation, options) => {
  headers = options?.headers ?? {};
  return send(operation, options);
};
const defaultTabs = ${JSON.stringify(EXAMPLES.map((query) => ({ query })))};
ReactDOM.createRoot(document.getElementById("page")).render(
  React.createElement(GraphiQL, { fetcher, defaultTabs, defaultQuery: defaultTabs[0].query }),
);
`;

export function queryPage(): Router {
  const router = express.Router();
  router.get("/", (_request, response) => {
    response.set("content-security-policy", POLICY).type("html").send(PAGE);
  });
  router.get("/page/page.js", (_request, response) => {
    response.type("js").send(SCRIPT);
  });
  router.get("/page/page.css", (_request, response) => {
    response.type("css").send(STYLE);
  });
  for (const [name, file] of Object.entries(FILES)) {
    router.get(`/page/${name}`, (_request, response) => {
      // "allow": the service may be installed below a folder whose name starts with a dot.
      response.sendFile(file, { dotfiles: "allow", maxAge: "1h" });
    });
  }
  return router;
}
