// SQL of nights. Used by every statement that counts by them.

/** Whole days since 1970-01-01 of a column jd, as domain/night.ts counts them. Binds {nightOffsetHours:Float64}. */
export const NIGHT = "toInt32(floor(jd - (2440587.5 + {nightOffsetHours:Float64} / 24)))";
