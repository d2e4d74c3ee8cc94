//! The quickstart: what it answers, and what it says when it cannot.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    process::{Command, Stdio},
    thread::{self, JoinHandle},
};

use crate::support::{Page, example};

/// The quickstart, which does not stay to show the trace.
fn leaving() -> Command {
    let mut command = example("quickstart");
    command.arg("--exit");
    command
}

#[test]
fn the_quickstart_answers_and_shows_how() {
    let page = Page::of(&mut leaving());

    assert_eq!(page.code, Some(0), "{}", page.err);
    assert!(
        page.out.starts_with("Order 1042 (assam) is on its way and arrives on Thursday. Of jasmine we have 12 tins")
    );
    assert!(page.out.contains("You can exchange unopened tea for any other tea within 30 days"), "{}", page.out);
    assert_eq!(
        page.tree(),
        [
            "✓ answer",
            "├─ ✓ plan",
            "│  └─ ✓ chat llm",
            "├─ ✓ find_order tool",
            "├─ ✓ check_stock tool",
            "├─ ✓ search_notes retriever",
            "└─ ✓ chat_stream llm",
        ],
        "{}",
        page.err
    );
    assert!(page.run("chat").contains("44→8 tok"), "{}", page.err);
    let answer = page.run("chat_stream");
    assert!(answer.contains(" tok · first "), "{answer}");
    assert!(answer.contains("\"Where is my order 1042"), "{answer}");
    assert!(answer.contains("→ \"Order 1042 (assam) is on its way"), "{answer}");
    assert!(page.run("find_order").contains("1042 → {\"number\":1042,\"tea\":\"assam\""), "{}", page.err);
    assert!(page.err.contains("\n   7 runs · "), "{}", page.err);
}

#[test]
fn a_tool_that_fails_is_no_failure_of_the_agent() {
    let page = Page::of(leaving().arg("Where is order 9999?"));

    assert_eq!(page.code, Some(0), "{}", page.err);
    assert!(page.out.starts_with("I am sorry: there is no order 9999."), "{}", page.out);
    assert_eq!(page.tree()[0], "✓ answer");
    assert!(page.tree().contains(&"├─ ✗ find_order tool"), "{}", page.err);
    assert!(page.err.contains("│    there is no order 9999\n"), "{}", page.err);
}

const FAILED_PLAN: [&str; 3] = ["✗ answer", "└─ ✗ plan", "   └─ ✗ chat llm"];

#[test]
fn a_wrong_key_is_named_with_what_to_do() {
    let page = Page::of(example("quickstart").arg("--wrong-key"));

    assert_eq!(page.code, Some(1));
    assert_eq!(page.out, "");
    assert_eq!(page.tree(), FAILED_PLAN, "{}", page.err);
    let last = page.err.lines().last().unwrap();
    assert!(last.starts_with("error: http://127.0.0.1:"), "{last}");
    assert!(last.ends_with("answered 401 (The key is not the one of this model): check OPENAI_API_KEY"), "{last}");
    assert_eq!(page.err.matches("check OPENAI_API_KEY").count(), 2, "in the tree, and at the end: {}", page.err);
}

#[test]
fn an_endpoint_that_is_not_there_is_named_with_what_to_do() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let page = Page::of(example("quickstart").env("OPENAI_BASE_URL", format!("http://{nobody}")));

    assert_eq!(page.code, Some(1));
    assert_eq!(page.tree(), FAILED_PLAN, "{}", page.err);
    let last = page.err.lines().last().unwrap();
    assert!(
        last.starts_with(&format!("error: cannot reach the model at http://{nobody}/chat/completions (")),
        "{last}"
    );
    assert!(last.ends_with("): is it running? Check OPENAI_BASE_URL"), "{last}");
}

#[test]
fn what_is_no_address_and_what_is_no_option_is_said() {
    let page = Page::of(example("quickstart").env("OPENAI_BASE_URL", "nonsense"));
    assert_eq!(page.code, Some(1));
    assert!(page.err.ends_with("is no address (relative URL without a base): set OPENAI_BASE_URL to one\n"));

    let page = Page::of(example("quickstart").arg("--bogus"));
    assert_eq!(page.code, Some(1));
    assert_eq!(page.err, "error: there is no option --bogus: try --help\n");

    let page = Page::of(example("quickstart").arg("--help"));
    assert_eq!(page.code, Some(0));
    assert!(page.out.contains("Usage: quickstart"), "{}", page.out);
}

