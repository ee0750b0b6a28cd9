// What the plain reference of the filter language works on. Used by test/reference/ and the tests that compare with it.

/** 64-bit ids are bigint. null is missing; NaN never comes out. */
export type Value = number | bigint | string | boolean | null;
export type Element = Readonly<Record<string, Value>>;
/** An alert: values, and lists of elements. */
export type Row = Readonly<Record<string, Value | readonly Element[]>>;
