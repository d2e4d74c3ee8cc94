// LangSmith's SDK for JavaScript against our server: what it sends, it reads back. What is expected stands here, and not
// in the server.
//
//     node langsmith_server.js URL

import assert from "node:assert/strict";

const url = process.argv[2];
Object.assign(process.env, {
  LANGSMITH_TRACING: "true",
  LANGSMITH_ENDPOINT: url,
  LANGSMITH_API_KEY: "none",
  LANGSMITH_PROJECT: "shop-js",
});

const { Client, RunTree } = await import("langsmith");
const { traceable, getCurrentRunTree } = await import("langsmith/traceable");

const client = new Client({ apiUrl: url, webUrl: url });
const ids = {};
const note = (name) => {
  ids[name] = getCurrentRunTree().id;
};

const findOrder = traceable(
  (number) => {
    note("find_order");
    return `order ${number} is on its way`;
  },
  { name: "find_order", run_type: "tool", client },
);

const chat = traceable(
  async (request) => {
    note("chat");
    return {
      choices: [{ message: { role: "assistant", content: "It is on its way." } }],
      usage_metadata: {
        input_tokens: 27,
        output_tokens: 13,
        total_tokens: 40,
        input_token_details: { cache_read: 20 },
        output_token_details: { reasoning: 4 },
      },
    };
  },
  {
    name: "chat",
    run_type: "llm",
    client,
    tags: ["beta"],
    metadata: { ls_provider: "openai", ls_model_name: "gpt-4o-mini", attempt: 2 },
  },
);

const answer = traceable(
  async (question) => {
    note("answer");
    await findOrder(1042);
    const said = await chat({ messages: [{ role: "user", content: question }] });
    return said.choices[0].message;
  },
  { name: "answer", client, metadata: { session_id: "conversation-8" } },
);

const stream = traceable(
  async function* () {
    note("stream");
    yield* ["It is ", "on its ", "way."];
  },
  { name: "stream", run_type: "llm", client, aggregator: (chunks) => chunks.join("") },
);

const fails = traceable(
  async () => {
    note("fails");
    throw new Error("no such order");
  },
  { name: "fails", client },
);

const PICTURE = new Uint8Array(10_240).map((_, at) => at % 256);
const looksAt = traceable(
  (name) => {
    note("looks_at");
    return `${name} is red`;
  },
  {
    name: "looks_at",
    client,
    extractAttachments: (name) => [{ picture: ["image/png", PICTURE] }, { name }],
  },
);

const both = traceable(
  async () => {
    note("both");
    return Promise.all([findOrder(1), findOrder(2)]);
  },
  { name: "both", client },
);

assert.deepEqual(await answer("Where is my order?"), { role: "assistant", content: "It is on its way." });
const chunks = [];
for await (const chunk of stream()) chunks.push(chunk);
assert.equal(chunks.join(""), "It is on its way.");
await assert.rejects(fails(), /no such order/);
await looksAt("it");
await both();
await client.createFeedback(ids.answer, "helpful", { score: 0.75, comment: "quick" });
await client.createFeedback(ids.chat, "tone", { value: "friendly" });
await client.awaitPendingTraceBatches();

const root = await client.readRun(ids.answer, { loadChildRuns: true });
assert.equal(root.name, "answer");
assert.equal(root.run_type, "chain");
assert.equal(root.status, "success");
assert.equal(root.error ?? null, null);
assert.deepEqual(root.inputs, { input: "Where is my order?" });
assert.deepEqual(root.outputs, { role: "assistant", content: "It is on its way." });
assert.equal(root.parent_run_id ?? null, null);
assert.equal(root.trace_id, ids.answer);
assert.equal(root.extra.metadata.session_id, "conversation-8");
assert.equal(root.extra.runtime.sdk, "langsmith-js");
assert.ok(Date.parse(root.end_time) >= Date.parse(root.start_time), `${root.start_time} ${root.end_time}`);
assert.equal(root.feedback_stats.helpful.avg, 0.75);
assert.deepEqual([root.prompt_tokens, root.completion_tokens, root.total_tokens], [27, 13, 40]);

assert.deepEqual(root.child_runs.map((run) => run.name), ["find_order", "chat"]);
const [tool, model] = root.child_runs;
assert.deepEqual([tool.run_type, tool.inputs, tool.outputs], [
  "tool",
  { input: 1042 },
  { outputs: "order 1042 is on its way" },
]);
assert.deepEqual([model.run_type, model.tags, model.parent_run_id], ["llm", ["beta"], ids.answer]);
assert.ok(model.dotted_order.startsWith(`${root.dotted_order}.`));
assert.ok(tool.dotted_order < model.dotted_order);
assert.deepEqual(model.inputs, { messages: [{ role: "user", content: "Where is my order?" }] });
assert.deepEqual(model.outputs.usage_metadata.input_token_details, { cache_read: 20 });
assert.deepEqual(model.outputs.usage_metadata.output_token_details, { reasoning: 4 });
assert.equal(model.total_tokens, 40);
for (const [name, value] of Object.entries({ ls_provider: "openai", ls_model_name: "gpt-4o-mini", attempt: 2 })) {
  assert.equal(model.extra.metadata[name], value);
}

