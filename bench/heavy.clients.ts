// The other side of bench/heavy, as processes of their own: analysts with heavy queries in a loop, or a subscriber that
// notes when each hit arrives. Forked by it.
import { Agent, request } from "node:http";
import { createClient } from "graphql-ws";
import { WebSocket } from "ws";

const [role, url] = [process.argv[2]!, process.argv[3]!];
const DETECTIONS = "candid jd band magnitude magnitudeError flux fluxError isPositive";
const LIGHT_CURVES = `query ($ids: [ID!]!) { objects(survey: ZTF, objectIds: $ids) { objectId lightCurve {
  detections { ${DETECTIONS} } nonDetections { jd band limitingMagnitude } } } }`;
const CONE = `query ($ra: Float!, $dec: Float!) { coneSearch(ra: $ra, dec: $dec, radiusArcsec: 3600, first: 1000) {
  edges { separationArcsec node { survey objectId ra dec alertCount } } } }`;
const ALERTS = `query ($where: AlertWhere!) { alerts(where: $where, first: 1000) { edges { node { candid objectId time jd
  ra dec band magnitude magnitudeError flux fluxError isPositive class } } pageInfo { endCursor } } }`;

const agent = new Agent({ keepAlive: true });
process.on("disconnect", () => process.exit());
if (role === "analysts") process.on("message", analyse);
else subscribe();

/** `running` analysts until the next message; answers are read and thrown away. */
let generation = 0;
let answers = 0;
let refused = 0;
let working = 0;
function analyse({
  running,
  queries,
}: {
  running: number;
  queries: { query: "curves" | "cone" | "page"; variables: object }[];
}) {
  generation += 1;
  const mine = generation;
  const texts = { curves: LIGHT_CURVES, cone: CONE, page: ALERTS };
  const work = async (analyst: number): Promise<void> => {
    working += 1;
    for (let n = analyst; mine === generation; n += 1) {
      const { query, variables } = queries[n % queries.length]!;
      const status = await ask(JSON.stringify({ query: texts[query], variables }));
      if (status === 200) answers += 1;
      else refused += 1;
    }
    working -= 1;
    if (working === 0) done();
  };
  const done = () => {
    process.send!({ answers, refused });
    [answers, refused] = [0, 0];
  };
  if (running === 0) {
    if (working === 0) done();
  } else for (let analyst = 0; analyst < running; analyst += 1) void work(analyst);
}

function ask(body: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
    const sent = request(url, { method: "POST", agent, headers }, (response) => {
      response.resume();
      response.on("error", reject);
      response.on("end", () => resolve(response.statusCode ?? 0));
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

function subscribe(): void {
  const client = createClient({ url: url.replace("http", "ws"), webSocketImpl: WebSocket, retryAttempts: 0 });
  const query = `subscription { filterHits(filterIds: ["${process.argv[4]}"]) { alert { candid magnitude } } }`;
  let arrived: number[] = [];
  client.subscribe<{ filterHits: object }>(
    { query },
    {
      next: () => arrived.push(Date.now()),
      error: (error) => {
        console.error(error);
        process.exit(1);
      },
      complete: () => {},
    },
  );
  setInterval(() => {
    if (arrived.length > 0) process.send!(arrived);
    arrived = [];
  }, 200);
}
