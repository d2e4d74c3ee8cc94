"""OpenTelemetry's SDK and exporter against our server: a request to a model below a span of the application.

    opentelemetry_server.py URL
"""

import json
import sys

from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Status, StatusCode

provider = TracerProvider(resource=Resource.create({"service.name": "shop"}))
exporter = OTLPSpanExporter(endpoint=f"{sys.argv[1]}/v1/traces", compression=Compression.Gzip)
provider.add_span_processor(BatchSpanProcessor(exporter))
tracer = provider.get_tracer("peer")

with tracer.start_as_current_span("handle order") as root:
    root.set_attribute("http.route", "/orders")
    with tracer.start_as_current_span("chat gpt-4o-mini") as chat:
        said = [{"role": "user", "parts": [{"type": "text", "content": "Where is my order?"}]}]
        answer = [{"role": "assistant", "parts": [{"type": "text", "content": "On its way."}], "finish_reason": "stop"}]
        chat.set_attributes(
            {
                "gen_ai.operation.name": "chat",
                "gen_ai.provider.name": "openai",
                "gen_ai.request.model": "gpt-4o-mini",
                "gen_ai.usage.input_tokens": 27,
                "gen_ai.usage.output_tokens": 13,
                "gen_ai.conversation.id": "conversation-7",
                "gen_ai.input.messages": json.dumps(said),
                "gen_ai.output.messages": json.dumps(answer),
            }
        )
    with tracer.start_as_current_span("fails") as fails:
        fails.set_status(Status(StatusCode.ERROR, "no such order"))
assert provider.force_flush(30_000)
provider.shutdown()
print("sent")
