"""A service that is traced by LangSmith's SDK, and a program that calls one.

    langsmith_peer.py serve      answers requests until standard input ends; prints its port
    langsmith_peer.py call URL   asks the URL inside of a run, and prints the answer
"""

import http.server
import sys
import threading
import urllib.request

import langsmith
from langsmith.run_helpers import get_current_run_tree, traceable, tracing_context

client = langsmith.Client()


@traceable(client=client)
def python_answer(word: str) -> str:
    return word.upper()


@traceable(client=client, metadata={"user_id": "ada"}, tags=["beta"])
def python_root(url: str) -> str:
    request = urllib.request.Request(url, headers=get_current_run_tree().to_headers())
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.read().decode()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        with tracing_context(parent=dict(self.headers)):
            answer = python_answer("answer")
        client.flush(30)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(answer.encode())

    def log_message(self, *_):
        pass


if sys.argv[1] == "serve":
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)
    sys.stdin.read()
else:
    print(python_root(sys.argv[2]))
    client.flush(30)
