// The house rules of docs/walk.md as data: who may import whom. Checked by `npm run check`.
const rooms = ["domain", "schema", "resolvers", "ingest", "stores", "subscriptions", "filters", "server", "cli"];
const mayImport = {
  domain: [],
  schema: ["domain"],
  resolvers: ["schema", "domain", "stores", "filters", "subscriptions"],
  ingest: ["domain", "stores", "filters", "subscriptions"],
  stores: ["domain"],
  subscriptions: ["domain", "stores"],
  filters: ["domain", "stores"],
  server: ["resolvers", "schema", "domain", "stores", "subscriptions"],
};
const tests = "\\.(test|contract)\\.ts$";
const folders = Object.entries(mayImport).map(([room, allowed]) => ({
  name: `${room}-imports-only-${allowed.join("-") || "itself"}`,
  severity: "error",
  from: { path: `^${room}/`, pathNot: tests },
  to: { path: `^(${rooms.filter((r) => r !== room && !allowed.includes(r)).join("|")})/` },
}));

module.exports = {
  forbidden: [
    ...folders,
    { name: "no-cycles", severity: "error", from: {}, to: { circular: true } },
    {
      name: "engines-are-picked-by-cli",
      comment:
        "Only cli/ and tests may name an engine's folder; everybody else sees the interfaces at the top of stores/.",
      severity: "error",
      from: { pathNot: `^(cli|bench|test|stores)/|${tests}` },
      to: { path: "^stores/[^/]+/" },
    },
    {
      name: "engines-do-not-know-each-other",
      severity: "error",
      from: { path: "^stores/([^/]+)/", pathNot: tests },
      to: { path: "^stores/[^/]+/", pathNot: "^stores/$1/" },
    },
    {
      name: "surveys-do-not-know-each-other",
      severity: "error",
      from: { path: "^ingest/surveys/([^/]+)/" },
      to: { path: "^ingest/surveys/[^/]+/", pathNot: "^ingest/surveys/$1/" },
    },
    {
      name: "areas-do-not-know-each-other",
      severity: "error",
      from: { path: "^resolvers/([^/]+)/" },
      to: { path: "^resolvers/[^/]+/", pathNot: "^resolvers/$1/" },
    },
    { name: "nothing-unresolved", severity: "error", from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    parser: "swc",
    tsPreCompilationDeps: true,
    doNotFollow: { path: "node_modules" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "require", "node", "default"] },
  },
};
