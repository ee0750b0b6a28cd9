// Delivery clocks of alerts: one query for a page of them.
import type { Viewer } from "../../domain/viewer.js";
import type { AlertClock, ClockStore } from "../../stores/clock.store.js";
import { surveyLoader } from "../surveyloader.js";

export const clockLoader = (clock: Pick<ClockStore, "clocks">, viewer: Viewer) =>
  surveyLoader<bigint, AlertClock>((survey, candids) => clock.clocks(viewer, survey, candids));
