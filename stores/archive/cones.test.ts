// The cells of small circles against points within them, near every kind of edge of the sky and of HEALPix's faces.
import fc from "fast-check";
import { expect, it } from "vitest";
import { nestedPixel, pixelsAround } from "../../domain/healpix.js";
import { moved } from "../../test/skyworld.js";
import { cellsAround } from "./cones.js";

const arcsec = fc.double({ min: -10, max: 10, noNaN: true });
const place = fc.oneof(
  fc.tuple(fc.double({ min: 0, max: 359.999, noNaN: true }), fc.double({ min: -90, max: 90, noNaN: true })),
  fc.tuple(fc.constantFrom(0, 45, 90, 135, 359.9999), fc.constantFrom(0, 41.8103149, -41.8103149, 89.999, -89.999)),
);

it("holds every point of the circle", () => {
  let boxes = 0;
  const property = fc.property(place, fc.tuple(arcsec, arcsec), fc.boolean(), ([ra, dec], [east, north], jitter) => {
    const centre = jitter ? moved(ra, dec, north, east) : { ra, dec };
    const point = moved(centre.ra, centre.dec, east, north);
    // A tangent plane's step is a little longer than the arc.
    const radius = Math.hypot(east, north) + 1e-6;
    const cells = cellsAround(centre.ra, centre.dec, radius);
    expect(cells).toContain(Number(nestedPixel(point.ra, point.dec) >> 26n));
    expect(new Set(cells).size).toBe(cells.length);
    if (pixelsAround(centre.ra, centre.dec, radius / 3600, 16) !== null) boxes += 1;
  });
  fc.assert(property, { numRuns: 5000 });
  expect(boxes).toBeGreaterThan(2000);
});

it("holds not much more: some twenty cells for 2 arcsec", () => {
  expect(cellsAround(201.3, 47.9, 2).length).toBeLessThan(20);
  expect(cellsAround(201.3, 47.9, 60).length).toBeLessThan(4000);
});
