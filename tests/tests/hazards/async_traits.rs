//! `async_trait`, above the attribute and over the whole trait, and async functions in traits.

use async_trait::async_trait;
use futures::stream::{self, BoxStream, StreamExt};
use traceable::traceable;

use crate::support::{lines_of, ready};

#[async_trait]
trait Model {
    async fn chat(&self, prompt: &str) -> Result<String, String>;

    async fn stream(&self, n: u8) -> Result<BoxStream<'static, Result<u8, String>>, String>;

    #[traceable(run_type = "llm", skip(secret))]
    async fn provided(&self, prompt: String, secret: u8) -> usize {
        let _ = secret;
        prompt.len()
    }
}

struct Echo {
    name: &'static str,
}

#[async_trait]
impl Model for Echo {
    #[traceable(run_type = "llm", metadata(model = self.name))]
    async fn chat(&self, prompt: &str) -> Result<String, String> {
        std::future::ready(()).await;
        if prompt.is_empty() {
            return Err("empty".into());
        }
        Ok(format!("{}: {prompt}", self.name))
    }

    #[traceable(run_type = "llm")]
    async fn stream(&self, n: u8) -> Result<BoxStream<'static, Result<u8, String>>, String> {
        Ok(stream::iter((0..n).map(Ok)).boxed())
    }
}

trait Native {
    fn ask(&self, prompt: &str) -> impl Future<Output = String> + Send;
}

impl Native for Echo {
    #[traceable]
    async fn ask(&self, prompt: &str) -> String {
        format!("{}: {prompt}", self.name)
    }
}

#[test]
fn both_kinds_are_runs() {
    let echo = Echo { name: "echo" };
    let seen = lines_of(|| echo.chat("hi"));
    assert_eq!(seen, ["llm chat", r#"in prompt="hi""#, r#"meta model="echo""#, r#"out "echo: hi""#]);
    assert_eq!(lines_of(|| echo.chat("")).last().unwrap(), "err empty");
    assert_eq!(lines_of(|| echo.provided("abc".into(), 1)), ["llm provided", r#"in prompt="abc""#, "out 3"]);
    assert_eq!(lines_of(|| echo.ask("hi")), ["chain ask", r#"in prompt="hi""#, r#"out "echo: hi""#]);
    let items = async { echo.stream(1).await.unwrap().collect::<Vec<_>>().await };
    assert_eq!(lines_of(|| items), ["llm stream", "in n=1", "out [0]"]);
    assert_eq!(ready(echo.chat("hi")), Ok("echo: hi".into()));
}
