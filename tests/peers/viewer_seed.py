"""Fills a server with what the viewer's tests look at, by LangSmith's SDK and by OpenTelemetry's.

    viewer_seed.py URL          an agent, failures, files, threads, users
    viewer_seed.py URL one NAME a trace of one run, for tests that wait for it
"""

import base64
import json
import os
import struct
import sys
import zlib

url = sys.argv[1]
os.environ.update(LANGSMITH_TRACING="true", LANGSMITH_ENDPOINT=url, LANGSMITH_API_KEY="none", LANGSMITH_PROJECT="shop")

from langsmith import Client, traceable  # noqa: E402
from langsmith.schemas import Attachment  # noqa: E402

client = Client()

PROBE = '<img src=x onerror="window.hurt = true">'
SYSTEM = "\n".join(["You answer questions about orders."] + [f"Rule {n}: say what you know of it." for n in range(2, 14)])
TOOLS = [{"type": "function", "function": {"name": "find_order", "parameters": {"type": "object"}}}]


def picture() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + bytes([200, 30, 30]) * 24 for _ in range(24))
    head = struct.pack(">IIBBBBB", 24, 24, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def sound() -> bytes:
    samples = b"\x80" * 800
    return b"RIFF" + struct.pack("<I", 36 + len(samples)) + b"WAVEfmt " + struct.pack(
        "<IHHIIHH", 16, 1, 1, 8000, 8000, 1, 8
    ) + b"data" + struct.pack("<I", len(samples)) + samples


@traceable(run_type="retriever", client=client)
def search_notes(query: str) -> list:
    return [{"page_content": "Parcels take three days.", "type": "Document", "metadata": {"source": "notes.md"}}]


@traceable(run_type="tool", client=client)
def find_order(number: int) -> str:
    # JSON in a string, as most tools answer.
    return json.dumps({"number": number, "state": "on its way", "carrier": {"name": "Parcel Post"}})


@traceable(
    run_type="llm",
    client=client,
    metadata={"ls_provider": "openai", "ls_model_name": "gpt-4o-mini", "ls_temperature": 0.2},
)
def chat(messages: list, tools: list, message: dict) -> dict:
    return {
        "choices": [{"message": message, "finish_reason": "stop"}],
        "usage_metadata": {
            "input_tokens": 270 + 10 * len(messages),
            "output_tokens": 130,
            "total_tokens": 400 + 10 * len(messages),
            "input_token_details": {"cache_read": 128},
            "input_cost": 0.0004,
            "output_cost": 0.0008,
            "total_cost": 0.0012,
        },
    }


@traceable(client=client, name="agent")
def agent(question: str, number: int) -> str:
    said = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": question}]
    call = {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {"id": "call_1", "type": "function", "function": {"name": "find_order", "arguments": json.dumps({"number": number})}}
        ],
    }
    chat(list(said), TOOLS, call)
    found = find_order(number)
    search_notes(question)
    said += [call, {"role": "tool", "tool_call_id": "call_1", "content": found}]
    text = f"**Order {number}** is on its way.\n\n| step | done |\n|---|---|\n| packed | yes |\n\n- soon there\n- {PROBE}\n"
    chat(list(said), TOOLS, {"role": "assistant", "content": text})
    return text


@traceable(run_type="llm", client=client, reduce_fn="".join, metadata={"ls_provider": "openai", "ls_model_name": "gpt-4o"})
def stream(messages: list):
    yield from ["It ", "is ", "on its ", "way."]


@traceable(run_type="tool", client=client)
def fails() -> None:
    raise ValueError("no such order: 7")


@traceable(client=client, name="careless")
def careless(question: str) -> str:
    try:
        fails()
    except ValueError:
        pass
    return "I could not find it."


@traceable(client=client)
def looks_at(picture: Attachment, voice: Attachment, paper: Attachment, text: Attachment, question: str) -> str:
    return "It is red."


def opentelemetry() -> None:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor

    provider = TracerProvider(resource=Resource.create({"service.name": "desk", "deployment.environment.name": "staging"}))
    provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(endpoint=f"{url}/v1/traces")))
    tracer = provider.get_tracer("seed")
    with tracer.start_as_current_span("handle request"), tracer.start_as_current_span("chat claude-sonnet-4") as span:
        span.set_attributes(
            {
                "gen_ai.operation.name": "chat",
                "gen_ai.provider.name": "anthropic",
                "gen_ai.request.model": "claude-sonnet-4",
                "gen_ai.usage.input_tokens": 30,
                "gen_ai.usage.output_tokens": 12,
                "gen_ai.input.messages": json.dumps([{"role": "user", "parts": [{"type": "text", "content": "Are you open?"}]}]),
                "gen_ai.output.messages": json.dumps(
                    [{"role": "assistant", "parts": [{"type": "text", "content": "Until six."}], "finish_reason": "stop"}]
                ),
            }
        )
    provider.shutdown()


def of(thread: str, user: str, environment: str, release: str, *tags: str) -> dict:
    about = {"session_id": thread, "user_id": user, "environment": environment, "revision_id": release}
    return {"langsmith_extra": {"metadata": about, "tags": list(tags)}}


def everything() -> None:
    opentelemetry()
    data = picture()
    looks_at(
        Attachment(mime_type="image/png", data=data),
        Attachment(mime_type="audio/wav", data=sound()),
        Attachment(mime_type="application/pdf", data=b"%PDF-1.4\n%%EOF\n"),
        Attachment(mime_type="text/plain", data=b"<script>window.hurt = true</script>"),
        question="What colour is it?",
        **of("thread-pictures", "grace", "production", "v2"),
    )
    inline = "data:image/png;base64," + base64.b64encode(data).decode()
    seen = [{"role": "user", "content": [{"type": "text", "text": "And this?"}, {"type": "image_url", "image_url": {"url": inline}}]}]
    chat(seen, [], {"role": "assistant", "content": "Red again."}, **of("thread-pictures", "grace", "production", "v2"))
    "".join(stream([{"role": "user", "content": "Say it slowly"}], **of("thread-stream", "grace", "staging", "v1", "slow")))
    careless("Where is order 7?", **of("thread-7", "ada", "production", "v1"))
    for number in range(1041, 1044):
        question = f"Where is my order {number}?"
        agent(question, number, **of("thread-orders", "ada", "production", "v2", "beta", "orders"))
    # The newest.
    agent("Has the lighthouse lamp been sent?", 1044, **of("thread-orders", "ada", "production", "v2", "beta"))


if len(sys.argv) > 2:
    traceable(client=client, name=sys.argv[3])(lambda question: "here")("is it there?")
else:
    everything()
client.flush()
