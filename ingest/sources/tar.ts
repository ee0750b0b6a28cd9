// Members of a tar stream, each read whole into memory within a bound; nothing is ever written to disk.
// Called by sources/files.ts.
import type { Readable } from "node:stream";
import { extract } from "tar-stream";
import type { DeadLetter, Origin } from "../../domain/packet.js";
import type { Place, Places } from "./slabs.js";

/** An alert packet is about 75 KB; a container of a whole field some 50 MB. */
export const MAX_MEMBER_BYTES = 256 * 1024 * 1024;

export interface TarMember extends Place {
  readonly name: string;
}

/**
 * Members with their bytes, in order. Links, devices and folders are passed over. A member whose name climbs out of the
 * archive or that is larger than the bound is a dead letter; a torn archive ends in one.
 */
export async function* tarMembers(
  stream: Readable,
  path: string,
  places: Places,
): AsyncGenerator<TarMember | DeadLetter> {
  const unpack = extract();
  stream.on("error", (error) => unpack.destroy(error));
  stream.pipe(unpack);
  let members = 0;
  try {
    for await (const entry of unpack) {
      const { name, size, type } = entry.header;
      members += 1;
      const origin: Origin = { source: `${path}!${name}`, position: `member ${members}` };
      if (type !== "file" && type !== "contiguous-file") {
        entry.resume();
      } else if (name.startsWith("/") || name.split(/[\\/]/).includes("..")) {
        entry.resume();
        yield letter("UNSAFE_PATH", `The tar member ${name} climbs out of the archive; it was passed over.`, origin);
      } else if ((size ?? 0) > MAX_MEMBER_BYTES) {
        entry.resume();
        yield letter(
          "TOO_LARGE",
          `The tar member ${name} declares ${size} bytes; at most ${MAX_MEMBER_BYTES} are read.`,
          origin,
        );
      } else {
        const place = places.take(size ?? 0);
        let end = 0;
        for await (const chunk of entry) end += (chunk as Buffer).copy(place.bytes, end);
        yield { name, bytes: place.bytes.subarray(0, end), slab: place.slab };
      }
    }
    if (members === 0) {
      yield letter("EMPTY", `${path} holds no tar members.`, { source: path, position: "file" });
    }
  } catch (error) {
    const reason = error instanceof TooMuchOutput ? "TOO_LARGE" : "TRUNCATED";
    const message = `${path} breaks off after ${members} members: ${(error as Error).message}.`;
    yield letter(reason, message, { source: path, position: `member ${members + 1}` });
  } finally {
    stream.destroy();
  }
}

/** Raised by the gunzip guard of sources/files.ts. */
export class TooMuchOutput extends Error {}

function letter(reason: DeadLetter["reason"], message: string, origin: Origin): DeadLetter {
  return { reason, message, origin, survey: null, bytes: null, schemaFingerprint: null };
}
