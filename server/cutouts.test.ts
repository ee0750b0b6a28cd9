// The cutout routes over real HTTP, their pictures against numpy and the colour maps against matplotlib's.
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import express from "express";
import { pino } from "pino";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { COLOUR_MAPS, type ColourMap, palette } from "../domain/colours.js";
import { maySee, type Viewer } from "../domain/viewer.js";
import type { PacketReader } from "../stores/packets.store.js";
import { rawFits, type TrueCutout, trueCutouts } from "../test/cutouts.js";
import { python, pythonHas } from "../test/python.js";
import { cutoutRoutes } from "./cutouts.js";
import { createFaults } from "./faults.js";

/** 5 x 3 pixels: the bottom row 0 to 4, then 10 to 14, and NaN in the top right corner. */
const SMALL = (() => {
  const values = [0, 1, 2, 3, 4, 10, 11, 12, 13, 14, 20, 21, 22, 23, Number.NaN];
  const data = Buffer.alloc(60);
  for (const [k, value] of values.entries()) data.writeFloatBE(value, k * 4);
  return rawFits(["SIMPLE  = T", "BITPIX  = -32", "NAXIS   = 2", "NAXIS1  = 5", "NAXIS2  = 3"], data);
})();

/** One public alert, one of a partnership, one whose file is broken, all with science cutouts only. */
const ALERTS: Record<string, { programid: number; fits: Uint8Array }> = {
  "ZTF 2475433850015010009": { programid: 1, fits: SMALL },
  "ZTF 2": { programid: 2, fits: SMALL },
  "ZTF 3": {
    programid: 1,
    fits: rawFits(["SIMPLE  = T", "BITPIX  = -32", "NAXIS   = 2", "NAXIS1  = 99999999", "NAXIS2  = 99999999"]),
  },
  "LSST -9223372036854775808": { programid: 1, fits: SMALL },
};
const real = new Map<string, Uint8Array>();
const reader: Pick<PacketReader, "cutout"> = {
  cutout: async (viewer, survey, candid, kind) => {
    const alert = ALERTS[`${survey} ${candid}`];
    if (real.has(`${survey} ${candid}`)) return real.get(`${survey} ${candid}`) ?? null;
    return alert && kind === "science" && maySee(viewer, survey, alert.programid) ? alert.fits : null;
  },
};
const programids = new Map([
  ["ZTF", [1]],
  ["LSST", [1]],
]);
const anonymous: Viewer = { scope: "anonymous", programids, mayChange: false };

