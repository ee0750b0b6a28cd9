"""The merged light curve of an object, over HTTP:  python query.py ZTF18abdkimx"""

import json
import os
import sys

from gql import Client, GraphQLRequest
from gql.transport.aiohttp import AIOHTTPTransport

URL = os.environ.get("TOCSIN_URL", "http://127.0.0.1:4000")
TOKEN = os.environ.get("TOCSIN_TOKEN")

LIGHT_CURVE = """
  query LightCurve($objectId: ID!) {
    object(survey: ZTF, objectId: $objectId) {
      objectId ra dec alertCount
      lightCurve { detections { candid jd band magnitude magnitudeError } nonDetections { jd band limitingMagnitude } }
    }
  }
"""

headers = {"Authorization": f"Bearer {TOKEN}"} if TOKEN else None
client = Client(transport=AIOHTTPTransport(url=f"{URL}/graphql", headers=headers))
found = client.execute(GraphQLRequest(LIGHT_CURVE, variable_values={"objectId": sys.argv[1]}))
print(json.dumps(found["object"]))
