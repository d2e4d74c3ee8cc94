"""An endpoint on this machine that answers as OpenAI's does, from a script.

Its answers are worded here, so that a program which calls it through OpenAI's own package knows what is to be recorded.
"""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

USAGE = {
    "prompt_tokens": 27,
    "completion_tokens": 13,
    "total_tokens": 40,
    "prompt_tokens_details": {"cached_tokens": 20, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 4, "audio_tokens": 0},
}
CALL = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "find_order", "arguments": '{"number": 1042}'},
}
PIECES = ["It is ", "on its ", "way."]


def completion(message: dict, finish: str) -> dict:
    choice = {"index": 0, "finish_reason": finish, "message": {"role": "assistant", **message}}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1717171717,
        "model": "gpt-4o-mini-2024-07-18",
        "choices": [choice],
        "usage": USAGE,
    }


def chunks() -> list[dict]:
    def chunk(delta: dict, finish: str | None = None) -> dict:
        return {
            "id": "chatcmpl-2",
            "object": "chat.completion.chunk",
            "created": 1717171717,
            "model": "gpt-4o-mini-2024-07-18",
            "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
        }

    said = [chunk({"content": piece}) for piece in PIECES]
    return [
        chunk({"role": "assistant", "content": ""}),
        *said,
        chunk({}, "stop"),
        {**chunk({}), "choices": [], "usage": USAGE},
    ]


def embedding() -> dict:
    return {
        "object": "list",
        "model": "text-embedding-3-small",
        "data": [{"object": "embedding", "index": 0, "embedding": [0.1, 0.2]}],
        "usage": {"prompt_tokens": 3, "total_tokens": 3},
    }


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.path.endswith("/embeddings"):
            return self.answer(200, embedding())
        if asked["model"] == "gpt-none":
            return self.answer(404, {"error": {"message": "no such model", "type": "invalid_request_error"}})
        if asked.get("stream"):
            lines = [f"data: {json.dumps(chunk)}\n\n" for chunk in chunks()]
            return self.write(200, "text/event-stream", "".join([*lines, "data: [DONE]\n\n"]))
        if asked.get("tools"):
            return self.answer(200, completion({"content": None, "tool_calls": [CALL]}, "tool_calls"))
        return self.answer(200, completion({"content": "It is on its way."}, "stop"))

    def answer(self, status: int, body: dict) -> None:
        self.write(status, "application/json", json.dumps(body))

    def write(self, status: int, kind: str, body: str) -> None:
        raw = body.encode()
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)


def serve() -> str:
    """Starts the endpoint; answers its address as OpenAI's package wants it."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}/v1"
