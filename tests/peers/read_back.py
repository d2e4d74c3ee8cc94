"""What the server has kept, by its own routes."""

import json
import urllib.request


def ask(url: str, body: dict | None = None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"content-type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def runs(url: str) -> list[dict]:
    """All runs, the oldest first."""
    return ask(f"{url}/runs/query", {"order": "asc", "limit": 100})["runs"]


def called(all_runs: list[dict], name: str) -> dict:
    """The one run of that name."""
    found = [run for run in all_runs if run["name"] == name]
    assert len(found) == 1, (name, [run["name"] for run in all_runs])
    return found[0]
