"""OpenInference around OpenAI's own package, against our server. What is expected stands here, and not in the server.

    openinference_server.py URL
"""

import json
import sys

import openai
from openinference.instrumentation import using_attributes
from openinference.instrumentation.openai import OpenAIInstrumentor
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

import openai_scripted
import read_back

url = sys.argv[1]
provider = TracerProvider(resource=Resource.create({"openinference.project.name": "shop"}))
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=f"{url}/v1/traces")))
OpenAIInstrumentor().instrument(tracer_provider=provider)
client = openai.OpenAI(base_url=openai_scripted.serve(), api_key="none", max_retries=0)
tracer = provider.get_tracer("peer")
ASKED = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Where is my order?"}]
PICTURE = "data:image/png;base64,iVBORw0KGgo="
LOOK = [
    {"type": "text", "text": "What is this?"},
    {"type": "image_url", "image_url": {"url": PICTURE}},
]
TOOLS = [{"type": "function", "function": {"name": "find_order", "parameters": {"type": "object"}}}]


def call(name: str, **asked) -> None:
    with tracer.start_as_current_span(name):
        list(client.chat.completions.create(**{"model": "gpt-4o-mini", "messages": ASKED, **asked}))


with using_attributes(session_id="conversation-9", user_id="u1", tags=["beta"], metadata={"attempt": 2}):
    call("answer", temperature=0.2)
call("stream", stream=True, stream_options={"include_usage": True})
call("tool", tools=TOOLS)
call("look", messages=[{"role": "user", "content": LOOK}])
with tracer.start_as_current_span("embed"):
    client.embeddings.create(model="text-embedding-3-small", input="cats")
with tracer.start_as_current_span("fails"):
    try:
        client.chat.completions.create(model="gpt-none", messages=ASKED)
    except openai.NotFoundError:
        pass
assert provider.force_flush(30_000)

runs = read_back.runs(url)
assert len(runs) == 12 and {run["session_name"] for run in runs} == {"shop"}, runs


def below(name: str) -> dict:
    parent = read_back.called(runs, name)["id"]
    (found,) = [run for run in runs if run["parent_run_id"] == parent]
    return found


def is_chat(run: dict) -> None:
    metadata = run["extra"]["metadata"]
    assert (run["name"], run["run_type"], run["status"]) == ("ChatCompletion", "llm", "success"), run
    assert metadata["ls_model_name"].startswith("gpt-4o-mini"), metadata
    assert metadata["ls_provider"] == "openai", metadata
    assert (run["prompt_tokens"], run["completion_tokens"], run["total_tokens"]) == (27, 13, 40), run
    usage = metadata["usage_metadata"]
    assert usage["input_token_details"]["cache_read"] == 20, usage
    assert usage["output_token_details"]["reasoning"] == 4, usage


def said(run: dict) -> list[dict]:
    """The messages of the answer, as OpenAI has them."""
    outputs = run["outputs"]
    return [choice["message"] for choice in outputs["choices"]] if "choices" in outputs else outputs["messages"]


chat = below("answer")
is_chat(chat)
assert chat["inputs"]["messages"] == ASKED, chat["inputs"]
assert said(chat)[0]["content"] == "It is on its way.", chat["outputs"]
metadata = chat["extra"]["metadata"]
assert (metadata["attempt"], metadata["ls_user_id"], chat["tags"]) == (2, "u1", ["beta"]), chat
assert metadata["ls_temperature"] == 0.2, metadata
assert chat["thread_id"] == "conversation-9", chat

streamed = below("stream")
is_chat(streamed)
assert said(streamed)[0]["content"] == "It is on its way.", streamed["outputs"]

assert streamed["start_time"] <= streamed["first_token_time"] <= streamed["end_time"], streamed

(message,) = said(below("tool"))
(wanted,) = message["tool_calls"]
assert wanted["function"]["name"] == "find_order", message
assert json.loads(wanted["function"]["arguments"]) == {"number": 1042}, message

looked = below("look")
is_chat(looked)
(asked,) = looked["inputs"]["messages"]
assert asked["content"][0] == LOOK[0] and asked["content"][1]["image_url"]["url"] == PICTURE, asked

embedded = below("embed")
assert (embedded["run_type"], embedded["status"], embedded["prompt_tokens"]) == ("embedding", "success", 3), embedded

failed = below("fails")
assert failed["status"] == "error" and "no such model" in failed["error"], failed
print("read back")