let server: Server;
let base: string;
beforeAll(async () => {
  const app = express().disable("etag");
  const faults = createFaults(pino({ level: "silent" }));
  app.use(cutoutRoutes({ reader, surveys: ["ZTF", "LSST"], viewerOf: () => anonymous }));
  app.use(((error, _request, response, _next) => {
    const { status, body } = faults.respond(error);
    response.status(status).json(body);
  }) as express.ErrorRequestHandler);
  server = createServer(app).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/cutouts`;
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

/** Without a cache-control of our own, fetch would ask for everything anew. */
const get = (path: string, headers: Record<string, string> = {}) =>
  fetch(`${base}/${path}`, { headers: { "cache-control": "max-age=0", ...headers } });
const bytesOf = async (response: Response) => Buffer.from(await response.arrayBuffer());
const decode = async (png: Buffer) => sharp(png).ensureAlpha().raw().toBuffer({ resolveWithObject: true });
const PUBLIC = "ZTF/2475433850015010009";

describe("cutouts over HTTP", () => {
  it("come as the survey's FITS, unchanged", async () => {
    for (const path of ["science", "science.fits", "science?format=fits", "SCIENCE.FITS"]) {
      const response = await get(`${PUBLIC}/${path}`);
      expect([response.status, response.headers.get("content-type")]).toEqual([200, "application/fits"]);
      expect((await bytesOf(response)).equals(SMALL)).toBe(true);
    }
    expect((await get("ztf/2475433850015010009/science")).status).toBe(200);
    expect((await get("LSST/-9223372036854775808/science")).status).toBe(200);
  });

  it("come as PNG by suffix, by parameter, and for browsers", async () => {
    const browser = { accept: "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8" };
    for (const [path, headers] of [
      ["science.png", {}],
      ["science?format=png", {}],
      ["science?stretch=log", {}],
      ["science", browser],
      ["science", { accept: "image/avif,image/webp,image/*,*/*;q=0.8" }],
    ] as const) {
      const response = await get(`${PUBLIC}/${path}`, headers);
      expect([response.status, response.headers.get("content-type")]).toEqual([200, "image/png"]);
      const { info } = await decode(await bytesOf(response));
      expect([info.width, info.height]).toEqual([256, 154]);
    }
    expect((await get(`${PUBLIC}/science.fits`, browser)).headers.get("content-type")).toBe("application/fits");
  });

  it("have the bottom row of the FITS at the bottom, and nothing where it has no value", async () => {
    const { data, info } = await decode(await bytesOf(await get(`${PUBLIC}/science.png?size=50`)));
    expect([info.width, info.height]).toEqual([50, 30]);
    const at = (x: number, y: number) => [...data.subarray((y * 50 + x) * 4, (y * 50 + x) * 4 + 4)];
    expect(at(0, 29)).toEqual([0, 0, 0, 255]);
    expect(at(49, 0)).toEqual([0, 0, 0, 0]);
    expect(at(39, 0)).toEqual([255, 255, 255, 255]);
    expect(at(0, 0)[0]).toBeGreaterThan(at(0, 15)[0]!);
    expect(at(0, 15)[0]).toBeGreaterThan(at(49, 29)[0]!);
  });

  it("may be kept by the caller alone, and are not sent twice", async () => {
    const first = await get(`${PUBLIC}/science.png`);
    const tag = first.headers.get("etag")!;
    expect(first.headers.get("cache-control")).toMatch(/^private/);
    expect(first.headers.get("vary")).toContain("Authorization");
    expect((await get(`${PUBLIC}/science.png`, { "if-none-match": tag })).status).toBe(304);
    for (const other of ["science.fits", "science.png?cmap=heat", "science.png?size=64", "science.png?stretch=log"]) {
      const response = await get(`${PUBLIC}/${other}`, { "if-none-match": tag });
      expect(response.status).toBe(200);
      expect(response.headers.get("etag")).not.toBe(tag);
    }
  });

  it("of missing and of unseen alerts answer the same", async () => {
    const answers = await Promise.all(
      ["ZTF/2/science", "ZTF/4/science", "ZTF/2/science.png", `${PUBLIC}/template`].map(async (path) => {
        const response = await get(path);
        const text = (await response.text()).replaceAll(/\d{10,}|\b[24]\b/g, "N").replace("template", "science");
        return [response.status, text, response.headers.get("etag"), response.headers.get("cache-control")];
      }),
    );
    expect(answers[0]![0]).toBe(404);
    expect(answers[0]![1]).toContain("NOT_FOUND");
    for (const answer of answers) expect(answer).toEqual(answers[0]);
  });

  it.each([
    "PANSTARRS/1/science",
    "ZTF/abc/science",
    "ZTF/1e5/science",
    "ZTF/9223372036854775808/science",
    "ZTF/1/flat",
    "ZTF/1/science.jpg",
    "ZTF/1/science.png.fits",
    "ZTF/1/science.png?format=png",
    "ZTF/1/science?format=gif",
    "ZTF/1/science.png?size=15",
    "ZTF/1/science.png?size=1025",
    "ZTF/1/science.png?size=1e2",
    "ZTF/1/science.png?stretch=sqrt",
    "ZTF/1/science.png?stretch=log&stretch=asinh",
    "ZTF/1/science.png?cmap=__proto__",
    "ZTF/1/science.png?strech=log",
  ])("%s is a bad argument", async (path) => {
    const response = await get(path);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: "BAD_ARGUMENT" } }] });
  });

  it("of a broken file say so, and still come as they are", async () => {
    const response = await get("ZTF/3/science.png");
    expect(response.status).toBe(422);
    expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: "UNREADABLE_IMAGE" } }] });
    expect(response.headers.get("cache-control")).toBeNull();
    expect((await get("ZTF/3/science.fits")).status).toBe(200);
  });
});

describe.skipIf(!pythonHas("astropy", "fastavro"))("pictures of real cutouts, against numpy", () => {
  let truth: TrueCutout[];
  beforeAll(() => {
    truth = trueCutouts().filter(({ name }) => /^(ZTF|LSST)/.test(name));
    for (const [k, { bytes }] of truth.entries()) real.set(`ZTF ${1000 + k}`, bytes);
  });

  it.each(["asinh", "log"] as const)("%s, every pixel of every cutout at three times its size", async (stretch) => {
    for (const [k, { name, width, height, [stretch]: brightness }] of truth.entries()) {
      const size = Math.max(width, height) * 3;
      const { data, info } = await decode(
        await bytesOf(await get(`ZTF/${1000 + k}/science.png?stretch=${stretch}&size=${size}`)),
      );
      expect([info.width, info.height], name).toEqual([width * 3, height * 3]);
      for (let y = 0; y < info.height; y++) {
        for (let x = 0; x < info.width; x++) {
          const true_ = brightness[(height - 1 - Math.floor(y / 3)) * width + Math.floor(x / 3)]!;
          const [red, , , alpha] = data.subarray((y * info.width + x) * 4);
          const right = true_ === null ? alpha === 0 : alpha === 255 && Math.abs(red! - true_ * 255) <= 0.5 + 1e-9;
          if (!right) expect.fail(`${name} at ${x}, ${y}: ${red}, alpha ${alpha} for ${true_}`);
        }
      }
    }
  });
});

describe.skipIf(!pythonHas("matplotlib"))("colour maps, against matplotlib", () => {
  it("differ by 8 of 255 at most", () => {
    const names = ["viridis", "magma", "inferno", "plasma"] satisfies ColourMap[];
    const truth = python<number[][]>(
      "import matplotlib\nprint(json.dumps([[round(v * 255) for i in range(256) for v in matplotlib.colormaps[n](i)[:3]] for n in input]))",
      names,
    );
    for (const [k, name] of names.entries()) {
      const off = Math.max(...palette(name).map((value, at) => Math.abs(value - truth[k]![at]!)));
      expect(off, name).toBeLessThanOrEqual(8);
    }
    expect(Object.keys(COLOUR_MAPS)).toEqual(expect.arrayContaining(names));
  });
});
