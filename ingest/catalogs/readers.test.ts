import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { Column, ElementType } from "../../domain/columns.js";
import { python, pythonHas } from "../../test/python.js";
import { openTable } from "./open.js";

const folder = mkdtempSync(join(tmpdir(), "tocsin-tables-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const MAKE = `
import gzip, os, numpy as np, pyarrow as pa, pyarrow.parquet as pq
from astropy.table import Table, MaskedColumn
from astropy.io.votable import from_table, writeto
import warnings; warnings.simplefilter('ignore')
d = input
n = 130
rng = np.random.default_rng(5)
t = Table()
t['id'] = np.array([2**63 - 1 - k for k in range(n)], dtype=np.int64)
t['name'] = [['a,b', 'with "quotes"', "O'Neil", 'Å ngstrom', ' x', 'plain'][k % 6].strip() + str(k) for k in range(n)]
t['ra'] = rng.uniform(0, 360, n); t['ra'].unit = 'deg'; t['ra'].description = 'right ascension'
t['dec'] = np.degrees(np.arcsin(rng.uniform(-1, 1, n))); t['dec'].unit = 'deg'
t['mag'] = rng.normal(18, 2, n).astype(np.float32); t['mag'].unit = 'mag'
t['mag'][3] = np.nan
t['count'] = MaskedColumn(np.arange(n, dtype=np.int32) * 7 - 20, mask=[k % 5 == 0 for k in range(n)])
t['flag'] = np.arange(n) % 3 == 0
paths = {}
def path(name):
  paths[name] = os.path.join(d, name); return paths[name]
t.write(path('t.csv'), format='ascii.csv')
t.write(path('t.tsv'), format='ascii.tab')
t.write(path('t.ecsv'), format='ascii.ecsv')
t.write(path('comma.ecsv'), format='ascii.ecsv', delimiter=',')
f = t.copy(); f['name'] = [s.replace('Å', 'A') for s in f['name']]
f.write(path('t.fits'))
for kind in ['tabledata', 'binary', 'binary2']:
  votable = from_table(t)
  votable.get_first_table().get_field_by_id('count').values.null = -99
  writeto(votable, path('t.' + kind + '.vot'), tabledata_format=kind)
t.write(path('astropy.parquet'))
arrow = pa.table({c: pa.array([None if m is np.ma.masked else m for m in t[c]] if c == 'count' else list(t[c]),
  type={'id': pa.int64(), 'name': pa.string(), 'ra': pa.float64(), 'dec': pa.float64(), 'mag': pa.float32(), 'count': pa.int32(), 'flag': pa.bool_()}[c]) for c in t.colnames})
for codec in ['none', 'snappy', 'gzip', 'zstd', 'brotli', 'lz4']:
  pq.write_table(arrow, path('t.' + codec + '.parquet'), compression=codec, row_group_size=40)
pq.write_table(arrow, path('v2.parquet'), data_page_version='2.0', use_dictionary=False, column_encoding={'id': 'DELTA_BINARY_PACKED', 'ra': 'BYTE_STREAM_SPLIT'})
for name in list(paths):
  with open(paths[name], 'rb') as src, gzip.open(path(name + '.gz'), 'wb') as out: out.write(src.read())
def plain(v):
  if v is np.ma.masked: return None
  if isinstance(v, (np.bool_, bool)): return bool(v)
  if isinstance(v, (np.floating, float)): return None if np.isnan(v) else float(v)
  return str(v)
print(json.dumps({'paths': paths, 'rows': [[plain(v) for v in row] for row in t.iterrows()], 'names': t.colnames}))`;

interface Made {
  readonly paths: Readonly<Record<string, string>>;
  readonly names: string[];
  readonly rows: (string | number | boolean | null)[][];
}

type Shown = string | number | boolean | null;

function shown(column: Column, row: number): Shown {
  const value = column.values[row]!;
  if (column.nulls?.[row] || Number.isNaN(value)) return null;
  if (column.type === "Bool") return value === 1;
  return column.type.startsWith("Float") ? Number(value) : String(value);
}

async function readAll(path: string, names?: readonly string[], skip = 0, types?: ReadonlyMap<string, ElementType>) {
  const reader = await openTable(path, types);
  try {
    const wanted = names ?? reader.columns.map(({ name }) => name);
    const rows: Shown[][] = [];
    for await (const block of reader.blocks(wanted, skip)) {
      for (let row = 0; row < block.rows; row++) rows.push(wanted.map((name) => shown(block.columns.get(name)!, row)));
    }
    return { reader, rows };
  } finally {
    await reader.close();
  }
}

const has = pythonHas("astropy", "pyarrow", "numpy");
describe.skipIf(!has)("a table that astropy and pyarrow wrote", () => {
  const made = has ? python<Made>(MAKE, folder) : (null as never);

  it.each(Object.entries(made?.paths ?? {}))("is the same read from %s", async (name, path) => {
    const { rows } = await readAll(path, made.names);
    const plain = name.includes("fits") ? (text: Shown) => String(text).replace("Å", "A") : (text: Shown) => text;
    // Written as text, a float of 32 bits is the shortest decimal of it.
    const narrow = (values: Shown[]) =>
      values.map((value, n) => (made.names[n] === "mag" && value !== null ? Math.fround(Number(value)) : value));
    const expected = made.rows.map((row) => row.map((value, n) => (made.names[n] === "name" ? plain(value) : value)));
    expect(rows.map(narrow)).toEqual(expected);
  });

  it.each(Object.keys(made?.paths ?? {}))("goes on in the middle of %s", async (name) => {
    const { rows } = await readAll(made.paths[name]!, ["dec", "id"], 77);
    expect(rows.length).toBe(130 - 77);
    expect(rows[0]).toEqual([made.rows[77]![3], made.rows[77]![0]]);
  });

  it("has units and descriptions where the format tells them", async () => {
    for (const name of ["t.ecsv", "t.fits", "t.binary2.vot", "astropy.parquet"]) {
      const { reader } = await readAll(made.paths[name]!, ["id"]);
      const ra = reader.columns.find((column) => column.name === "ra");
      expect(ra).toMatchObject({ type: "Float64", unit: "deg" });
      if (name !== "t.fits") expect(ra?.description).toBe("right ascension");
    }
  });

  it.each([
    "t.csv.gz",
    "t.fits.gz",
    "t.tabledata.vot.gz",
    "t.snappy.parquet",
    "t.fits",
    "t.binary.vot",
    "t.tabledata.vot",
  ])("is refused where %s is cut off", async (name) => {
    const whole = readFileSync(made.paths[name]!);
    const cut = join(folder, `cut.${name}`);
    writeFileSync(cut, whole.subarray(0, Math.floor(whole.length * 0.7)));
    await expect(readAll(cut)).rejects.toMatchObject({
      code: "BAD_CATALOG",
      message: expect.stringContaining(basename(cut)),
    });
  });

  it("is refused where Parquet's pages are damaged", async () => {
    const bytes = readFileSync(made.paths["t.zstd.parquet"]!);
    bytes.fill(0xaa, 60, 400);
    const path = join(folder, "damaged.parquet");
    writeFileSync(path, bytes);
    await expect(readAll(path)).rejects.toMatchObject({ code: "BAD_CATALOG" });
  });
});

describe("CSV as people write it", () => {
  const written = (text: string | Buffer): string => {
    const path = join(folder, `${Math.random()}.csv`);
    writeFileSync(path, text);
    return path;
  };

  it("may have comments, a commented line of names, bars, blanks and other ends of lines", async () => {
    expect((await readAll(written("# made by hand\nra,dec\n1,2\n"))).rows).toEqual([["1", "2"]]);
    expect((await readAll(written("# list\n#ra,dec,name\n1.5,2,a\n3,4,b\n"))).rows).toEqual([
      [1.5, "2", "a"],
      [3, "4", "b"],
    ]);
    expect((await readAll(written("ra|dec\r\n1.5|2.5\r\n"))).rows).toEqual([[1.5, 2.5]]);
    expect((await readAll(written("\ufeffra;dec\n1.5;-2.5"))).rows).toEqual([[1.5, -2.5]]);
  });

  it("may quote what it likes, lines within a field too, wherever the pieces of the file end", async () => {
    const rows = Array.from({ length: 40_000 }, (_, n) =>
      n % 9_000 === 7 ? `${n},"a ""b"",\nc${n}"` : `${n},plain text of ${n}`,
    );
    const { rows: read } = await readAll(written(`"id","name"\n${rows.join("\n")}\n`));
    expect(read.length).toBe(40_000);
    expect(read[9_007]).toEqual(["9007", 'a "b",\nc9007']);
    expect(read[39_999]).toEqual(["39999", "plain text of 39999"]);
    const unclosed = written(`id,name\n1,"never closed\n${"2,x\n".repeat(1_500_000)}`);
    await expect(readAll(unclosed)).rejects.toMatchObject({
      message: expect.stringMatching(/line 2: a quote is not closed/),
    });
  });

  it("keeps numbers with leading zeros, large ids and gaps", async () => {
    const path = written("id,code,v\n9223372036854775807,007,\n-5,010,nan\n3,100,2.5\n");
    expect((await readAll(path)).rows).toEqual([
      ["9223372036854775807", "007", null],
      ["-5", "010", null],
      ["3", "100", 2.5],
    ]);
  });

  it("keeps every digit of whole numbers that 64 bits with a sign do not hold", async () => {
    const path = written("a,b,c\n11259162540000000001,123456789012345678901234,1\n5,7,-18446744073709551615\n");
    const { reader, rows } = await readAll(path);
    expect(reader.columns.map(({ type }) => type)).toEqual(["UInt64", "String", "String"]);
    expect(rows[0]).toEqual(["11259162540000000001", "123456789012345678901234", "1"]);
  });

  it("may have quotes that are no borders of a field", async () => {
    const path = written('id,name,v\n1,5" hole,2\n2,plain,3\n3,"two\nlines, ""quoted""",4\n');
    expect((await readAll(path)).rows).toEqual([
      ["1", '5" hole', "2"],
      ["2", "plain", "3"],
      ["3", 'two\nlines, "quoted"', "4"],
    ]);
  });

  it("may have blank lines first, and one row below a commented line of names", async () => {
    expect((await readAll(written("\n\nra,dec\n1.5,2\n"))).rows).toEqual([[1.5, "2"]]);
    expect((await readAll(written("# ra,dec\n1.5,2.5\n"))).rows).toEqual([[1.5, 2.5]]);
  });

  it.each(["\t", ";", "|"])("may be VizieR's, with lines of units and of dashes (%j)", async (delimiter) => {
    const lines = [
      "#Table\tII_246_out:",
      "#Column\tRAJ2000\t(F10.6)\tRight ascension\t[ucd=pos.eq.ra]",
      "",
      "RAJ2000~DEJ2000~2MASS~Jmag",
      "deg~deg~ ~mag",
      "----------~----------~-----------------~------",
      "010.684737~+41.269035~00424433+4116085 ~ 9.453",
      "010.683469~+41.268585~00424403+4116069 ~      ",
      "",
      "#END#",
    ];
    const { reader, rows } = await readAll(written(`${lines.join("\n").replaceAll("~", delimiter)}\n`));
    expect(reader.columns.map(({ name, type, unit }) => [name, type, unit])).toEqual([
      ["RAJ2000", "Float64", "deg"],
      ["DEJ2000", "Float64", "deg"],
      ["2MASS", "String", null],
      ["Jmag", "Float64", "mag"],
    ]);
    expect(rows.map(([ra, dec, , mag]) => [ra, dec, mag])).toEqual([
      [10.684737, 41.269035, 9.453],
      [10.683469, 41.268585, null],
    ]);
  });

  it("says which line has another number of fields than there are names above it", async () => {
    for (const head of ["a\tb\tc\ndeg\tdeg\t \n---\t---\t---\n", "# a\tb\tc\n"]) {
      await expect(readAll(written(`${head}1.5\t2.5\n3.5\t4.5\n`))).rejects.toMatchObject({
        code: "BAD_CATALOG",
        message: expect.stringMatching(/line \d has 2 fields, not 3|there is no such column|names/),
      });
    }
  });

  it("names row and column of what does not fit, and takes a type that is told", async () => {
    const rows = Array.from({ length: 10_050 }, (_, n) => `${n},${n === 10_040 ? "2.5" : "7"}`);
    const path = written(`id,v\n${rows.join("\n")}\n`);
    await expect(readAll(path)).rejects.toMatchObject({
      message: expect.stringMatching(/row 10041, column v: "2.5" is no whole/),
    });
    const { rows: read } = await readAll(path, ["v"], 10_040, new Map([["v", "Float64"]]));
    expect(read[0]).toEqual([2.5]);
  });

  it("says what is wrong with other files", async () => {
    const codes = { code: "BAD_CATALOG" };
    await expect(readAll(written("a,b\n1,2\n3\n"))).rejects.toMatchObject({
      ...codes,
      message: expect.stringMatching(/line 3/),
    });
    await expect(readAll(written("1,2\n3,4\n"))).rejects.toMatchObject({
      message: expect.stringMatching(/names of columns/),
    });
    await expect(readAll(written("a,a\n1,2\n"))).rejects.toMatchObject({
      message: expect.stringMatching(/two columns/),
    });
    await expect(readAll(written("<!DOCTYPE html><html>"))).rejects.toMatchObject({
      message: expect.stringMatching(/web page/),
    });
    await expect(readAll(written(Buffer.from([1, 2, 0, 3])))).rejects.toMatchObject({
      message: expect.stringMatching(/none of/),
    });
    const ipac = "\\fixlen = T\n|    ra|   dec|\n|double|double|\n|   deg|   deg|\n   1.50   2.50 \n   1.60   2.60 \n";
    await expect(readAll(written(ipac))).rejects.toMatchObject({ message: expect.stringMatching(/an IPAC table/) });
    for (const [kind, first] of [
      ["zstd", [0x28, 0xb5, 0x2f, 0xfd]],
      ["zip", [0x50, 0x4b, 3, 4]],
      ["bzip2", [0x42, 0x5a, 0x68, 0x39]],
      ["xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]],
    ] as const) {
      await expect(readAll(written(Buffer.from([...first, 65, 66, 67])))).rejects.toMatchObject({
        message: expect.stringContaining(`packed with ${kind}`),
      });
    }
    await expect(readAll(written(`ra,dec\n${"1".repeat(9_000_000)}`))).rejects.toMatchObject({
      message: expect.stringMatching(/line 2: .*longer than/),
    });
    await expect(readAll(written(""))).rejects.toMatchObject({ message: expect.stringMatching(/empty/) });
    await expect(readAll(join(folder, "absent.csv"))).rejects.toMatchObject({ code: "NOT_FOUND" });
    await expect(readAll(written("a,b\n1,2\n"), ["c"])).rejects.toMatchObject({
      message: expect.stringMatching(/there are a, b/),
    });
  });
});

describe("a VOTable", () => {
  const table = (cells: string): string => {
    const path = join(folder, `${Math.random()}.vot`);
    const fields = '<FIELD name="ra" datatype="double"/><FIELD name="is" datatype="boolean"/>';
    const head = `<?xml version="1.0"?><VOTABLE><RESOURCE><TABLE>${fields}<DATA><TABLEDATA>`;
    writeFileSync(path, `${head}${cells}</TABLEDATA></DATA></TABLE></RESOURCE></VOTABLE>`);
    return path;
  };

  it("may say of a truth value that it is not known", async () => {
    expect((await readAll(table("<TR><TD>1.5</TD><TD>?</TD></TR><TR><TD/><TD>T</TD></TR>"))).rows).toEqual([
      [1.5, null],
      [null, true],
    ]);
  });

  it("is refused where a cell has no end", async () => {
    const path = table(`<TR><TD>${"1".repeat(9_000_000)}</TD><TD>T</TD></TR>`);
    await expect(readAll(path)).rejects.toMatchObject({ message: expect.stringMatching(/row 1.*longer than/) });
  });
});
