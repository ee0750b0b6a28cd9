// What the tabs of the query page hold to start with. Read by page.ts.

const LATEST = `# The newest alerts of a survey: class, magnitude, and where their cutouts are.
query Newest {
  alerts(where: { survey: ZTF }, first: 10) {
    edges {
      node {
        candid
        objectId
        time
        ra
        dec
        band
        magnitude
        class
        cutouts { science template difference }
        object { alertCount counterparts { separationArcsec object { survey objectId } } }
      }
    }
    pageInfo { hasNextPage endCursor }
  }
}
`;

const NEAREST = `# Objects near a place, nearest first, each with its light curve. Put the place of an alert of yours into position:
# degrees ("161.265 41.269") or sexagesimal.
query Nearest {
  coneSearchAt(position: "10:45:03.6 +41:16:08", radiusArcsec: 36000, first: 5) {
    edges {
      separationArcsec
      node {
        survey
        objectId
        ra
        dec
        alertCount
        lastSeen
        lightCurve {
          detections { time band magnitude magnitudeError isPositive }
          nonDetections { time band limitingMagnitude }
        }
      }
    }
    pageInfo { hasNextPage endCursor }
  }
}
`;

const LIVE = `# Run "Make" once, put the id that it returns into "Live", and run that: hits appear as they happen.
mutation Make {
  createFilter(input: { name: "bright and rising", survey: ZTF, where: "isPositive and magnitude < 19" }) {
    id
    version { number where }
  }
}

subscription Live {
  filterHits(filterIds: ["put the id here"]) {
    cursor
    passedAt
    alert { candid objectId band magnitude ra dec }
  }
}
`;

export const EXAMPLES: readonly string[] = [LATEST, NEAREST, LIVE];
