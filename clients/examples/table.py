"""Answers as astropy tables, printed as ECSV; in a notebook `from table import backtest, features, matches`:

  python table.py backtest "drb > 0.9 and magpsf < 18" 2026-10-01 2026-11-01
  python table.py features ZTF20aadyyvk ZTF20aajcdad
  python table.py matches ZTF20aadyyvk
"""

import os
import sys

from astropy.table import MaskedColumn, Table
from gql import Client, GraphQLRequest
from gql.transport.aiohttp import AIOHTTPTransport

URL = os.environ.get("TOCSIN_URL", "http://127.0.0.1:4000")
TOKEN = os.environ.get("TOCSIN_TOKEN")
MOST_IDS = 1_000  # of one request


def ask(query, **variables):
    headers = {"Authorization": f"Bearer {TOKEN}"} if TOKEN else None
    client = Client(transport=AIOHTTPTransport(url=f"{URL}/graphql", headers=headers))
    return client.execute(GraphQLRequest(query, variable_values=variables))


def table(rows):
    """One column for each name of any row; what a row does not have is masked."""
    columns = {}
    for name in dict.fromkeys(name for row in rows for name in row):
        values = [row.get(name) for row in rows]
        known = [value for value in values if value is not None]
        filler = type(known[0])() if known else 0.0
        mask = [value is None for value in values]
        columns[name] = MaskedColumn([filler if value is None else value for value in values], mask=mask)
    return Table(columns)


BACKTEST = """
  query Backtest($survey: Survey!, $where: String!, $window: TimeWindow!, $values: [AnnotationInput!], $after: String) {
    backtest(survey: $survey, where: $where, window: $window, annotations: $values, first: 1000, after: $after) {
      edges { annotations node { objectId candid jd ra dec band magnitude magnitudeError } }
      pageInfo { hasNextPage endCursor }
    }
  }
"""


def backtest(where, start, end, survey="ZTF", **values):
    """The alerts of a time that a filter passes, oldest first; `age="jd - jdstarthist"` adds a column of that name."""
    asked = {
        "survey": survey,
        "where": where,
        "window": {"start": start, "end": end},
        "values": [{"name": name, "expression": expression} for name, expression in values.items()],
    }
    rows, after = [], None
    while True:
        page = ask(BACKTEST, **asked, after=after)["backtest"]
        for edge in page["edges"]:
            alert = {**edge["node"], "candid": int(edge["node"]["candid"])}  # 64 bits: decimal text in JSON
            rows.append({**alert, **(edge["annotations"] or {})})
        if not page["pageInfo"]["hasNextPage"]:
            return table(rows)
        after = page["pageInfo"]["endCursor"]


def of_objects(survey, object_ids, fields):
    """Of each object that is known."""
    query = f"""query Objects($survey: Survey!, $ids: [ID!]!) {{
      objects(survey: $survey, objectIds: $ids) {{ objectId ra dec {fields} }} }}"""
    for begin in range(0, len(object_ids), MOST_IDS):
        found = ask(query, survey=survey, ids=object_ids[begin : begin + MOST_IDS])["objects"]
        yield from (one for one in found if one is not None)


def values_of(type_name):
    """Names of a type's plain fields: a feature that is new to the service is a new column here."""
    query = """query Fields($type: String!) {
      __type(name: $type) { fields { name type { kind ofType { kind } } } } }"""
    kinds = {"SCALAR", "ENUM"}
    shown = ask(query, type=type_name)["__type"]["fields"]
    return " ".join(f["name"] for f in shown if {f["type"]["kind"], (f["type"]["ofType"] or {}).get("kind")} & kinds)


def features(object_ids, survey="ZTF"):
    """What the light curves show, a row for each object, named as in filters without `feature.`: g.peakMag, age, …"""
    bands, colours = values_of("BandFeatures"), values_of("ColourFeatures")
    wanted = f"features {{ {values_of('Features')} bands {{ {bands} }} colours {{ {colours} }} }}"
    rows = []
    for one in of_objects(survey, object_ids, wanted):
        row = {name: one[name] for name in ("objectId", "ra", "dec")}
        overall = one["features"] or {"bands": [], "colours": []}
        row |= {name: value for name, value in overall.items() if name not in ("bands", "colours")}
        for part in overall["bands"]:
            row |= {f"{part['band']}.{name}": value for name, value in part.items() if name != "band"}
        for part in overall["colours"]:
            row |= {f"{part['bands']}.{name}": value for name, value in part.items() if name != "bands"}
        rows.append(row)
    return table(rows)


def matches(object_ids, survey="ZTF"):
    """Sources of all catalogs near the objects, a row for each; a catalog's own columns are `catalog.column`."""
    wanted = "crossMatches { catalog sourceId sourceRa: ra sourceDec: dec separationArcsec fields }"
    rows = []
    for one in of_objects(survey, object_ids, wanted):
        for match in one["crossMatches"]:
            own = {f"{match['catalog']}.{name}": value for name, value in match.pop("fields").items()}
            rows.append({"objectId": one["objectId"], **match, **own})
    return table(rows)


if __name__ == "__main__":
    what, *asked = sys.argv[1:]
    shown = backtest(*asked) if what == "backtest" else {"features": features, "matches": matches}[what](asked)
    shown.write(sys.stdout, format="ascii.ecsv")
