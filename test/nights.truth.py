# Packets as other nights have them: the real ones under schemas of earlier, later and re-encoded versions, with strange but
# legal values, in every container; and what fastavro reads back of each. Read and run by test/nights.test.ts.
# `input`: shared (the public data), out (a folder to write to). Prints the files with how many packets and letters each
# holds, and the truth: packets, and by object the points of its light curve as the latest packet told them.
import copy
import glob
import gzip
import math
import os
import random
import tarfile
from fastavro.schema import load_schema

rng = random.Random(20261121)
shared, out = input["shared"], input["out"]
ZTF_OLD, ZTF_NEW = [sorted(glob.glob(f"{shared}/data/ztf/{night}/*.avro")) for night in ("20200202", "20231012")]


def opened(path):
    with open(path, "rb") as file:
        reader = fastavro.reader(file)
        return json.loads(reader.metadata["avro.schema"]), next(reader)


def walked(node, change):
    """The schema with every record's list of fields changed by change(record name, fields)."""
    if isinstance(node, list):
        return [walked(branch, change) for branch in node]
    if not isinstance(node, dict):
        return node
    node = dict(node)
    for key in ("type", "items", "values"):
        if isinstance(node.get(key), (dict, list)):
            node[key] = walked(node[key], change)
    if "fields" in node:
        fields = [dict(field, type=walked(field["type"], change)) for field in node["fields"]]
        node["fields"] = [{k: v for k, v in field.items() if k != "default"} for field in change(node["name"], fields)]
    return node


def types(schema, of):
    """Every field's type changed by of(type)."""
    def changed(node):
        if isinstance(node, list):
            return [changed(branch) for branch in node]
        return of.get(node, node) if isinstance(node, str) else node
    return walked(schema, lambda name, fields: [dict(f, type=changed(f["type"])) for f in fields])


def without(schema, *names):
    return walked(schema, lambda name, fields: [f for f in fields if f["name"] not in names])


def nulls_moved(schema):
    def moved(node):
        if isinstance(node, list) and "null" in node:
            return [*node[1:], node[0]]
        return node
    return walked(schema, lambda name, fields: [dict(f, type=moved(f["type"])) for f in fields])


EXTRA = {
    "extraMap": ({"type": "map", "values": {"type": "array", "items": ["null", "double"]}}, {"a": [None, 1.5], "b": []}),
    "extraEnum": ({"type": "enum", "name": "extraKind", "symbols": ["ONE", "TWO"]}, "TWO"),
    "extraFixed": ({"type": "fixed", "name": "extraHash", "size": 5}, b"12345"),
    "extraTime": (["null", {"type": "long", "logicalType": "local-timestamp-micros"}], None),
    "extraTree": (
        {"type": "record", "name": "tree", "fields": [
            {"name": "value", "type": "string"},
            {"name": "next", "type": ["null", "tree"]}]},
        {"value": "a\u00e9\U0001F52D", "next": {"value": "", "next": None}}),
}


def with_extra(schema, record):
    """Fields that nobody knows yet, before, among and behind those of the packet."""
    schema = copy.deepcopy(schema)
    for i, (name, (kind, value)) in enumerate(EXTRA.items()):
        schema["fields"].insert([0, 2, 4, 6, len(schema["fields"])][i], {"name": name, "type": kind})
        record[name] = value
    return schema, record


def nullable(fields):
    return [f["name"] for f in fields if isinstance(f["type"], list) and "null" in f["type"]]


def fields_of(schema, name):
    found = []
    walked(schema, lambda record, fields: found.append((record.split(".")[-1], fields)) or fields)
    return next(fields for record, fields in found if record == name)


def floats_in(fields):
    def is_float(node):
        return node in ("float", "double") or isinstance(node, list) and any(is_float(branch) for branch in node)
    return [f["name"] for f in fields if is_float(f["type"])]


