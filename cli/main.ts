#!/usr/bin/env node
// The way in: `npm start`, `npm run cli -- …`. GraphQL's library checks more and runs slower unless it is told that this
// is production before it loads, hence the late import.
process.env.NODE_ENV ??= "production";
await import("./program.js");

export {};