#[test]
fn a_named_endpoint_gets_key_and_model() {
    let (address, requests) = endpoint(vec![
        json(r#"{"choices":[{"message":{"role":"assistant","content":"None.","tool_calls":null}}]}"#),
        events(&[
            r#"{"choices":[{"delta":{"role":"assistant","content":"Grüß"}}]}"#,
            r#"{"choices":[{"delta":{"content":" Gott"},"finish_reason":"stop"}],"usage":null}"#,
            r#"{"choices":[],"usage":{"prompt_tokens":27,"completion_tokens":13,"total_tokens":40}}"#,
            "[DONE]",
        ]),
    ]);
    let page = Page::of(
        leaving()
            .env("OPENAI_BASE_URL", format!("http://{address}/v1/"))
            .env("OPENAI_API_KEY", "sk-test\n")
            .env("OPENAI_MODEL", "small")
            // Not for this machine.
            .env("HTTP_PROXY", "http://proxy.invalid")
            .arg("Hello?"),
    );

    assert_eq!(page.code, Some(0), "{}", page.err);
    assert_eq!(page.out, "Grüß Gott\n\n");
    assert_eq!(page.tree().last(), Some(&"└─ ✓ chat_stream llm"), "{}", page.err);
    assert!(page.run("chat_stream").contains("27→13 tok"), "{}", page.err);
    assert!(page.run("chat_stream").ends_with("\"Hello?\" → \"Grüß Gott\""), "{}", page.err);
    for request in requests.join().unwrap() {
        assert!(request.starts_with("POST /v1/chat/completions HTTP/1.1\r\n"), "{request}");
        assert!(request.contains("authorization: Bearer sk-test\r\n"), "{request}");
        assert!(request.contains(r#""model":"small""#), "{request}");
    }
}

#[test]
fn an_answer_that_is_cut_off_is_kept_as_far_as_it_came() {
    let (address, requests) = endpoint(vec![
        json(r#"{"choices":[{"message":{"role":"assistant","content":"None."}}]}"#),
        events(&[r#"{"choices":[{"delta":{"content":"It is"}}]}"#]),
    ]);
    let page = Page::of(example("quickstart").env("OPENAI_BASE_URL", format!("http://{address}")).arg("Hello?"));

    assert_eq!(page.code, Some(1));
    assert_eq!(page.out, "It is");
    assert!(page.err.ends_with("ended in the middle of the answer: try again\n"), "{}", page.err);
    assert_eq!(page.tree()[0], "✗ answer");
    assert_eq!(page.tree().last(), Some(&"└─ ✗ chat_stream llm"), "{}", page.err);
    assert!(page.run("chat_stream").ends_with("→ \"It is\""), "{}", page.err);
    requests.join().unwrap();
}

#[test]
fn an_answer_that_is_none_is_said() {
    let (address, requests) = endpoint(vec![json("<html>Welcome</html>")]);
    let page = Page::of(example("quickstart").env("OPENAI_BASE_URL", format!("http://{address}")));

    assert_eq!(page.code, Some(1));
    assert_eq!(page.tree(), FAILED_PLAN, "{}", page.err);
    assert!(page.err.contains("is no chat completion (expected value at line 1 column 1): check OPENAI_BASE_URL\n"));
    requests.join().unwrap();
}

#[test]
fn a_reader_who_leaves_cancels_the_answer() {
    let mut program = leaving().stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(program.stdout.take());
    let page = Page::read(program.wait_with_output().unwrap());

    assert_eq!(page.code, Some(0), "{}", page.err);
    assert_eq!(page.tree()[0], "⊘ answer", "{}", page.err);
    assert_eq!(page.tree().last(), Some(&"└─ ⊘ chat_stream llm"), "{}", page.err);
}

#[test]
fn switched_off_there_is_an_answer_and_no_tree() {
    let page = Page::of(leaving().env("TRACEABLE", "off"));

    assert_eq!(page.code, Some(0), "{}", page.err);
    assert!(page.out.starts_with("Order 1042"), "{}", page.out);
    assert!(page.tree().is_empty(), "{}", page.err);
}

/// An endpoint that answers so many requests, a connection each, with these. Its thread ends with the requests.
fn endpoint(answers: Vec<String>) -> (std::net::SocketAddr, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = thread::spawn(move || {
        let answer = |answer: String| {
            let (mut connection, _) = listener.accept().unwrap();
            let request = request(&connection);
            connection.write_all(answer.as_bytes()).unwrap();
            request
        };
        answers.into_iter().map(answer).collect()
    });
    (address, server)
}

/// Reads one request: its head, and as much body as that says.
fn request(connection: &TcpStream) -> String {
    let mut reader = BufReader::new(connection);
    let mut request = String::new();
    while !request.ends_with("\r\n\r\n") {
        assert_ne!(reader.read_line(&mut request).unwrap(), 0, "{request}");
    }
    let length = request.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    reader.take(length.parse().unwrap()).read_to_string(&mut request).unwrap();
    request
}

fn json(body: &str) -> String {
    answer("application/json", body)
}

fn events(events: &[&str]) -> String {
    let body = events.iter().map(|event| format!("data: {event}\n\n")).collect::<Vec<_>>().concat();
    answer("text/event-stream", &body)
}

fn answer(kind: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}
