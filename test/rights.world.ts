// A small sky for the test of rights, twice: as the surveys sent it, and the same without anything of a partnership's.
// Whoever sees only what is public must not be able to tell the two apart.
import { fluxFromCounts } from "../domain/flux.js";
import { type LsstAlert, lsstFile, type ZtfAlert, ztfFile } from "./packets.js";

const JD = 2_461_000.5;
const PLACE = { ra: 150.25, dec: 2.5 };
const arcsec = (degrees: number) => degrees / 3600;

/** Every number and name of the partnership's begins with or contains one of SECRETS below. */
export const HIDDEN = {
  objectId: "ZTF26hidden",
  /** Of the object that has partnership alerts only. */
  candid: 7_770_000_000_015_010_001n,
  /** The latest alert of an object that has public ones too. */
  latestCandid: 7_770_000_000_015_010_004n,
  place: { ra: 211.987654, dec: -11.234567 },
  latestPlace: { ra: PLACE.ra, dec: PLACE.dec + arcsec(3) },
  solarSystemName: "HIDDENMOVER",
  jd: JD + 0.911,
};
const FORCED_COUNTS = 4321.5;
const ZERO_POINT = 26.25;

export const PUBLIC = {
  objectId: "ZTF26public",
  candid: 2_461_000_000_015_010_001n,
  mixedId: "ZTF26mixture",
  mixedCandid: 2_461_000_000_015_010_012n,
  place: { ra: 150.0, dec: 2.0 },
  mixedPlace: PLACE,
};

/** Object of Rubin's that only a partnership position lies near; and one beside the public object. */
export const RUBIN = { nearHidden: 9_001n, nearPublic: 9_002n, nearHiddenObject: 9_003n };

export const SECRETS = [
  HIDDEN.objectId,
  HIDDEN.solarSystemName,
  "77700",
  "13.0625",
  "13.5625",
  "19.0625",
  "19.3125",
  String(FORCED_COUNTS),
  String(fluxFromCounts(FORCED_COUNTS, ZERO_POINT)).slice(0, 10),
  "211.987654",
  "11.234567",
  String(HIDDEN.latestPlace.dec).slice(0, 9),
  "2461001.411",
];

const pid = (candid: bigint) => candid / 1_000_000n;

/** What everybody may know. */
function publicAlerts(): ZtfAlert[] {
  const { objectId, candid, place, mixedId, mixedPlace } = PUBLIC;
  return [
    {
      candid,
      objectId,
      jd: JD + 0.7,
      ...place,
      programid: 1,
      magpsf: 18.25,
      ssnamenr: "433",
      history: [
        {
          jd: JD - 2,
          pid: 2_460_998_000_015n,
          programid: 1,
          candid: 2_460_998_000_015_010_001n,
          magpsf: 18.5,
          diffmaglim: 20.25,
        },
        { jd: JD - 3, pid: 2_460_997_000_015n, programid: 1, diffmaglim: 20.125 },
      ],
      forced: [{ jd: JD - 3, pid: 2_460_997_000_015n, programid: 1, forcediffimflux: 12.5 }],
    },
    {
      candid: candid + 10n,
      objectId: mixedId,
      jd: JD + 0.7,
      ...mixedPlace,
      programid: 1,
      magpsf: 17.25,
    },
    {
      candid: candid + 11n,
      objectId: mixedId,
      jd: JD + 0.75,
      ra: mixedPlace.ra,
      dec: mixedPlace.dec + arcsec(0.25),
      programid: 1,
      magpsf: 17.5,
      history: [
        { jd: JD + 0.7, pid: pid(candid + 10n), programid: 1, candid: candid + 10n, magpsf: 17.25, diffmaglim: 20.5 },
      ],
    },
  ];
}

