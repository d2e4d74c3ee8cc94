"""OpenLIT around the vector databases Chroma and Qdrant, both in memory, against our server. What is expected stands here.

    vectors_server.py URL
"""

import pathlib
import sys

import chromadb
import openlit
from chromadb.config import Settings
from opentelemetry import trace
from qdrant_client import QdrantClient
from qdrant_client.models import Distance, PointStruct, VectorParams

import read_back

url = sys.argv[1]
openlit.init(
    otlp_endpoint=url,
    application_name="shop",
    environment="test",
    pricing_json=str(pathlib.Path(__file__).with_name("prices.json")),
)
NEAR, FAR = [0.1, 0.2], [0.9, 0.1]

with openlit.start_trace("chroma"):
    client = chromadb.EphemeralClient(Settings(anonymized_telemetry=False))
    cats = client.create_collection("cats")
    cats.add(ids=["a", "b"], embeddings=[NEAR, FAR], documents=["Cats purr.", "Dogs bark."])
    found = cats.query(query_embeddings=[NEAR], n_results=1)
    assert found["documents"] == [["Cats purr."]], found
with openlit.start_trace("qdrant"):
    client = QdrantClient(":memory:")
    client.create_collection("cats", vectors_config=VectorParams(size=2, distance=Distance.COSINE))
    client.upsert("cats", points=[PointStruct(id=1, vector=NEAR, payload={"said": "Cats purr."})])
    found = client.query_points("cats", query=NEAR, limit=1)
    assert found.points[0].payload == {"said": "Cats purr."}, found
assert trace.get_tracer_provider().force_flush(30_000)

runs = read_back.runs(url)


def below(name: str) -> list[dict]:
    """What was done with a database, in order."""
    parent = read_back.called(runs, name)
    assert (parent["parent_run_id"], parent["session_name"]) == (None, "shop"), parent
    found = [run for run in runs if run["parent_run_id"] == parent["id"]]
    assert all(run["run_type"] == "retriever" and run["status"] == "success" for run in found), found
    assert {run["extra"]["metadata"]["db.system.name"] for run in found} == {name}, found
    return found


def said(run: dict, *names: str) -> list:
    return [run["extra"]["metadata"].get(f"db.{name}") for name in names]


insert, get = below("chroma")
assert said(insert, "operation.name", "collection.name", "vector.count") == ["INSERT", "cats", 2], insert
assert insert["inputs"] == {"query": "['a', 'b']"}, insert
assert said(get, "operation.name", "vector.query.top_k", "response.returned_rows") == ["GET", 1, 1], get
assert (get["name"], get["inputs"]) == ("GET cats", {"query": "embeddings=1 vectors"}), get

create, upsert, query = below("qdrant")
assert said(create, "operation.name") == ["create_collection"], create
assert said(upsert, "operation.name", "vector.count", "operation.status") == ["UPSERT", 1, "completed"], upsert
assert said(query, "operation.name", "vector.query.top_k") == ["QUERY", 1], query
assert query["inputs"] == {"query": "[0.1, 0.2]"}, query
print("read back")
