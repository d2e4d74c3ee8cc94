"""Runs of a traced program as Arize Phoenix shows them.

    phoenix_check.py PROGRAM    starts Phoenix, lets PROGRAM (`shop`) send it its runs, and looks at them

With OpenLIT's names, which Phoenix mostly does not know, it says what is seen nevertheless.
"""

import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

PATIENCE = 180


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def answer(url):
    with urllib.request.urlopen(url, timeout=30) as response:
        return response.read()


def start(folder):
    """Starts Phoenix with nothing but this folder. Answers the process and where it is."""
    port = free_port()
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "PHOENIX_"))}
    settings = {
        "HOME": folder,
        "PHOENIX_GRPC_PORT": str(free_port()),
        "PHOENIX_HOST": "127.0.0.1",
        "PHOENIX_PORT": str(port),
        "PHOENIX_TELEMETRY_ENABLED": "false",
        "PHOENIX_WORKING_DIR": folder,
    }
    phoenix = pathlib.Path(sys.executable).with_name("phoenix")
    log = open(f"{folder}/phoenix.log", "wb")
    process = subprocess.Popen([phoenix, "serve"], env=kept | settings, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            answer(f"{url}/healthz")
            return process, url
        except (urllib.error.URLError, ConnectionError):
            if process.poll() is not None or time.monotonic() > deadline:
                process.kill()
                sys.exit(pathlib.Path(log.name).read_text())
            time.sleep(0.5)


def sent(program, url, folder, project, conventions):
    """Lets the program send its runs to a project. Answers the spans that Phoenix then shows, by their names."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LANGSMITH_", "OTEL_", "TRACEABLE"))}
    settings = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": url,
        "OTEL_RESOURCE_ATTRIBUTES": f"openinference.project.name={project}",
        "TRACEABLE_EXIT_FLUSH": "60000",
        "TRACEABLE_EXPORT": "otlp",
        "TRACEABLE_HOME": f"{folder}/{project}",
        "TRACEABLE_OTEL_CONVENTIONS": conventions,
    }
    run = subprocess.run([program], env=kept | settings, check=True, capture_output=True, text=True)
    assert run.stderr == "", run.stderr
    ids = json.loads(run.stdout)
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            spans = json.loads(answer(f"{url}/v1/projects/{project}/spans?limit=100"))["data"]
        except urllib.error.HTTPError:
            # It makes a project of the first span.
            spans = []
        if len(spans) >= len(ids):
            break
        assert time.monotonic() < deadline, f"{len(spans)} of {len(ids)} spans after {PATIENCE} s"
        time.sleep(0.2)
    by_id = {span["context"]["span_id"]: span for span in spans}
    assert len(by_id) == len(spans) == len(ids), spans
    return {name: by_id[id.replace("-", "")[16:]] for name, id in ids.items()}


def is_at_least(shown, expected):
    wrong = {name: (shown.get(name), value) for name, value in expected.items() if shown.get(name) != value}
    assert not wrong, f"shown and expected: {wrong}"


def check(spans):
    """All that is known of the runs of `shop`."""
    root, model = spans["serve"], spans["ask the model"]
    kinds = {name: (span["span_kind"], span["status_code"]) for name, span in spans.items()}
    expected = {"serve": ("CHAIN", "OK"), "ask the model": ("LLM", "OK"), "look up": ("RETRIEVER", "OK"), "measure": ("TOOL", "ERROR")}
    assert kinds == expected, kinds
    for name, span in spans.items():
        assert span["name"] == name, span
        assert span["parent_id"] == (None if span is root else root["context"]["span_id"]), span
        assert span["context"]["trace_id"] == root["context"]["trace_id"], span
        said = {"session.id": "conversation-7", "user.id": "ada", "tag.tags": ["eu", "beta"], "metadata.tier": "gold"}
        is_at_least(span["attributes"], said)
    question = "How is the weather in Paris?"
    is_at_least(root["attributes"], {"input.value": json.dumps({"question": question}, separators=(",", ":"))})
    is_at_least(model["attributes"], {
        "llm.model_name": "gpt-4o",
        "llm.provider": "openai",
        "llm.input_messages.0.message.role": "system",
        "llm.input_messages.0.message.content": "Be brief.",
        "llm.input_messages.1.message.role": "user",
        "llm.input_messages.1.message.content": question,
        "llm.input_messages.2.message.tool_calls.0.tool_call.function.name": "weather",
        "llm.input_messages.2.message.tool_calls.0.tool_call.function.arguments": '{"city":"Paris"}',
        "llm.input_messages.3.message.role": "tool",
        "llm.input_messages.3.message.content": "sunny",
        "llm.output_messages.0.message.role": "assistant",
        "llm.output_messages.0.message.content": "It is sunny.",
        "llm.token_count.prompt": 27,
        "llm.token_count.completion": 13,
        "llm.token_count.total": 40,
        "llm.token_count.prompt_details.cache_read": 20,
        "llm.cost.total": 0.05,
    })
    is_at_least(spans["look up"]["attributes"], {"retrieval.documents.0.document.content": "Paris is in France."})
    tool = spans["measure"]
    assert tool["status_message"] == "TimeoutError: no answer within 3 s", tool
    assert [event["name"] for event in tool["events"]] == ["exception"], tool
    is_at_least(tool["attributes"], {"tool.name": "measure"})


def main():
    program = sys.argv[1]
    with tempfile.TemporaryDirectory() as folder:
        phoenix, url = start(folder)
        try:
            check(sent(program, url, folder, "ours", "genai,genai-old,openinference"))
            print("genai,genai-old,openinference: everything is shown")
            for conventions in ["genai", "openinference"]:
                try:
                    check(sent(program, url, folder, conventions, conventions))
                    print(f"{conventions} alone: everything is shown")
                except AssertionError as error:
                    print(f"{conventions} alone: {error}")
            spans = sent(program, url, folder, "openlit", "openlit")
            for name, span in spans.items():
                assert (span["parent_id"] is None) == (name == "serve"), span
                shown = sorted(name for name in span["attributes"] if name.startswith(("llm.", "input.", "output.", "session.")))
                print(f"openlit alone: {name!r} is {span['span_kind']}, {span['status_code']}, with {shown}")
        finally:
            phoenix.terminate()
            phoenix.wait(60)


main()
