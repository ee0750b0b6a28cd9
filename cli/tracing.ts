// Spans to a collector of OpenTelemetry, where OTEL_EXPORTER_OTLP_ENDPOINT names one. The SDK is not loaded otherwise.
// Opened by watching.ts, used by watching.spans.ts.
import { type Attributes, ROOT_CONTEXT, SpanKind, SpanStatusCode, TraceFlags, trace } from "@opentelemetry/api";
import type { ReadableSpan, SpanExporter } from "@opentelemetry/sdk-trace-node";
import type { Logger } from "pino";

export interface TracingSettings {
  /** Of OTLP over HTTP, without /v1/traces: "http://localhost:4318". */
  readonly endpoint: string;
  /** Part of the traces that is sent, from 0 to 1. Decided by the trace id: all processes decide alike. */
  readonly ratio: number;
  readonly attributes: Attributes;
}

export interface SpanDone {
  readonly name: string;
  readonly kind?: SpanKind;
  /** A new trace where absent. */
  readonly traceId?: string;
  /** The span's own id, of one without parent; made up where absent. */
  readonly spanId?: string;
  readonly parentId?: string;
  /** performance.now() */
  readonly startedAt: number;
  readonly endedAt: number;
  readonly attributes: Attributes;
  readonly failed?: boolean;
}

export interface Tracing {
  span(done: SpanDone): void;
  /** Sends what waits. */
  close(): Promise<void>;
}

export async function openTracing({ endpoint, ratio, attributes }: TracingSettings, log: Logger): Promise<Tracing> {
  const [{ OTLPTraceExporter }, { resourceFromAttributes }, sdk] = await Promise.all([
    import("@opentelemetry/exporter-trace-otlp-http"),
    import("@opentelemetry/resources"),
    import("@opentelemetry/sdk-trace-node"),
  ]);
  const random = new sdk.RandomIdGenerator();
  /** Ids of the span that is being made: the generator is asked for them while startSpan runs. */
  let given: { readonly traceId?: string; readonly spanId?: string } = {};
  const exporter = new OTLPTraceExporter({ url: `${endpoint.replace(/\/+$/, "")}/v1/traces` });
  const provider = new sdk.NodeTracerProvider({
    resource: resourceFromAttributes(attributes),
    sampler: new sdk.TraceIdRatioBasedSampler(ratio),
    idGenerator: {
      generateTraceId: () => given.traceId ?? random.generateTraceId(),
      generateSpanId: () => given.spanId ?? random.generateSpanId(),
    },
    // Bounded: what a collector that is away does not take is dropped.
    spanProcessors: [new sdk.BatchSpanProcessor(telling(exporter, log))],
  });
  const tracer = provider.getTracer("tocsin");
  return {
    span({ name, kind = SpanKind.INTERNAL, traceId, spanId, parentId, startedAt, endedAt, attributes, failed }) {
      const parent =
        traceId === undefined || parentId === undefined
          ? ROOT_CONTEXT
          : trace.setSpanContext(ROOT_CONTEXT, {
              traceId,
              spanId: parentId,
              traceFlags: TraceFlags.SAMPLED,
              isRemote: true,
            });
      given = { ...(traceId !== undefined && { traceId }), ...(spanId !== undefined && { spanId }) };
      const span = tracer.startSpan(name, { kind, attributes, startTime: epochMs(startedAt) }, parent);
      given = {};
      if (failed) span.setStatus({ code: SpanStatusCode.ERROR });
      span.end(epochMs(endedAt));
    },
    close: () => provider.shutdown(),
  };
}

const epochMs = (moment: number): Date => new Date(performance.timeOrigin + moment);

/** One line when the collector goes away, and one when it is back. */
function telling(exporter: SpanExporter, log: Logger): SpanExporter {
  let isAway = false;
  return {
    export(spans: ReadableSpan[], done) {
      exporter.export(spans, (result) => {
        const failed = result.code !== 0;
        if (failed && !isAway) log.warn({ cause: result.error?.message }, "Traces cannot be sent; they are dropped.");
        if (!failed && isAway) log.warn("Traces are sent again.");
        isAway = failed;
        done(result);
      });
    },
    shutdown: () => exporter.shutdown(),
  };
}