const streamed = await client.readRun(ids.stream);
assert.deepEqual(streamed.outputs, { outputs: "It is on its way." });
assert.deepEqual(streamed.events.map((event) => event.name), ["new_token", "new_token", "new_token"]);
const first = Date.parse(streamed.first_token_time);
assert.ok(Date.parse(streamed.start_time) <= first && first <= Date.parse(streamed.end_time));

const failed = await client.readRun(ids.fails);
assert.equal(failed.status, "error");
assert.match(failed.error, /no such order/);

const looked = await client.readRun(ids.looks_at);
assert.deepEqual(looked.inputs, { name: "it" });
const file = looked.s3_urls["attachment.picture"];
assert.equal(file.mime_type, "image/png");
const fetched = await fetch(new URL(file.presigned_url, url));
assert.deepEqual(new Uint8Array(await fetched.arrayBuffer()), PICTURE);

const parallel = await client.readRun(ids.both, { loadChildRuns: true });
assert.deepEqual(parallel.outputs, { outputs: ["order 1 is on its way", "order 2 is on its way"] });
assert.deepEqual(parallel.child_runs.map((run) => run.inputs.input).sort(), [1, 2]);

const listed = async (wanted) => {
  const names = [];
  for await (const run of client.listRuns({ projectName: "shop-js", ...wanted })) names.push(run.name);
  return names.sort();
};
const everything = ["answer", "both", "chat", "fails", "find_order", "find_order", "find_order", "looks_at", "stream"];
assert.deepEqual(await listed({}), everything);
assert.deepEqual(await listed({ isRoot: true }), ["answer", "both", "fails", "looks_at", "stream"]);
assert.deepEqual(await listed({ runType: "llm" }), ["chat", "stream"]);
assert.deepEqual(await listed({ error: true }), ["fails"]);
assert.deepEqual(await listed({ filter: 'and(eq(run_type, "llm"), has(tags, "beta"))' }), ["chat"]);
assert.deepEqual(await listed({ traceId: ids.answer }), ["answer", "chat", "find_order"]);
assert.deepEqual(await listed({ parentRunId: ids.answer }), ["chat", "find_order"]);
assert.equal((await listed({ limit: 2 })).length, 2);

const feedback = {};
for await (const each of client.listFeedback({ runIds: [ids.answer, ids.chat] })) feedback[each.key] = each;
assert.deepEqual(Object.keys(feedback).sort(), ["helpful", "tone"]);
assert.deepEqual([feedback.helpful.score, feedback.helpful.comment], [0.75, "quick"]);
assert.deepEqual([feedback.tone.value, feedback.tone.run_id], ["friendly", ids.chat]);
await client.updateFeedback(feedback.helpful.id, { score: 1, comment: "very quick" });
const again = await client.readFeedback(feedback.helpful.id);
assert.deepEqual([again.score, again.comment], [1, "very quick"]);
await client.deleteFeedback(feedback.tone.id);
await assert.rejects(client.readFeedback(feedback.tone.id));

const project = await client.readProject({ projectName: "shop-js" });
assert.deepEqual([project.name, project.id], ["shop-js", root.session_id]);
assert.equal(await client.hasProject({ projectName: "shop-js" }), true);
assert.equal(await client.hasProject({ projectName: "another" }), false);
const projects = [];
for await (const each of client.listProjects()) projects.push(each.name);
assert.deepEqual(projects, ["shop-js"]);
const stats = await client.getRunStats({ projectNames: ["shop-js"] });
assert.deepEqual([stats.run_count, stats.total_tokens], [9, 40]);
const threads = await client.listThreads({ projectName: "shop-js" });
assert.deepEqual(threads.map((thread) => [thread.thread_id, thread.count]), [["conversation-8", 1]]);
assert.equal(await client.getRunUrl({ runId: ids.chat }), `${url}/t/${ids.answer}?run=${ids.chat}`);

// Announced, and ended later.
const late = new RunTree({ name: "late", client, project_name: "shop-js", inputs: {} });
await late.postRun();
await client.awaitPendingTraceBatches();
assert.equal((await client.readRun(late.id)).status, "pending");
await late.end({ n: 1 });
await late.patchRun();
await client.awaitPendingTraceBatches();
assert.deepEqual((await client.readRun(late.id)).outputs, { n: 1 });
console.log("read back");
