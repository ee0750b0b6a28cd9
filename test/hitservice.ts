// The service's own HTTP and WebSocket server and schema over a log of hits in memory: filters f1, f2, f3 exist.
import type { GraphQLSchema } from "graphql";
import pino from "pino";
import type { SurveyDescription } from "../domain/survey.js";
import { buildTocsinSchema } from "../resolvers/build.js";
import { createContext } from "../resolvers/context.js";
import type { Services } from "../resolvers/services.js";
import { type App, createApp } from "../server/app.js";
import { ownerViewer } from "../server/auth.js";
import type { SocketLimits } from "../server/bounds.js";
import { createHitHub, type HitHub } from "../subscriptions/hub.js";
import type { MemoryHits } from "./memoryhits.js";

const TOKEN = "a-token-for-tests";
/** connection_init payload of the owner; without it a caller is anonymous. */
export const OWNER_PARAMS = { authorization: `Bearer ${TOKEN}` };

export interface HitService {
  readonly url: string;
  readonly port: number;
  readonly app: App;
  readonly hub: HitHub;
  readonly schema: GraphQLSchema;
  /** A context of the owner's. */
  readonly context: () => object;
  /** Times that the root field of the subscription was resolved: once for each GraphQL execution. */
  readonly executions: () => number;
  close(): Promise<void>;
}

const ZTF: SurveyDescription = {
  id: "ZTF",
  title: "Zwicky Transient Facility",
  fields: [],
  bands: ["g", "r", "i"],
  publicProgramids: [1],
  counterpartRadiusArcsec: 1.5,
  pointColumns: [],
  pointFields: { detections: [], nonDetections: [], forced: [] },
  nightOffsetHours: 0,
};

export async function startHitService(log: MemoryHits, sockets: Partial<SocketLimits> = {}): Promise<HitService> {
  const hub = await createHitHub(log);
  const schema = buildTocsinSchema([ZTF]);
  const field = schema.getSubscriptionType()!.getFields().filterHits!;
  const resolve = field.resolve!;
  let executions = 0;
  field.resolve = (...of) => {
    executions += 1;
    return resolve(...of);
  };
  const versions = [{ number: 1, where: "magpsf < 30", annotations: [] }];
  const filters = new Map(["f1", "f2", "f3"].map((id) => [id, { id, versions }]));
  const stores = {
    hits: log.hits,
    alerts: log.alerts,
    filters: {
      byIds: async (ids: string[]) => new Map(ids.flatMap((id) => (filters.has(id) ? [[id, filters.get(id)]] : []))),
    },
  };
  const services = { stores, hub, surveys: new Map([["ZTF", ZTF]]) } as unknown as Services;
  const app = await createApp({
    // Not loopback: so a caller without the token is anonymous.
    settings: { host: "0.0.0.0", port: 0, token: TOKEN, allowedHosts: [], allowedOrigins: [], limits: { sockets } },
    schema,
    services,
    log: pino({ level: "silent" }),
  });
  const port = await app.listen();
  return {
    url: `ws://127.0.0.1:${port}/graphql`,
    port,
    app,
    hub,
    schema,
    context: () => createContext(services, ownerViewer([ZTF])),
    executions: () => executions,
    async close() {
      await app.close();
      hub.close();
    },
  };
}
