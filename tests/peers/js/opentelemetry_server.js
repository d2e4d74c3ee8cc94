// OpenTelemetry's SDK for JavaScript, whose exporter over HTTP speaks JSON, against our server: the spans of
// `opentelemetry_server.py`.
//
//     node opentelemetry_server.js URL

import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BasicTracerProvider, BatchSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { SpanStatusCode, context, trace } from "@opentelemetry/api";

const exporter = new OTLPTraceExporter({ url: `${process.argv[2]}/v1/traces`, compression: "gzip" });
const provider = new BasicTracerProvider({
  resource: resourceFromAttributes({ "service.name": "shop" }),
  spanProcessors: [new BatchSpanProcessor(exporter)],
});
const tracer = provider.getTracer("peer");

const root = tracer.startSpan("handle order", { attributes: { "http.route": "/orders" } });
const within = trace.setSpan(context.active(), root);
const said = [{ role: "user", parts: [{ type: "text", content: "Where is my order?" }] }];
const answer = [{ role: "assistant", parts: [{ type: "text", content: "On its way." }], finish_reason: "stop" }];
const attributes = {
  "gen_ai.operation.name": "chat",
  "gen_ai.provider.name": "openai",
  "gen_ai.request.model": "gpt-4o-mini",
  "gen_ai.usage.input_tokens": 27,
  "gen_ai.usage.output_tokens": 13,
  "gen_ai.conversation.id": "conversation-7",
  "gen_ai.input.messages": JSON.stringify(said),
  "gen_ai.output.messages": JSON.stringify(answer),
};
tracer.startSpan("chat gpt-4o-mini", { attributes }, within).end();
const fails = tracer.startSpan("fails", {}, within);
fails.setStatus({ code: SpanStatusCode.ERROR, message: "no such order" });
fails.end();
root.end();
await provider.forceFlush();
await provider.shutdown();
console.log("sent");
