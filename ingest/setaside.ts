// A batch that cannot be taken in though no engine is away: the packets at fault are found by halving and become dead
// letters, and the others go on. Put around the pipeline by cli/ingestion.ts; docs/decisions/0009 says whom it blames.
import { reasonOf } from "../domain/missing.js";
import type { DeadLetter, Packet } from "../domain/packet.js";
import { letterOf, surveyOf } from "./decode.js";
import { passes } from "./persistently.js";
import { addCounts, noCounts, type Pipeline, type Taken } from "./pipeline.js";

/** Where so many parts of a batch fail and nothing is stored, the fault is not in the packets. */
const PARTS_TRIED = 16;
/** Of a survey in a batch. */
const MOST_AT_FAULT = 100;

export interface SetAsideOptions {
  /** Called with what was set aside, once it is stored. */
  readonly onSetAside: (letters: readonly DeadLetter[]) => void;
  /** Also where nothing else of the batch can be stored: nobody brings these packets again. */
  readonly evenAlone?: boolean;
}

/**
 * Takes as the pipeline does. Throws what the pipeline threw, and sets nothing aside, where the fault is not in single
 * packets: of a survey nothing new is stored, or less than what fails, or more than 100 packets of the batch fail.
 */
export function settingAside(pipeline: Pipeline, { onSetAside, evenAlone = false }: SetAsideOptions): Pipeline {
  return {
    async take(packets, letters, onDelivered) {
      try {
        return await pipeline.take(packets, letters, onDelivered);
      } catch (error) {
        if (passes(error) || packets.length === 0) throw error;
        return takeApart(packets, letters, error);
      }
    },
  };

  async function takeApart(
    packets: readonly Packet[],
    sourceLetters: readonly DeadLetter[],
    failure: unknown,
  ): Promise<Taken> {
    const counts = noCounts();
    const letters: DeadLetter[] = [];
    const take: Pipeline["take"] = async (...part) => {
      const taken = await pipeline.take(...part);
      addCounts(counts, taken);
      letters.push(...taken.letters);
      return taken;
    };
    if (sourceLetters.length > 0) await take([], sourceLetters);
    const atFault: DeadLetter[] = [];
    // Each survey by itself: what stores those of one says nothing of what stores another's.
    for (const survey of new Set(packets.map(surveyOf))) {
      const search = new Search(take, failure);
      const found = await search.atFault(packets.filter((packet) => surveyOf(packet) === survey));
      // One that is replayed is a dead letter already.
      const isTheirs = evenAlone || found.every(({ replayOf }) => replayOf !== undefined);
      if (!isTheirs && search.stored < found.length) throw failure;
      atFault.push(...found);
    }
    if (atFault.length > 0) {
      await take([], atFault);
      onSetAside(atFault);
    }
    return { ...counts, letters };
  }
}

/** For the packets of a survey that fail alone. Everything else is taken in meanwhile. */
class Search {
  /** Alerts. Duplicates do not count: nothing is stored of them. */
  stored = 0;

  constructor(
    private readonly take: Pipeline["take"],
    /** What the whole batch failed by. */
    private readonly failure: unknown,
  ) {}

  async atFault(packets: readonly Packet[]): Promise<DeadLetter[]> {
    const letters: DeadLetter[] = [];
    // Once more, now that the others are in: what was a fault of the moment has passed.
    for (const packet of await this.#alone(packets)) {
      const fault = await this.#faultOf([packet]);
      if (fault !== null) letters.push(letterOf(packet, "FAILED", `The service failed on it. ${reasonOf(fault)}`));
    }
    return letters;
  }

  /** All parts of a size are tried before smaller ones, so that something is soon stored where anything can be. */
  async #alone(packets: readonly Packet[]): Promise<Packet[]> {
    const alone: Packet[] = [];
    for (let parts = [packets]; parts.length > 0; ) {
      const failed: (readonly Packet[])[] = [];
      for (const part of parts.flatMap(halves)) {
        if ((await this.#faultOf(part)) !== null) failed.push(part);
        const isGeneral = this.stored === 0 && failed.length >= PARTS_TRIED;
        if (isGeneral || failed.length > MOST_AT_FAULT) throw this.failure;
      }
      alone.push(...failed.flatMap((part) => (part.length === 1 ? part : [])));
      parts = failed.filter((part) => part.length > 1);
    }
    return alone;
  }

  /** What this part fails by; null where it is taken in. */
  async #faultOf(part: readonly Packet[]): Promise<unknown> {
    try {
      this.stored += (await this.take(part, [])).stored;
      return null;
    } catch (error) {
      if (passes(error)) throw error;
      return error;
    }
  }
}

function halves(part: readonly Packet[]): (readonly Packet[])[] {
  if (part.length === 1) return [part];
  const half = part.length >> 1;
  return [part.slice(0, half), part.slice(half)];
}