const hiddenHistory = [
  {
    jd: JD + 0.911 - 1,
    pid: 7_770_000_000_016n,
    programid: 2,
    candid: 7_770_000_000_016_010_001n,
    magpsf: 13.5625,
    diffmaglim: 19.3125,
  },
  { jd: JD + 0.911 - 1.5, pid: 7_770_000_000_017n, programid: 2, diffmaglim: 19.0625 },
  { jd: JD + 0.911 - 1.75, pid: 7_770_000_000_018n, programid: 3, diffmaglim: 19.3125 },
];
const hiddenForced = [
  { jd: JD + 0.911 - 1, pid: 7_770_000_000_016n, programid: 2, forcediffimflux: FORCED_COUNTS },
  { jd: JD + 0.911 - 2, pid: 7_770_000_000_019n, programid: 3, forcediffimflux: FORCED_COUNTS },
];

/** Partnership and Caltech alerts; their own histories hold public points besides. */
function hiddenAlerts(): ZtfAlert[] {
  const { objectId, candid, latestCandid, place, latestPlace, solarSystemName, jd } = HIDDEN;
  const [known, limit] = publicAlerts()[0]!.history!;
  const own = { pixel: 12_321, magpsf: 13.0625, ssnamenr: solarSystemName };
  const history = [known!, limit!, ...hiddenHistory];
  return [
    { ...own, candid, objectId, jd, ...place, programid: 2, history, forced: hiddenForced },
    { ...own, candid: candid + 1n, objectId, jd: jd + 0.0001, ...place, programid: 3 },
    // Before the first and after the last public alert of one object.
    { ...own, candid: latestCandid - 1n, objectId: PUBLIC.mixedId, jd: jd - 20, ...latestPlace, programid: 3 },
    {
      ...own,
      candid: latestCandid,
      objectId: PUBLIC.mixedId,
      jd,
      ...latestPlace,
      programid: 2,
      // A public alert's detection as the partnership's packet tells it again.
      history: [
        {
          jd: JD + 0.7,
          pid: pid(PUBLIC.candid + 10n),
          programid: 1,
          candid: PUBLIC.candid + 10n,
          magpsf: 17.25,
          diffmaglim: 20.5,
        },
        ...hiddenHistory,
      ],
      forced: hiddenForced,
    },
  ];
}

/** The public alert as it came: with the partnership's points in its history. */
function withHiddenHistory(alert: ZtfAlert): ZtfAlert {
  if (alert.history === undefined) return alert;
  return {
    ...alert,
    history: [...hiddenHistory, ...alert.history],
    ...(alert.forced && { forced: [...alert.forced, ...hiddenForced] }),
  };
}

const rubin = (diaObjectId: bigint, at: { ra: number; dec: number }): LsstAlert => ({
  diaSourceId: 50_000n + diaObjectId,
  diaObjectId,
  ra: at.ra,
  dec: at.dec + arcsec(0.5),
  mjd: 61_000.25,
  psfFlux: 1000,
});

/** Rubin's alerts come first: every ZTF alert finds what lies near it. */
export const rubinFile = (): Buffer =>
  lsstFile(
    rubin(RUBIN.nearHidden, HIDDEN.latestPlace),
    rubin(RUBIN.nearPublic, PUBLIC.place),
    rubin(RUBIN.nearHiddenObject, { ...HIDDEN.place, ra: 211.9876 }),
  );

const [first, ...others] = publicAlerts();
const hidden = hiddenAlerts();
/** As it came, in an order that mixes the rights. */
export const wholeFile = (): Buffer =>
  ztfFile(hidden[0]!, withHiddenHistory(first!), ...hidden.slice(1), ...others.map(withHiddenHistory));
export const publicFile = (): Buffer => ztfFile(first!, ...others);

/** A public alert that comes last: who has had its hit has had all hits before it. */
export const lastFile = (): Buffer =>
  ztfFile({
    candid: PUBLIC.candid + 500n,
    objectId: "ZTF26lastone",
    jd: JD + 1,
    ra: 10.5,
    dec: 60.5,
    programid: 1,
    magpsf: 16.5,
  });
export const LAST_CANDID = String(PUBLIC.candid + 500n);
