import { describe, expect, it } from "vitest";
import { python, pythonHas } from "../test/python.js";
import type { Column } from "./columns.js";
import { fitsColumn } from "./fitstable.columns.js";
import { fitsDataBytes, fitsHeader, fitsTable } from "./fitstable.js";

const MAKE = `
import io, base64, numpy as np
from astropy.io import fits
rng = np.random.default_rng(3)
n = 7
big = np.array([2**63-1, -2**63, 0, 1, 2**53+1, -5, 9], dtype=np.int64)
cols = [
  fits.Column('flag', 'L', array=np.array([True, False, True, True, False, False, True])),
  fits.Column('byte', 'B', array=np.arange(n, dtype=np.uint8) + 249),
  fits.Column('sbyte', 'B', bzero=-128, array=np.arange(n, dtype=np.int8) - 100),
  fits.Column('short', 'I', null=-99, array=np.array([1, -99, 3, 4, 5, -6, 7], dtype=np.int16)),
  fits.Column('ushort', 'I', bzero=32768, array=np.arange(n, dtype=np.uint16) + 65000),
  fits.Column('int', 'J', array=np.arange(n, dtype=np.int32) * -100000),
  fits.Column('uint', 'J', bzero=2**31, array=np.arange(n, dtype=np.uint32) + 4294967000),
  fits.Column('long', 'K', array=big),
  fits.Column('ulong', 'K', bzero=2**63, array=np.array([0, 2**64-1, 2**63, 5, 6, 7, 2**53+1], dtype=np.uint64)),
  fits.Column('float', 'E', unit='mag', array=rng.normal(size=n).astype(np.float32)),
  fits.Column('double', 'D', unit='deg', array=np.append(rng.normal(size=n-1), np.nan)),
  fits.Column('scaled', 'I', unit='SCALE', disp='I5', array=np.arange(n, dtype=np.int16)),
  fits.Column('text', '12A', array=np.array(['a', 'bc def', '', "it's", 'Gliese', 'x' * 12, ' lead'])),
  fits.Column('three', '3E', array=rng.normal(size=(n, 3)).astype(np.float32)),
  fits.Column('complex', 'C', array=np.ones(n, dtype=np.complex64)),
  fits.Column('after', 'J', array=np.arange(n)),
]
hdu = fits.BinTableHDU.from_columns(cols, name='CAT')
hdu.header['COMMENT'] = 'free text'
out = io.BytesIO(); fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(out)
raw = out.getvalue()
for card, other in [("TUNIT12 = 'SCALE   '", "TSCAL12 =                  0.5"), ("TDISP12 = 'I5      '", "TZERO12 =                 10.0")]:
  assert card.ljust(80).encode() in raw
  raw = raw.replace(card.ljust(80).encode(), other.ljust(80).encode())
out = io.BytesIO(raw)
ascii_ = fits.TableHDU.from_columns([
  fits.Column('name', 'A6', array=np.array(['one', 'two', 'three'])),
  fits.Column('n', 'I10', array=np.array([1, -22, 333])),
  fits.Column('v', 'E15.7', array=np.array([1.5, -2.25e10, 3e-9])),
])
out2 = io.BytesIO(); fits.HDUList([fits.PrimaryHDU(), ascii_]).writeto(out2)
table = fits.open(io.BytesIO(out.getvalue()))[1].data
def values(name):
  return [str(int(v)) if isinstance(v, np.floating) else str(v) for v in np.ravel(table[name])]
print(json.dumps({
  'binary': base64.b64encode(out.getvalue()).decode(), 'ascii': base64.b64encode(out2.getvalue()).decode(),
  'truth': {c: values(c) for c in ['byte','sbyte','ushort','int','uint','long','ulong','text','after']},
  'floats': {c: [float(v) if np.isfinite(v) else None for v in np.ravel(table[c])] for c in ['float','double','scaled','three']},
}))`;

interface Made {
  readonly binary: string;
  readonly ascii: string;
  readonly truth: Readonly<Record<string, string[]>>;
  readonly floats: Readonly<Record<string, (number | null)[]>>;
}

function opened(base64: string) {
  const bytes = new Uint8Array(Buffer.from(base64, "base64"));
  const primary = fitsHeader(bytes)!;
  const at = primary.byteLength + fitsDataBytes(primary.cards);
  const header = fitsHeader(bytes, at)!;
  const table = fitsTable(header.cards)!;
  const read = (name: string): Column => {
    const column = table.columns.find((one) => one.name === name)!;
    return fitsColumn(table, column, bytes, at + header.byteLength, table.rows);
  };
  return { bytes, table, read };
}

const texts = (column: Column): string[] => Array.from(column.values as ArrayLike<unknown>, String);

describe.skipIf(!pythonHas("astropy", "numpy"))("tables that astropy wrote", () => {
  const made = pythonHas("astropy", "numpy") ? python<Made>(MAKE) : (null as never);

  it("give every value as astropy reads it", () => {
    const { table, read } = opened(made.binary);
    expect(table).toMatchObject({ kind: "binary", name: "CAT", rows: 7 });
    for (const [name, values] of Object.entries(made.truth)) expect([name, texts(read(name))]).toEqual([name, values]);
    for (const [name, values] of Object.entries(made.floats)) {
      const found = Array.from(read(name).values as Float64Array, (v) => (Number.isNaN(v) ? null : v));
      expect([name, found]).toEqual([name, values]);
    }
  });

  it("have types, units and missing values", () => {
    const { table, read } = opened(made.binary);
    const types = Object.fromEntries(table.columns.map(({ name, type }) => [name, type]));
    expect(types).toMatchObject({ sbyte: "Int8", ushort: "Int32", uint: "UInt32", ulong: "UInt64", scaled: "Float64" });
    expect(types.complex).toBeNull();
    expect(table.columns.find(({ name }) => name === "float")?.unit).toBe("mag");
    expect([...read("short").nulls!]).toEqual([0, 1, 0, 0, 0, 0, 0]);
    expect([...(read("flag").values as Uint8Array)]).toEqual([1, 0, 1, 1, 0, 0, 1]);
    expect(() => read("complex")).toThrow(/complex/);
  });

  it("are read from ASCII tables too", () => {
    const { table, read } = opened(made.ascii);
    expect(table.kind).toBe("ascii");
    expect(texts(read("name"))).toEqual(["one", "two", "three"]);
    expect(texts(read("n"))).toEqual(["1", "-22", "333"]);
    expect([...(read("v").values as Float64Array)]).toEqual([1.5, -2.25e10, 3e-9]);
  });

  it("say that they are cut off", () => {
    const { bytes, table } = opened(made.binary);
    const column = table.columns[0]!;
    expect(() => fitsColumn(table, column, bytes.subarray(0, 9000), 8640, 7)).toThrow(/ends within its rows/);
    expect(fitsHeader(bytes.subarray(0, 1000))).toBeNull();
    expect(() => fitsHeader(new Uint8Array(2880))).toThrow(/no FITS header/);
  });
});
