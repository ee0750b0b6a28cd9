// GET /streams/hits.avsc: the schema of the hits in Kafka topics, for readers of AVRO streams. Mounted by cli/serve.ts.
import { Router } from "express";
import { HIT_SCHEMA_TEXT } from "../subscriptions/streams/schema.js";

export function streamRoutes(): Router {
  const router = Router();
  router.get("/streams/hits.avsc", (_request, response) => {
    response.type("application/json").send(HIT_SCHEMA_TEXT);
  });
  return router;
}
