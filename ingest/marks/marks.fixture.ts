// Watch lists, areas and sky maps over real stores, as a process of its own has them; a line that they log is a fault. For
// tests of marks.
import type { BatchStore } from "../../stores/batches.store.js";
import type { MarkStores } from "../../stores/marks.store.js";
import type { RematchStore } from "../../stores/matches.store.js";
import type { MissingStore } from "../../stores/missing.store.js";
import { Desk } from "./desk.js";
import { createHeldMarks, type HeldMarks } from "./held.js";
import { createPastMarker, type PastMarker, type PastMarkerParts } from "./past.js";

export interface MarksOverStores {
  readonly desk: Desk;
  readonly held: HeldMarks;
  readonly past: PastMarker;
  close(): Promise<void>;
}

export interface StoresOfMarks {
  readonly marks: MarkStores;
  readonly rematches: RematchStore;
  readonly missing: MissingStore;
  readonly batches: BatchStore;
}

export function marksOver(stores: StoresOfMarks, more: Pick<PastMarkerParts, "onMissed"> = {}): MarksOverStores {
  const { registry, contents, marked } = stores.marks;
  const log = (line: string): never => {
    throw new Error(line);
  };
  const held = createHeldMarks({ registry, contents, log });
  const past = createPastMarker({
    ...{ registry, held, marked, rematches: stores.rematches, missing: stores.missing, surveys: ["ZTF"], log },
    ...{ begin: () => stores.batches.begin(), mayRun: () => true, isBusy: () => false, shared: false },
    ...more,
  });
  return {
    desk: new Desk({ stores: stores.marks, held }),
    held,
    past,
    async close() {
      await past.close();
      held.close();
    },
  };
}
