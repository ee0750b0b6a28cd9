// The benchmark's filter, docs/examples/cats150.filter, on the real ZTF alerts: each of its parts against Python, which
// reads the packets by itself and knows the filter from its published words.
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readContainer } from "../ingest/avro/container.js";
import { avroFiles } from "../ingest/avro/truth.fixture.js";
import { decode } from "../ingest/decode.js";
import { createHistory, histories } from "../ingest/enrich/history.js";
import { ztf } from "../ingest/surveys/ztf/ztf.survey.js";
import { createInFlightQuery } from "../stores/archive/inflight.js";
import { type ArchiveStores, createArchiveStores } from "../stores/archive/stores.js";
import { startTestArchive, type TestArchive } from "../test/archive.js";
import { python, pythonHas } from "../test/python.js";
import { checkCondition } from "./check.js";
import { compileCondition } from "./compile.js";
import { evaluate } from "./evaluate.js";
import { fieldsOfSurveys } from "./fields.js";

const fields = fieldsOfSurveys([ztf.description], [histories([ztf.description])])("ZTF");
const published = readFileSync(new URL("../docs/examples/cats150.filter", import.meta.url), "utf8");
const PARTS = ["knownAsteroid", "star", "nearBrightStar", "staysHere", "brightEnough"];

function compiled(text: string) {
  const { typed, problems, warnings } = checkCondition(text, fields);
  expect(problems).toEqual([]);
  // A part by itself leaves the others unread.
  expect(warnings.filter(({ message }) => !message.startsWith("nothing reads"))).toEqual([]);
  return compileCondition(typed!);
}

test("every part is read", () => {
  expect(checkCondition(published, fields).warnings).toEqual([]);
});

describe.skipIf(!pythonHas("fastavro"))("real alerts (needs fastavro; TOCSIN_PYTHON names the interpreter)", () => {
  let engine: TestArchive;
  let stores: ArchiveStores;
  beforeAll(async () => {
    engine = await startTestArchive();
    stores = await createArchiveStores(engine.client, [ztf.description]);
  });
  afterAll(() => engine?.stop());

  // All of these alerts are brighter than the published limit of 20 mag.
  test.each([20, 18])("each part holds where the words say so, at %i mag", async (limit) => {
    const files = avroFiles("ztf");
    const whole = published.replaceAll(/(sigmapsf|magnitudeError) < 20/g, `$1 < ${limit}`);
    const [lets] = whole.split(/^rb >= /m);
    const expressions = [...PARTS.map((part) => compiled(`${lets} ${part}`)), compiled(whole)];
    const history = createHistory(stores.history);
    const inFlight = createInFlightQuery(engine.client);
    const found: boolean[][] = [];
    for (const path of files) {
      const { batches } = decode([...readContainer(readFileSync(path), path)] as Parameters<typeof decode>[0]);
      const { alerts } = await history.run(batches[0]!);
      const { columns, refused } = await evaluate(inFlight, alerts, expressions);
      expect(refused.size).toBe(0);
      found.push(expressions.map(({ sql }) => columns.get(sql)!.values[0] === 1));
    }
    const words = python<boolean[][]>(IN_WORDS, { files, limit });
    expect(found).toEqual(words);
    const seen = PARTS.map((_, i) => new Set(words.map((row) => row[i])).size);
    expect(seen).toEqual([2, 2, 2, 2, limit === 20 ? 1 : 2]);
    expect(words.filter((row) => row.at(-1))).toHaveLength(limit === 20 ? 10 : 3);
  });
});

const IN_WORDS = `
import fastavro, math
def there(x): return x is not None and not math.isnan(x)
def lt(a, b): return there(a) and there(b) and a < b
def le(a, b): return there(a) and there(b) and a <= b
def gt(a, b): return lt(b, a)
def ge(a, b): return le(b, a)
def minus(a, b): return a - b if there(a) and there(b) else None
def size(a): return abs(a) if there(a) else None
def positive(p): return p['isdiffpos'] in ('t', '1')
out = []
limit = input['limit']
for path in input['files']:
    [alert] = list(fastavro.reader(open(path, 'rb')))
    c = alert['candidate']
    jd = c['jd']
    ago = lambda p: jd - p['jd']
    earlier = [p for p in alert['prv_candidates'] or [] if p['candid'] is not None and p['jd'] < jd]
    forced = []
    for p in alert.get('fp_hists') or []:
        if p['jd'] > jd: continue
        flux, error, zero = (None if x == -99999 else x for x in (p['forcediffimflux'], p['forcediffimfluxunc'], p['magzpsci']))
        snr = abs(flux) / error if there(flux) and there(error) and error else None
        mag = zero - 2.5 * math.log10(abs(flux)) if ge(snr, 3) and there(zero) else None
        forced.append(dict(jd=p['jd'], snr=snr, good=p['procstatus'] == '0', mag=mag, magerr=2.5 / math.log(10) / snr if mag else None))
    far = lambda p, low: p['ssdistnr'] is None or lt(p['ssdistnr'], low) or gt(p['ssdistnr'], 2)
    unknown = (lt(c['ssdistnr'], 0) or ge(c['ssdistnr'], 12) or le(c['ssmagnr'], 0) or not there(c['ssmagnr'])
        or ge(size(minus(c['magpsf'], c['ssmagnr'])), 2))
    star = gt(c['sgscore1'], 0.76) and lt(c['distpsnr1'], 2)
    bright = any(lt(c[f'distpsnr{i}'], 20) and gt(c[f'srmag{i}'], 0) and lt(c[f'srmag{i}'], 15) and gt(c[f'sgscore{i}'], 0.49) for i in (1, 2, 3))
    bright = bright or (c['sgscore1'] == 0.5 and lt(c['distpsnr1'], 0.5) and any(lt(size(c[f's{b}mag1']), 17) for b in 'gri'))
    stays = any(0.007 < ago(p) <= 3 and lt(p['magpsf'], 99) and positive(p) and far(p, 0) for p in earlier)
    stays = stays or any(0.007 < ago(p) <= 3 and ge(p['snr'], 4) and p['good'] for p in forced)
    enough = (lt(minus(c['magpsf'], c['sigmapsf']), limit)
        or any(positive(p) and far(p, -0.5) and lt(minus(p['magpsf'], p['sigmapsf']), limit) for p in earlier)
        or any(ge(p['snr'], 4) and p['good'] and lt(minus(p['mag'], p['magerr']), limit) for p in forced))
    passes = (ge(c['rb'], 0.3) and gt(c['drb'], 0.5) and gt(c['fwhm'], 0.5) and lt(c['fwhm'], 8) and lt(c['nbad'], 5) and positive(c)
        and unknown and lt(size(minus(c['magpsf'], c['magap'])), 0.75) and not star and not bright and stays and enough)
    out.append([not unknown, star, bright, stays, enough, passes])
print(json.dumps(out))`;
