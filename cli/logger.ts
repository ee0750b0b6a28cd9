// The log: JSON lines on stderr, with the batch and the trace that a line belongs to. Made by cli/program.ts.
import pino, { type Logger } from "pino";
import { traceFields } from "./watching.trace.js";

export const createLogger = (level: string, destination = pino.destination({ dest: 2, sync: true })): Logger =>
  pino({ level, mixin: traceFields }, destination);
