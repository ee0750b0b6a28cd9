// SQL of a number that orders rows as (jd, candid) does. Used as the version column of tables where the latest row wins.

/**
 * A UInt128: the bits of `jd` made to order like the number, then the bits of the signed `candid` likewise. Exact for
 * every finite jd, negative ones too; -0 counts as 0. ReplacingMergeTree takes no tuple and no Float64 beside an Int64
 * as its version, so this is what resolves "the latest packet wins" in merges and in reads alike.
 */
export function precedence(jd: string, candid: string): string {
  const bits = `reinterpretAsUInt64(${jd} + 0.)`;
  const high = `if(${jd} < 0, bitNot(${bits}), bitXor(${bits}, ${SIGN}))`;
  const low = `bitXor(reinterpretAsUInt64(${candid}), ${SIGN})`;
  return `bitOr(bitShiftLeft(toUInt128(${high}), 64), toUInt128(${low}))`;
}

const SIGN = (2n ** 63n).toString();

/** jd out of a precedence, exactly; -0 comes back as 0. */
export function precedenceJd(precedence: string): string {
  const high = `toUInt64(bitShiftRight(${precedence}, 64))`;
  return `reinterpretAsFloat64(if(${high} < ${SIGN}, bitNot(${high}), bitXor(${high}, ${SIGN})))`;
}

/** candid out of a precedence. */
export const precedenceCandid = (precedence: string): string =>
  `reinterpretAsInt64(bitXor(toUInt64(bitAnd(${precedence}, ${(2n ** 64n - 1n).toString()})), ${SIGN}))`;
