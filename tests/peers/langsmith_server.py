"""LangSmith's SDK against our server: what it sends, it reads back. What is expected stands here, and not in the server.

    langsmith_server.py URL
"""

import os
import sys
import urllib.error
import urllib.request
import uuid

url = sys.argv[1]
os.environ.update(LANGSMITH_TRACING="true", LANGSMITH_ENDPOINT=url, LANGSMITH_API_KEY="none", LANGSMITH_PROJECT="shop")

import langsmith  # noqa: E402
from langsmith import Client, get_current_run_tree, traceable  # noqa: E402
from langsmith.schemas import Attachment  # noqa: E402

client = Client()
ids: dict[str, uuid.UUID] = {}


def note(name: str) -> None:
    ids[name] = get_current_run_tree().id


@traceable(run_type="tool", client=client)
def find_order(number: int) -> str:
    note("find_order")
    return f"order {number} is on its way"


@traceable(
    run_type="llm",
    client=client,
    tags=["beta"],
    metadata={"ls_provider": "openai", "ls_model_name": "gpt-4o-mini", "attempt": 2},
)
def chat(messages: list) -> dict:
    note("chat")
    return {
        "choices": [{"message": {"role": "assistant", "content": "It is on its way."}}],
        "usage_metadata": {"input_tokens": 27, "output_tokens": 13, "total_tokens": 40},
    }


@traceable(client=client, metadata={"session_id": "conversation-7"})
def answer(question: str) -> dict:
    note("answer")
    find_order(1042)
    return chat([{"role": "user", "content": question}])["choices"][0]["message"]


@traceable(run_type="llm", client=client, reduce_fn="".join)
def stream():
    note("stream")
    yield from ["It is ", "on its ", "way."]


@traceable(client=client)
def fails() -> None:
    note("fails")
    raise ValueError("no such order")


@traceable(client=client)
def looks_at(picture: Attachment, name: str) -> str:
    note("looks_at")
    return f"{name} is red"


class Stays(urllib.request.HTTPRedirectHandler):
    """Says where it is led to, and does not go there."""

    def redirect_request(self, *_: object) -> None:
        return None


PICTURE = bytes(range(256)) * 40

answer("Where is my order?")
assert "".join(stream()) == "It is on its way."
try:
    fails()
except ValueError:
    pass
looks_at(Attachment(mime_type="image/png", data=PICTURE), name="it")
client.create_feedback(ids["answer"], key="helpful", score=0.75, comment="quick", trace_id=ids["answer"])
client.create_feedback(ids["chat"], key="tone", value="friendly")
client.flush()

root = client.read_run(ids["answer"], load_child_runs=True)
assert (root.name, root.run_type, root.status, root.error) == ("answer", "chain", "success", None), root
assert root.inputs == {"question": "Where is my order?"}, root.inputs
assert root.outputs == {"role": "assistant", "content": "It is on its way."}, root.outputs
assert root.parent_run_id is None and root.trace_id == root.id == ids["answer"]
assert root.extra["metadata"]["session_id"] == "conversation-7", root.extra
assert root.extra["runtime"]["sdk"] == "langsmith-py", root.extra
assert root.end_time > root.start_time
assert root.feedback_stats["helpful"]["avg"] == 0.75, root.feedback_stats
assert (root.prompt_tokens, root.completion_tokens, root.total_tokens) == (27, 13, 40), root

tool, model = root.child_runs
assert (tool.name, tool.run_type, tool.inputs, tool.outputs) == (
    "find_order",
    "tool",
    {"number": 1042},
    {"output": "order 1042 is on its way"},
), tool
assert (model.name, model.run_type, model.tags) == ("chat", "llm", ["beta"]), model
assert model.parent_run_id == tool.parent_run_id == root.id
assert model.dotted_order.startswith(root.dotted_order + "."), model.dotted_order
assert tool.dotted_order < model.dotted_order
assert model.inputs == {"messages": [{"role": "user", "content": "Where is my order?"}]}, model.inputs
assert model.outputs["usage_metadata"]["total_tokens"] == 40, model.outputs
for name, value in {"ls_provider": "openai", "ls_model_name": "gpt-4o-mini", "attempt": 2}.items():
    assert model.extra["metadata"][name] == value, model.extra
