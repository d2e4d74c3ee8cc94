"""A service that is traced by OpenTelemetry, and a program that calls one.

    opentelemetry_peer.py serve      answers requests until standard input ends; prints its port
    opentelemetry_peer.py call URL   asks the URL inside of a span

Each answers with the ids of its span, as JSON in a line; the program prints those that it was given, then its own.
"""

import http.server
import json
import sys
import threading
import urllib.request

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

tracer = TracerProvider().get_tracer("peer")
propagator = TraceContextTextMapPropagator()


def ids(span) -> str:
    parent = format(span.parent.span_id, "016x") if span.parent else None
    own = span.get_span_context()
    return json.dumps({"trace_id": format(own.trace_id, "032x"), "span_id": format(own.span_id, "016x"), "parent": parent})


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        with tracer.start_as_current_span("answer", context=propagator.extract(dict(self.headers))) as span:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(ids(span).encode())

    def log_message(self, *_):
        pass


if sys.argv[1] == "serve":
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)
    sys.stdin.read()
else:
    with tracer.start_as_current_span("root") as span:
        headers = {}
        propagator.inject(headers)
        with urllib.request.urlopen(urllib.request.Request(sys.argv[2], headers=headers), timeout=30) as answer:
            print(answer.read().decode())
        print(ids(span))