class Night:
    """Packets on their way into files, and what is true of them."""

    def __init__(self, id_of):
        self.id_of, self.packets, self.files = id_of, {}, []

    def body(self, schema, record):
        parsed = fastavro.parse_schema(copy.deepcopy(schema))
        sink = io.BytesIO()
        fastavro.schemaless_writer(sink, parsed, record)
        read = fastavro.schemaless_reader(io.BytesIO(sink.getvalue()), parsed)
        self.packets[self.id_of(read)] = (schema, read)
        return sink.getvalue()

    def container(self, pairs, codec="null"):
        sink = io.BytesIO()
        schema = pairs[0][0]
        for _, record in pairs:
            self.body(schema, record)
        fastavro.writer(sink, fastavro.parse_schema(copy.deepcopy(schema)), [r for _, r in pairs], codec=codec)
        return sink.getvalue()

    def put(self, name, data, packets, letters=0):
        path = os.path.join(out, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(data)
        self.files.append({"path": path, "packets": packets, "letters": letters})

    def tar(self, name, members, packets, letters=0, mode="w:gz"):
        sink = io.BytesIO()
        with tarfile.open(fileobj=sink, mode=mode) as archive:
            for path, data in members:
                info = tarfile.TarInfo(path)
                if data is None:
                    info.type = tarfile.DIRTYPE
                    archive.addfile(info)
                else:
                    info.size = len(data)
                    archive.addfile(info, io.BytesIO(data))
        self.put(name, sink.getvalue(), packets, letters)


def points(told):
    """The latest teller's word on each point: told are (jd, candid, [(kind, id, values)])."""
    merged = {}
    for _, _, tellings in sorted(told, key=lambda entry: entry[:2]):
        # Of several in one packet the alert's own word is the first.
        for kind, id, values in reversed(tellings):
            merged[(kind, id)] = values
    lists = {1: {}, 2: {}, 3: {}}
    for (kind, id), values in merged.items():
        lists[kind][str(id)] = values
    return {"detections": lists[1], "nonDetections": lists[2], "forced": lists[3]}


def finite(x):
    return x if x is not None and math.isfinite(x) else None


# ZTF ---------------------------------------------------------------------------------------------------------------------
ztf = Night(lambda record: record["candid"])
next_candid = iter(range(3_000_000_000_015_000_001, 3_000_000_000_015_999_999))


def ztf_packet(path, **edits):
    """A copy of a real packet with a candid and an object of its own."""
    schema, record = opened(path)
    candid = next(next_candid)
    record["objectId"] = f"ZTF26n{candid % 1_000_000:06d}"
    record["candid"] = record["candidate"]["candid"] = candid
    for name, value in edits.items():
        (record["candidate"] if name in record["candidate"] else record)[name] = value
    return schema, record


def magnitude(value):
    return value if value is not None and abs(value) < 99 else None


def error(value):
    return value if value is not None and math.isfinite(value) and value >= 0 else None


def positive(isdiffpos):
    return isdiffpos in ("t", "1", "T", "true", "True")


def ztf_points(record):
    own = record["candidate"]
    found = []
    for at in [dict(own, candid=record["candid"]), *(record.get("prv_candidates") or [])]:
        if not math.isfinite(at["jd"]):
            continue
        common = {"jd": at["jd"], "fid": at["fid"], "programid": at["programid"]}
        if at["candid"] is not None:
            found.append((1, at["candid"], dict(common, magnitude=magnitude(at["magpsf"]),
                error=error(at["sigmapsf"]), positive=positive(at["isdiffpos"]))))
        elif magnitude(at["diffmaglim"]) is not None:
            found.append((2, at["pid"], dict(common, limit=at["diffmaglim"])))
    for at in record.get("fp_hists") or []:
        if not math.isfinite(at["jd"]):
            continue
        zero = magnitude(at["magzpsci"])
        scale = None if zero is None else 10 ** ((31.4 - zero) / 2.5)
        flux = finite(at["forcediffimflux"])
        values = [None if v is None or scale is None or v == -99999 else v * scale
            for v in (flux, error(at["forcediffimfluxunc"]))]
        found.append((3, at["pid"], {"jd": at["jd"], "fid": at["fid"], "programid": at["programid"],
            "flux": values[0], "error": values[1], "zero": zero}))
    return found


def one(name, schema, record, codec="null"):
    ztf.put(f"ztf/{name}.avro", ztf.container([(schema, record)], codec), 1)


# Schemas of other versions and makers.
FIRST = ("drb", "drbversion", "exptime", "neargaia", "neargaiabright", "maggaia", "maggaiabright")
schema, record = ztf_packet(ZTF_OLD[0])
one("schema-3.1", without(schema, *FIRST), record)
schema, record = ztf_packet(ZTF_OLD[1])
one("schema-2.0", without(schema, *FIRST, "dsnrms", "ssnrms", "dsdiff", "magzpsci", "magzpsciunc", "magzpscirms",
    "nmatches", "clrcoeff", "clrcounc", "zpclrcov", "zpmed", "clrmed", "clrrms"), record)
schema, record = ztf_packet(ZTF_OLD[2])
one("no-schemavsn", without(schema, "schemavsn", "publisher"), record)
schema, record = ztf_packet(ZTF_NEW[0])
one("no-history", without(schema, "prv_candidates", "fp_hists"), record)
schema, record = ztf_packet(ZTF_NEW[1])
one("no-cutouts", without(schema, "cutoutScience", "cutoutTemplate", "cutoutDifference"), record)
schema, record = ztf_packet(ZTF_NEW[2])
one("nulls-moved", nulls_moved(schema), record)
schema, record = ztf_packet(ZTF_NEW[3])
one("wide", types(schema, {"float": "double", "int": "long"}), record)
schema, record = ztf_packet(ZTF_NEW[4])
one("wide-and-moved", nulls_moved(types(schema, {"float": "double", "int": "long"})), record)
one("extra", *with_extra(*ztf_packet(ZTF_NEW[5])))
schema, record = ztf_packet(ZTF_NEW[6])
one("reordered", walked(schema, lambda name, fields: fields if name.endswith("alert") else fields[::-1]), record)

# Values.
for n, value in enumerate([None, math.nan, -999.0, -99999.0, math.inf, -math.inf, 0.0, 1e-45, 3.4028234663852886e38]):
    schema, record = ztf_packet(ZTF_NEW[7])
    for part, node in [("candidate", record["candidate"]), *[("prv_candidate", p) for p in record["prv_candidates"]],
            *[("fp_hist", p) for p in record["fp_hists"]]]:
        fields = fields_of(schema, part)
        names = nullable(fields) if value is None else floats_in(fields)
        for name in names:
            if name not in ("jd", "ra", "dec") or part != "candidate" and name != "jd":
                if value is not None or node[name] is not None:
                    node[name] = value
    one(f"values-{n}", schema, record)
for isdiffpos in ("t", "f", "1", "0"):
    schema, record = ztf_packet(ZTF_NEW[8], isdiffpos=isdiffpos, ssnamenr="null" if isdiffpos == "t" else " 2001 AB12 ")
    one(f"sign-{isdiffpos}", schema, record)
for n, place in enumerate([(0.0, 90.0), (359.99999999, -90.0), (360.0, 1e-300), (-0.25, 0.0)]):
    schema, record = ztf_packet(ZTF_NEW[9], ra=place[0], dec=place[1])
    one(f"place-{n}", schema, record)
for n, candid in enumerate([2**63 - 1, 2**53 + 1, -(2**63)]):
    schema, record = ztf_packet(ZTF_NEW[10])
    record["candid"] = record["candidate"]["candid"] = candid
    one(f"candid-{n}", schema, record)
GARBAGE = [None, b"", b"SIMPLE  =", gzip.compress(b"not FITS"), b"\x1f\x8b damaged"]
for n, stamp in enumerate(GARBAGE):
    cutout = None if stamp is None else {"fileName": "a.fits.gz", "stampData": stamp}
    schema, record = ztf_packet(ZTF_NEW[11])
    for kind in ("Science", "Template", "Difference"):
        record[f"cutout{kind}"] = cutout
    one(f"cutouts-{n}", schema, record)

# Histories.
def history(record):
    limits = [p for p in record["prv_candidates"] if p["candid"] is None]
    seen = [p for p in record["prv_candidates"] if p["candid"] is not None]
    return limits, seen

with_both = next(path for path in ZTF_NEW if all(history(opened(path)[1])) and opened(path)[1]["fp_hists"])
schema, record = ztf_packet(with_both, prv_candidates=[], fp_hists=[])
one("empty-history", schema, record)
schema, record = ztf_packet(with_both)
limits, seen = history(record)
record["prv_candidates"] = rng.sample(record["prv_candidates"] * 3, 3 * len(record["prv_candidates"]))
record["fp_hists"] = rng.sample(record["fp_hists"] * 2, 2 * len(record["fp_hists"]))
one("each-thrice-shuffled", schema, record)
schema, record = ztf_packet(with_both)
limits, seen = history(record)
record["prv_candidates"] = [dict(seen[0], candid=record["candid"], jd=record["candidate"]["jd"]),
    dict(seen[0], magpsf=None, sigmapsf=None, isdiffpos=None, ra=None, dec=None), dict(limits[0], diffmaglim=None),
    dict(limits[0], jd=math.nan, pid=1), dict(limits[0], jd=record["candidate"]["jd"] + 5, pid=2**40)]
record["fp_hists"] = [dict(record["fp_hists"][0], magzpsci=None, pid=3), dict(record["fp_hists"][0], jd=math.inf, pid=4)]
one("odd-points", schema, record)
schema, record = ztf_packet(with_both)
limits, seen = history(record)
record["prv_candidates"] = [dict(limits[0], pid=10_000 + n, jd=limits[0]["jd"] - n / 7) for n in range(3_000)]
record["fp_hists"] = [dict(record["fp_hists"][0], pid=10_000 + n, jd=limits[0]["jd"] - n / 7) for n in range(4_000)]
one("long-history", schema, record, "zstandard")

# An object over seasons: later packets tell earlier points anew, and come in before the earlier ones.
season = []
for n in (2, 0, 1):
    schema, record = ztf_packet(with_both)
    record["objectId"] = "ZTF18season"
    record["candidate"]["jd"] += 400 * n
    for p in record["prv_candidates"]:
        p["jd"] += 30 * (n == 2)
        if p["candid"] is None:
            p["diffmaglim"] += n / 8
        else:
            p["magpsf"] += n / 8
    season.append((schema, record))
for n, packet in enumerate(season):
    one(f"season-{n}", *packet)

# Containers.
packets = [ztf_packet(path) for path in ZTF_NEW[12:18]]
for n, codec in enumerate(["null", "deflate", "snappy", "zstandard"]):
    ztf.put(f"ztf/many-{codec}.avro", ztf.container([ztf_packet(path) for path in ZTF_NEW[n:n + 5]], codec), 5)
singles = [ztf.container([packet], ["null", "deflate"][n % 2]) for n, packet in enumerate(packets)]
ztf.put("ztf/joined.avro", b"".join(singles[:3]) + ztf.container([ztf_packet(ZTF_OLD[3])]), 4)
ztf.put("ztf/zipped.avro.gz", gzip.compress(singles[3]), 1)
ztf.tar("ztf/ztf_public_20260101.tar.gz", [("20260101", None), ("20260101/a.avro", singles[4]),
    ("20260101/b.avro", singles[5]), ("20260101/again.avro", singles[5])], 3)
ztf.tar("ztf/ztf_public_20260102.tar.gz", [], 0, 1)
ztf.put("ztf/ztf_public_20260103.tar.gz", gzip.compress(b""), 0, 1)
ztf.tar("ztf/ztf_public_20260104.tar", [("empty.avro", b""), ("ok.avro", ztf.container([ztf_packet(ZTF_OLD[4])])),
    ("torn.avro", singles[4][:-100]), ("notes.txt", b"a night")], 1, 3, "w")

# LSST --------------------------------------------------------------------------------------------------------------------
lsst = Night(lambda record: record["diaSource"]["diaSourceId"])
next_source = iter(range(2**62 + 1, 2**62 + 10_000, 2))
VERSIONS = {"v7_4": 704, "v9_0": 900, "v10_0": 1000, "v11_0": 1100}


def lsst_packet(version, **edits):
    schema, record = opened(f"{shared}/data/lsst/{version}/fakeAlert.avro")
    source = record["diaSource"]
    id = next(next_source)
    source.update({"diaSourceId": id, "diaObjectId": id + 1, "ssObjectId": None, "midpointMjdTai": 61_000.25,
        "ra": 150.25, "dec": -30.5, "band": "r", **edits})
    if "diaSourceId" in record:
        record["diaSourceId"] = id
    for name in ("prvDiaSources", "prvDiaForcedSources", "prvDiaNondetectionLimits"):
        for n, point in enumerate(record.get(name) or []):
            point["midpointMjdTai"] = 60_990.5 + n
    record["diaObject"] = None
    return schema, record


def lsst_points(record):
    def jd(at):
        return at["midpointMjdTai"] - 37 / 86400 + 2400000.5
    found = []
    for at in [record["diaSource"], *(record.get("prvDiaSources") or [])]:
        negative = at.get("isNegative", at.get("is_negative"))
        flux = finite(at["psfFlux"])
        found.append((1, at["diaSourceId"], {"jd": jd(at), "band": at.get("band") or "unknown", "flux": flux,
            "error": finite(at["psfFluxErr"]), "positive": not negative if negative is not None else (at["psfFlux"] if at["psfFlux"] is not None else math.nan) >= 0}))
    for at in record.get("prvDiaForcedSources") or []:
        found.append((3, at["visit"] * 1000 + at["detector"], {"jd": jd(at), "band": at.get("band") or "unknown",
            "flux": finite(at["psfFlux"]), "error": finite(at["psfFluxErr"])}))
    for at in record.get("prvDiaNondetectionLimits") or []:
        if at["diaNoise"] > 0:
            found.append((2, at["ccdVisitId"], {"jd": jd(at), "band": at["band"], "limit": 31.4 - 2.5 * math.log10(5 * at["diaNoise"])}))
    return found


framed, plain = [], []
for version, id in VERSIONS.items():
    variants = [lsst_packet(version, band=band) for band in "ugrizy"]
    variants.append(lsst_packet(version, band=None))
    for value in (None, math.nan, math.inf, 0.0):
        schema, record = lsst_packet(version)
        fields = fields_of(schema, "diaSource")
        for name in [n for n in (nullable(fields) if value is None else floats_in(fields))
                if n not in ("diaObjectId", "ssObjectId", "midpointMjdTai", "ra", "dec")]:
            record["diaSource"][name] = value
        variants.append((schema, record))
    mover = lsst_packet(version, diaObjectId=None, ssObjectId=2**63 - 25)
    lone = lsst_packet(version, diaObjectId=0, ssObjectId=0)
    history_of = lsst_packet(version)
    source = history_of[1]["diaSource"]
    earlier = [dict(source, diaSourceId=source["diaSourceId"] * 0 + 2**61 + n, midpointMjdTai=60_900.0 - n, band="uy"[n % 2],
        psfFlux=[-50.5, None, math.nan, 3e9][n % 4]) for n in range(8)]
    history_of[1]["prvDiaSources"] = rng.sample(earlier * 2, 16)
    names = [f["name"] for f in fields_of(history_of[0], "diaForcedSource")]
    forced = {"diaForcedSourceId": 1, "diaObjectId": source["diaObjectId"], "ra": 150.25, "dec": -30.5,
        "visit": 2026010100001, "detector": 188, "psfFlux": -7.25, "psfFluxErr": 2.5, "midpointMjdTai": 60_901.0,
        "scienceFlux": None, "scienceFluxErr": None, "timeProcessedMjdTai": 60_901.0, "timeWithdrawnMjdTai": None, "band": "z"}
    history_of[1]["prvDiaForcedSources"] = [{k: v for k, v in dict(forced, diaForcedSourceId=n, visit=2026010100001 + n,
        detector=n, midpointMjdTai=60_901.0 + n, psfFlux=[1e6, math.nan, None][n % 3]).items() if k in names} for n in range(60)]
    variants += [mover, lone, history_of, with_extra(*lsst_packet(version))]
    schema, record = lsst_packet(version)
    variants.append((nulls_moved(types(schema, {"float": "double", "int": "long"})), record))
    same = [v for v in variants if v[0] == variants[0][0]]
    others = [v for v in variants if v[0] != variants[0][0]]
    lsst.put(f"lsst/{version}-many.avro", lsst.container(same[::2], "snappy"), len(same[::2]))
    for n, packet in enumerate(others):
        lsst.put(f"lsst/{version}-other-{n}.avro", lsst.container([packet]), 1)
    folder = f"{shared}/data/lsst/{version}/lsst.{version}.alert.avsc"
    writer = load_schema(folder)
    members = [(f"{n}.avro", bytes([0]) + id.to_bytes(4, "big") + lsst.body(writer, record))
        for n, (_, record) in enumerate(same[1::2])]
    lsst.tar(f"lsst/{version}-framed.tar.gz", members, len(members))

# The truth ---------------------------------------------------------------------------------------------------------------
def whole(schema, record):
    packet = canonical(schema, record, {})
    # The API tells bytes as their base64.
    return {k: v["base64"] if k == "extraFixed" else v for k, v in packet.items() if not k.startswith("cutout")}


def truth(night, key, tell, object_of):
    objects = {}
    for id, (schema, record) in night.packets.items():
        jd, tellings = key(record), tell(record)
        objects.setdefault(object_of(record), []).append((jd, id, tellings))
    return {
        "files": night.files,
        "packets": {str(id): whole(schema, record) for id, (schema, record) in night.packets.items()},
        "objects": {name: dict(points(told), alerts=len(told)) for name, told in objects.items()},
    }


def lsst_object(record):
    source = record["diaSource"]
    if source["diaObjectId"]:
        return str(source["diaObjectId"])
    return f"sso{source['ssObjectId']}" if source["ssObjectId"] else f"dia{source['diaSourceId']}"


print(json.dumps({
    "ZTF": truth(ztf, lambda r: r["candidate"]["jd"], ztf_points, lambda r: r["objectId"]),
    "LSST": truth(lsst, lambda r: r["diaSource"]["midpointMjdTai"], lsst_points, lsst_object),
}, allow_nan=False))