assert model.total_tokens == 40, model

streamed = client.read_run(ids["stream"])
assert streamed.outputs == {"output": "It is on its way."}, streamed.outputs
assert [event["name"] for event in streamed.events] == ["new_token"], streamed.events
assert streamed.start_time < streamed.first_token_time <= streamed.end_time, streamed

failed = client.read_run(ids["fails"])
assert failed.status == "error" and failed.error.startswith("ValueError('no such order')"), failed

looked = client.read_run(ids["looks_at"])
assert looked.inputs == {"name": "it"}, looked.inputs
assert looked.attachments["picture"]["mime_type"] == "image/png", looked.attachments
assert looked.attachments["picture"]["reader"].read() == PICTURE


def listed(**wanted) -> list[str]:
    return sorted(run.name for run in client.list_runs(project_name="shop", **wanted))


everything = ["answer", "chat", "fails", "find_order", "looks_at", "stream"]
assert listed() == everything, listed()
assert listed(is_root=True) == ["answer", "fails", "looks_at", "stream"]
assert listed(run_type="llm") == ["chat", "stream"]
assert listed(error=True) == ["fails"]
assert listed(filter='and(eq(run_type, "llm"), has(tags, "beta"))') == ["chat"]
assert listed(filter='gt(total_tokens, 30)') == ["chat"]
assert listed(filter='eq(run_type, "tool")', trace_filter='eq(name, "answer")') == ["find_order"]
assert listed(is_root=True, tree_filter='eq(name, "chat")') == ["answer"]
assert listed(trace_id=ids["answer"]) == ["answer", "chat", "find_order"]
assert listed(parent_run_id=ids["answer"]) == ["chat", "find_order"]
assert listed(id=[ids["stream"]]) == ["stream"]
assert len(list(client.list_runs(project_name="shop", limit=2))) == 2

feedback = {each.key: each for each in client.list_feedback(run_ids=[ids["answer"], ids["chat"]])}
assert set(feedback) == {"helpful", "tone"}, feedback
assert (feedback["helpful"].score, feedback["helpful"].comment) == (0.75, "quick")
assert (feedback["tone"].value, feedback["tone"].run_id) == ("friendly", ids["chat"])
client.update_feedback(feedback["helpful"].id, score=1, comment="very quick")
again = client.read_feedback(feedback["helpful"].id)
assert (again.score, again.comment) == (1, "very quick"), again

client.delete_feedback(feedback["tone"].id)
assert [each.key for each in client.list_feedback(run_ids=[ids["answer"], ids["chat"]])] == ["helpful"]

project = client.read_project(project_name="shop")
assert project.name == "shop" and project.id == root.session_id
assert client.read_project(project_id=project.id).name == "shop"
assert client.has_project("shop") and not client.has_project("another")
assert [each.name for each in client.list_projects()] == ["shop"]
stats = client.get_run_stats(project_names=["shop"])
assert (stats["run_count"], stats["total_tokens"]) == (6, 40), stats

threads = client.list_threads(project_name="shop")
assert [(thread["thread_id"], thread["count"]) for thread in threads] == [("conversation-7", 1)], threads

assert [run.id for run in client.read_thread(thread_id="conversation-7", project_name="shop")] == [ids["answer"]]
web = Client(web_url=url.removesuffix("/api/v1")).get_run_url(run=model, project_name="shop")
request = urllib.request.Request(web, headers={"accept": "text/html"})
try:
    moved = urllib.request.build_opener(Stays).open(request).url
except urllib.error.HTTPError as error:
    moved = error.headers["location"]
assert moved == f"/t/{ids['answer']}?run={ids['chat']}", moved
client.create_project("new")
assert client.has_project("new")
assert client.read_project(project_name="new").id != project.id

late = langsmith.RunTree(name="late", client=client, project_name="shop", inputs={})
late.post()
late.end(outputs={"n": 1})
late.patch()
client.flush()
assert late.get_url() == f"{url.removesuffix('/api/v1')}/t/{late.trace_id}?run={late.id}", late.get_url()
assert client.read_run(late.id).outputs == {"n": 1}
print("read back")
