// The standard by which costs of filters are told: ordinary filters over names that every survey has. Used by design.ts.

/** As people write them: brightness, significance, place, sign, band. Each has numbers of its own, so none shares its work. */
export const MEDIAN_FILTERS: readonly string[] = Array.from({ length: 16 }, (_, n) => {
  const magnitude = (18.11 + n / 7).toFixed(3);
  const snr = (5.03 + n / 9).toFixed(3);
  const latitude = (10.7 + n / 3).toFixed(3);
  const error = (0.11 + n / 91).toFixed(4);
  return (
    `magnitude < ${magnitude} and snr > ${snr} and isPositive and abs(galLat) > ${latitude} ` +
    `and magnitudeError < ${error} and not (band = 'r' and magnitude - magnitudeError > ${magnitude})`
  );
});
