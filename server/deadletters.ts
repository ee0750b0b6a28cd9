// GET /deadletters/{id}: the original bytes of a dead letter, for whoever may change something. Mounted by cli/ through
// createApp's `routes`; errors are coded by the app.
import { type Request, Router } from "express";
import { TocsinError } from "../domain/errors.js";
import type { Viewer } from "../domain/viewer.js";
import type { DeadLetterStore } from "../stores/deadletters.store.js";

const MAX_ID = 2n ** 64n - 1n;

/**
 * A container file or a frame as it came, or the bare Avro record: then the header x-schema-fingerprint names what wrote
 * it. Throws NOT_ALLOWED, BAD_ARGUMENT, NOT_FOUND.
 */
export function deadLetterRoutes(
  letters: Pick<DeadLetterStore, "whole">,
  viewerOf: (request: Request) => Viewer,
): Router {
  const router = Router();
  router.get("/deadletters/:id", async (request, response) => {
    const viewer = viewerOf(request);
    if (!viewer.mayChange) throw new TocsinError("NOT_ALLOWED", "The caller may not read dead letters.");
    const id = /^\d{1,20}$/.test(request.params.id) ? BigInt(request.params.id) : -1n;
    if (id < 0n || id > MAX_ID) {
      const found = request.params.id.slice(0, 40);
      throw new TocsinError("BAD_ARGUMENT", `A dead letter's id is a 64-bit integer, found "${found}".`);
    }
    const [letter] = await letters.whole(viewer, [id]);
    if (letter?.bytes == null) throw new TocsinError("NOT_FOUND", `Nothing is kept of a dead letter ${id}.`);
    if (letter.schema !== undefined) response.set("x-schema-fingerprint", letter.schema.fingerprint);
    response.set("cache-control", "private, no-store").set("x-content-type-options", "nosniff");
    response.set("content-disposition", `attachment; filename="deadletter_${id}.avro"`);
    response.type("application/octet-stream").send(Buffer.from(letter.bytes));
  });
  return router;
}
