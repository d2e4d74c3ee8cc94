"""OpenLIT around OpenAI's own package, against our server. What is expected stands here, and not in the server.

    openlit_server.py URL
"""

import pathlib
import sys

import openai
import openlit
from opentelemetry import trace

import openai_scripted
import read_back

url = sys.argv[1]
openlit.init(
    otlp_endpoint=url,
    application_name="shop",
    environment="test",
    # Else it asks another machine for prices.
    pricing_json=str(pathlib.Path(__file__).with_name("prices.json")),
)
client = openai.OpenAI(base_url=openai_scripted.serve(), api_key="none", max_retries=0)
ASKED = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Where is my order?"}]
TOOLS = [{"type": "function", "function": {"name": "find_order", "parameters": {"type": "object"}}}]


@openlit.trace
def answer(question: str) -> str:
    said = client.chat.completions.create(model="gpt-4o-mini", messages=ASKED, temperature=0.2, user="u1")
    assert question == "Where is my order?"
    return said.choices[0].message.content


@openlit.trace
def stream() -> str:
    asked = {"model": "gpt-4o-mini", "messages": ASKED, "stream": True, "stream_options": {"include_usage": True}}
    chunks = [chunk for chunk in client.chat.completions.create(**asked)]
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


@openlit.trace
def tool() -> dict:
    said = client.chat.completions.create(model="gpt-4o-mini", messages=ASKED, tools=TOOLS)
    return {"calls": len(said.choices[0].message.tool_calls)}


@openlit.trace
def embed() -> None:
    client.embeddings.create(model="text-embedding-3-small", input="cats")


@openlit.trace
def fails() -> None:
    try:
        client.chat.completions.create(model="gpt-none", messages=ASKED)
    except openai.NotFoundError:
        pass


assert answer("Where is my order?") == "It is on its way."
assert stream() == "It is on its way."
tool()
embed()
fails()
assert trace.get_tracer_provider().force_flush(30_000)

runs = read_back.runs(url)
assert {run["session_name"] for run in runs} == {"shop"}
kinds = sorted(run["run_type"] for run in runs if run["run_type"] != "chain")
assert kinds == ["embedding", "llm", "llm", "llm", "llm"], kinds


def below(name: str) -> dict:
    """The call that was made in a function, and no request over HTTP."""
    parent = read_back.called(runs, name)
    assert (parent["parent_run_id"], parent["run_type"], parent["status"]) == (None, "chain", "success"), parent
    found = [run for run in runs if run["parent_run_id"] == parent["id"]]
    assert len(found) == 1, found
    return found[0]


def messages(body: dict) -> list[tuple]:
    """Who said what."""
    return [(each["role"], [part.get("content") for part in each["parts"]]) for each in body["messages"]]


def is_chat(run: dict) -> None:
    metadata = run["extra"]["metadata"]
    assert (run["name"], run["run_type"], run["status"]) == ("chat gpt-4o-mini", "llm", "success"), run
    assert (metadata["ls_provider"], metadata["ls_model_name"]) == ("openai", "gpt-4o-mini"), metadata
    assert metadata["gen_ai.response.model"] == "gpt-4o-mini-2024-07-18", metadata
    assert messages(run["inputs"]) == [("system", ["Be brief."]), ("user", ["Where is my order?"])], run["inputs"]
    assert (run["prompt_tokens"], run["completion_tokens"], run["total_tokens"]) == (27, 13, 40), run
    assert metadata["usage_metadata"]["input_token_details"]["cache_read"] == 20, metadata
    # A thousand tokens for 0.15 and 0.6.
    assert abs(run["total_cost"] - 0.01185) < 1e-9, run


root = read_back.called(runs, "answer")
assert root["inputs"] == {"args": "('Where is my order?',)"}, root["inputs"]
assert root["outputs"] == {"output": "It is on its way."}, root["outputs"]
chat = below("answer")
is_chat(chat)
assert messages(chat["outputs"]) == [("assistant", ["It is on its way."])], chat["outputs"]
assert chat["extra"]["metadata"]["ls_temperature"] == 0.2, chat
assert chat["extra"]["metadata"]["ls_user_id"] == "u1", chat
assert chat["first_token_time"] is None, chat

streamed = below("stream")
is_chat(streamed)
assert messages(streamed["outputs"]) == [("assistant", ["It is on its way."])], streamed["outputs"]
assert streamed["start_time"] <= streamed["first_token_time"] <= streamed["end_time"], streamed
assert "ls_user_id" not in streamed["extra"]["metadata"], streamed

called = below("tool")
is_chat(called)
(part,) = called["outputs"]["messages"][0]["parts"]
assert (part["type"], part["name"], part["id"]) == ("tool_call", "find_order", "call_1"), part
assert part["arguments"] == {"number": 1042}, part

embedded = below("embed")
assert (embedded["run_type"], embedded["prompt_tokens"], embedded["status"]) == ("embedding", 3, "success"), embedded

failed = below("fails")
assert failed["status"] == "error" and "no such model" in failed["error"], failed
print("read back")
