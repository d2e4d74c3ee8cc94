//! Expansions as they come out, one for each shape.

use quote::quote;

use crate::expand::expand;

/// Compares an expansion with the file of the same name in `snapshots`.
macro_rules! expansions {
    ($($name:ident: ($($args:tt)*) $item:item)*) => {
        $(
            #[test]
            fn $name() {
                let tokens = expand(quote!($($args)*), &quote!($item)).unwrap();
                let file = syn::parse2(tokens).unwrap();
                insta::assert_snapshot!(stringify!($name), prettyplease::unparse(&file));
            }
        )*
    };
}

expansions! {
    value: () fn f(a: u8, b: &str) -> Result<String, E> { g(a, b)? }
    nothing: (inputs()) fn f(a: u8) { g(a) }
    asynchronous: (run_type = "llm") async fn f(&self, a: u8) -> Result<impl Display, E> { g(a).await? }
    never: () fn f(a: u8) -> ! { g(a) }
    keeps_its_caller: (outputs = off) #[track_caller] fn f(a: u8) -> u8 { g(a) }
    returned_closure: () fn f(a: u8) -> impl Fn(&str) -> usize { |s| s.len() }
    future: () fn f(a: u8) -> impl Future<Output = Result<u8, E>> + Send { g(a) }
    boxed_future: () fn f<'a>(a: &'a u8) -> Pin<Box<dyn Future<Output = u8> + Send + 'a>> { g(a) }
    unpinned_future: () fn f(a: u8) -> Box<dyn Future<Output = u8> + Unpin> { g(a) }
    stream: () fn f(a: u8) -> impl Stream<Item = Result<u8, E>> { g(a) }
    boxed_stream: () fn f(a: u8) -> Option<BoxStream<'static, u8>> { g(a) }
    late_stream: () async fn f(a: u8) -> Result<impl Stream<Item = u8>, E> { g(a).await }
    future_of_stream: () fn f(a: u8) -> BoxFuture<'_, Result<BoxStream<'_, u8>, E>> { g(a) }
    iterator: (stream) fn f(a: u8) -> impl Iterator<Item = u8> { g(a) }
    reduced: (reduce_fn = join, process_chunk = |c| c.text, process_outputs = tidy, usage = count, raw_chunks)
        fn f(a: u8) -> impl Stream<Item = Result<Chunk, E>> { g(a) }
    reduced_by_closure: (reduce_fn = |chunks| chunks.concat()) fn f(a: u8) -> impl Stream<Item = String> { g(a) }
    processed: (process_inputs = hide, process_outputs = |r| &r.text, usage = count) fn f(a: u8) -> Reply { g(a) }
    described: (
        run_type = RunType::Llm, name = format!("to {a}"), tags = ["a", b], metadata(a.b = a + 1, "c d" = e), project_name = p,
        inputs(a, sum = a + b, self.model.name), parent = x, client = y, enabled = z, crate = crate::tracing
    ) async fn f(&self, a: u8, b: &str) -> u8 { g(a) }
    private: (redact(b, _d), content = none, metadata(a = a)) fn f(a: u8, b: &str, _d: u8) -> u8 { g(a) }
    conditional: (skip(c)) fn f(#[cfg(unix)] r#type: u8, _b: u8, c: u8) -> u8 { #![allow(unused)] g(a) }
}

/// Every word of the user's is there once, and only the signature's types may be written again.
#[test]
fn the_body_is_emitted_once() {
    let item = quote!(
        fn f(a: u8) -> impl Stream<Item = u8> {
            unique_word(a)
        }
    );
    let tokens = expand(quote!(reduce_fn = join), &item).unwrap().to_string();
    assert_eq!(tokens.matches("unique_word").count(), 1);
}

/// Bodies are not parsed, so what is no Rust yet gives no error of ours.
#[test]
fn half_typed_bodies_pass() {
    let item = quote!(
        fn f(a: u8) -> u8 {
            a.; let = +
        }
    );
    assert!(expand(quote!(), &item).unwrap().to_string().contains("a . ; let = +"));
}
