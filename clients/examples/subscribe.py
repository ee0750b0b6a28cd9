"""Live hits of a filter, one a line, each once, through every break:  python subscribe.py FILTER_ID [CURSOR]"""

import asyncio
import json
import os
import sys

from gql import Client, GraphQLRequest
from gql.transport.exceptions import TransportConnectionFailed
from gql.transport.websockets import WebsocketsTransport

URL = os.environ.get("TOCSIN_URL", "http://127.0.0.1:4000").replace("http", "ws", 1) + "/graphql"
TOKEN = os.environ.get("TOCSIN_TOKEN")
LOGIN = {"authorization": f"Bearer {TOKEN}"} if TOKEN else {}

HITS = """
  subscription Hits($filterIds: [ID!]!, $after: String) {
    filterHits(filterIds: $filterIds, after: $after) { cursor passedAt annotations alert { candid objectId band magnitude } }
  }
"""


async def hits(filter_id, after=None):
    while True:
        try:
            async with Client(transport=WebsocketsTransport(url=URL, init_payload=LOGIN)) as session:
                wanted = {"filterIds": [filter_id], "after": after}
                async for answer in session.subscribe(GraphQLRequest(HITS, variable_values=wanted)):
                    yield answer["filterHits"]
                    after = answer["filterHits"]["cursor"]
        except TransportConnectionFailed:
            await asyncio.sleep(1)  # restarted, or we read too slowly: go on behind the last hit


async def main():
    async for hit in hits(*sys.argv[1:]):
        print(json.dumps(hit), flush=True)


asyncio.run(main())
