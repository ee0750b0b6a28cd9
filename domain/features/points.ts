// A light curve as typed arrays, filled again and again without making objects. Made by ingest/enrich and the API's period.

/** Points in order of time: the first `count` of each array. */
export class Points {
  count = 0;
  jd = new Float64Array(64);
  /** AB magnitude of |flux|, and its 1-sigma error. */
  magnitude = new Float64Array(64);
  magnitudeError = new Float64Array(64);
  /** Difference flux with its sign, nJy. */
  flux = new Float64Array(64);
  fluxError = new Float64Array(64);
  /** Index of the band in the survey's bands. */
  band = new Uint8Array(64);

  clear(): void {
    this.count = 0;
  }

  add(jd: number, band: number, magnitude: number, magnitudeError: number, flux: number, fluxError: number): void {
    const at = this.count;
    if (at === this.jd.length) this.#grow();
    this.jd[at] = jd;
    this.band[at] = band;
    this.magnitude[at] = magnitude;
    this.magnitudeError[at] = magnitudeError;
    this.flux[at] = flux;
    this.fluxError[at] = fluxError;
    this.count = at + 1;
  }

  /** One of another's points. */
  take({ jd, band, magnitude, magnitudeError, flux, fluxError }: Points, i: number): void {
    this.add(jd[i]!, band[i]!, magnitude[i]!, magnitudeError[i]!, flux[i]!, fluxError[i]!);
  }

  #grow(): void {
    const larger = (values: Float64Array): Float64Array<ArrayBuffer> => {
      const grown = new Float64Array(values.length * 2);
      grown.set(values);
      return grown;
    };
    const bands = new Uint8Array(this.band.length * 2);
    bands.set(this.band);
    this.band = bands;
    this.jd = larger(this.jd);
    this.magnitude = larger(this.magnitude);
    this.magnitudeError = larger(this.magnitudeError);
    this.flux = larger(this.flux);
    this.fluxError = larger(this.fluxError);
  }
}

/** Upper limits, in any order: the first `count` of each array. */
export class Limits {
  count = 0;
  jd = new Float64Array(64);
  /** 5-sigma limiting magnitude. */
  magnitude = new Float64Array(64);

  clear(): void {
    this.count = 0;
  }

  add(jd: number, magnitude: number): void {
    if (this.count === this.jd.length) {
      const { jd: times, magnitude: limits } = this;
      this.jd = new Float64Array(times.length * 2);
      this.magnitude = new Float64Array(times.length * 2);
      this.jd.set(times);
      this.magnitude.set(limits);
    }
    this.jd[this.count] = jd;
    this.magnitude[this.count] = magnitude;
    this.count += 1;
  }
}
