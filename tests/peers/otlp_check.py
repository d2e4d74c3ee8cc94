"""OTLP as the official Python packages have it.

    otlp_check.py read    reads an ExportTraceServiceRequest from standard input; prints its spans as JSON, one a line
    otlp_check.py write   makes a span with OpenTelemetry's SDK and prints the request, in hexadecimal digits
"""

import json
import sys

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter


def value(any_value):
    kind = any_value.WhichOneof("value")
    if kind == "array_value":
        return [value(item) for item in any_value.array_value.values]
    return getattr(any_value, kind)


def attributes(pairs):
    return {pair.key: value(pair.value) for pair in pairs}


if sys.argv[1] == "read":
    request = ExportTraceServiceRequest()
    request.ParseFromString(sys.stdin.buffer.read())
    for resource_spans in request.resource_spans:
        for scope_spans in resource_spans.scope_spans:
            for span in scope_spans.spans:
                print(json.dumps({
                    "resource": attributes(resource_spans.resource.attributes),
                    "scope": scope_spans.scope.name,
                    "trace_id": span.trace_id.hex(),
                    "span_id": span.span_id.hex(),
                    "name": span.name,
                    "kind": span.kind,
                    "start": span.start_time_unix_nano,
                    "end": span.end_time_unix_nano,
                    "attributes": attributes(span.attributes),
                    "events": [[event.name, attributes(event.attributes)] for event in span.events],
                    "status": [span.status.code, span.status.message],
                }))
else:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("peer")
    message = '[{"role": "user", "parts": [{"type": "text", "content": "Hi"}]}]'
    with tracer.start_as_current_span("root"):
        with tracer.start_as_current_span("chat gpt-4o") as span:
            span.set_attribute("gen_ai.operation.name", "chat")
            span.set_attribute("gen_ai.request.model", "gpt-4o")
            span.set_attribute("gen_ai.input.messages", message)
            span.set_attribute("gen_ai.response.finish_reasons", ["stop"])
            span.record_exception(ValueError("too warm"))
    print(encode_spans(exporter.get_finished_spans()).SerializeToString().hex())
