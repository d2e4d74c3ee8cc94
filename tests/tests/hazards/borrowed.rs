//! Borrowed arguments, over awaits and in what is returned.

use futures::{Stream, StreamExt, stream};
use traceable::traceable;

use crate::support::ready;

struct Store {
    texts: Vec<String>,
}

impl Store {
    #[traceable]
    async fn find<'s>(&'s self, needle: &str) -> Option<&'s str> {
        std::future::ready(()).await;
        self.texts.iter().map(String::as_str).find(|text| text.contains(needle))
    }

    #[traceable]
    fn first(&self) -> &str {
        &self.texts[0]
    }

    #[traceable]
    fn future<'s>(&'s self, n: usize) -> impl Future<Output = Result<&'s String, &'static str>> + use<'s> {
        async move { self.texts.get(n).ok_or("none") }
    }

    #[traceable]
    fn elided(&self, n: usize) -> impl Future<Output = Option<&String>> {
        std::future::ready(self.texts.get(n))
    }

    #[traceable]
    fn all(&self) -> impl Stream<Item = Result<&str, ()>> + '_ {
        stream::iter(self.texts.iter().map(|text| Ok(text.as_str())))
    }

    #[traceable(stream)]
    fn iter(&self) -> impl Iterator<Item = &String> {
        self.texts.iter()
    }
}

#[traceable]
async fn longest<'a>(a: &'a str, b: &'a str) -> Result<&'a str, String> {
    std::future::ready(()).await;
    Ok(if a.len() > b.len() { a } else { b })
}

#[traceable]
async fn pushed(into: &mut Vec<u8>, n: u8) -> &mut u8 {
    into.push(n);
    std::future::ready(()).await;
    into.last_mut().unwrap()
}

#[test]
fn borrows_live_as_long_as_without_the_attribute() {
    let store = Store { texts: vec!["one".into(), "two".into()] };
    assert_eq!(ready(store.find("w")), Some("two"));
    assert_eq!(store.first(), "one");
    assert_eq!(ready(store.future(1)), Ok(&"two".to_owned()));
    assert_eq!(ready(store.elided(0)).unwrap(), "one");
    assert_eq!(ready(store.all().count()), 2);
    assert_eq!(store.iter().count(), 2);
    assert_eq!(ready(longest("ab", "c")), Ok("ab"));
    let mut numbers = Vec::new();
    *ready(pushed(&mut numbers, 1)) += 1;
    assert_eq!(numbers, [2]);
}
