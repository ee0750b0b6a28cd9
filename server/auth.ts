// Whose eyes: the viewer of a request. Called for every HTTP request, cutout and WebSocket.
import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { TocsinError } from "../domain/errors.js";
import type { SurveyDescription } from "../domain/survey.js";
import type { Viewer } from "../domain/viewer.js";
import { isLoopback } from "./hosts.js";

export interface AuthSettings {
  /** Address that the service listens on. */
  readonly host: string;
  /** The owner's bearer token; null where there is none. */
  readonly token: string | null;
}

/** `authorization` is the header, or what a WebSocket's connection_init says in its place. Throws NOT_ALLOWED. */
export type ViewerOf = (request: IncomingMessage, authorization: string | undefined) => Viewer;

/** Sees all and may change all. */
export function ownerViewer(surveys: Iterable<SurveyDescription>): Viewer {
  return { scope: "owner", programids: new Map([...surveys].map(({ id }) => [id, "all"])), mayChange: true };
}

/** Sees what each survey lets anybody see. */
export function anonymousViewer(surveys: Iterable<SurveyDescription>): Viewer {
  const programids = new Map([...surveys].map(({ id, publicProgramids }) => [id, publicProgramids]));
  return { scope: "anonymous", programids, mayChange: false };
}

/** Headers by which a proxy says that it speaks for somebody else. */
const FORWARDING = ["x-forwarded-for", "x-forwarded-host", "x-real-ip", "forwarded", "via"];

/**
 * The owner is who has the token, or who comes over loopback to a service that listens on loopback only. Behind a
 * proxy every caller comes over loopback: so a service that listens on more asks everybody for the token, and a request
 * that names somebody it was forwarded for is never the owner's by its address.
 */
export function viewers(surveys: Iterable<SurveyDescription>, settings: AuthSettings): ViewerOf {
  const known = [...surveys];
  const owner = ownerViewer(known);
  const anonymous = anonymousViewer(known);
  const local = isLoopback(settings.host);
  const expected = settings.token === null ? null : digest(settings.token);

  return (request, authorization) => {
    if (authorization !== undefined) {
      const given = /^Bearer +(\S+)$/i.exec(authorization.trim())?.[1];
      // Digests have one length, so that the comparison takes one time.
      if (given !== undefined && expected !== null && timingSafeEqual(digest(given), expected)) return owner;
      throw new TocsinError("NOT_ALLOWED", "The Authorization header does not carry this service's bearer token.", {
        remedy: "Send the token of TOCSIN_TOKEN or of the file token in DATA_DIR, or no Authorization header at all.",
      });
    }
    const forwarded = FORWARDING.some((header) => request.headers[header] !== undefined);
    return local && !forwarded && isLoopback(request.socket.remoteAddress ?? "") ? owner : anonymous;
  };
}

const digest = (text: string) => createHash("sha256").update(text).digest();
