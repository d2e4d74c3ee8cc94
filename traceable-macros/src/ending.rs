//! What is recorded when a call ends: the closures that look at the output, and the adapters around what outlives the call.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{Expr, Type};

use crate::{
    args::Args,
    shape::{Boxed, Shape, chunk, erase, is_inferred},
};

/// The ending of a function.
pub(crate) struct Ending<'a> {
    /// The path of the private module.
    pub(crate) private: &'a TokenStream,
    pub(crate) args: &'a Args,
}

impl Ending<'_> {
    /// `|out, o| …`, which records a finished output. The output's type is written where the compiler has to be told.
    pub(crate) fn outcome(&self, output: Option<&Type>) -> TokenStream {
        let p = self.private;
        let ok = self.ok();
        let unused = if ok.is_empty() { q!(_) } else { q!(v) };
        let probes = self.probes(!self.args.outputs_off);
        // Not `|out: &Output, o|`: lints judge a written reference type as if it were the user's.
        let told = output.map(|output| q!(::<#output>));
        q! {
            |out, o| {
                #probes
                match (&&#p::Split #told (out)).split() {
                    ::core::result::Result::Ok(#unused) => { #ok }
                    ::core::result::Result::Err(e) => (&&&#p::Probe(e)).describe(o.error()),
                }
            }
        }
    }

    /// Records the output `v`.
    fn ok(&self) -> TokenStream {
        let p = self.private;
        let output = match (&self.args.process_outputs, self.args.outputs_off) {
            (_, true) => TokenStream::new(),
            (None, false) => q!((&&&#p::Probe(v)).capture(o.output());),
            (Some(process), false) => {
                let processed = self.guarded(process, &q!(v));
                q! {
                    match #processed {
                        ::core::option::Option::Some(v) => (&&&#p::Probe(&v)).capture(o.output()),
                        ::core::option::Option::None => o.withhold("process_outputs"),
                    }
                }
            }
        };
        let usage = self.args.usage.as_ref().map(|usage| {
            let usage = self.guarded(usage, &q!(v));
            q! {
                if let ::core::option::Option::Some(usage) = #usage {
                    o.usage(usage);
                }
            }
        });
        q!(#output #usage)
    }

    /// Calls a function of the user's that must not be able to break the call that is traced.
    fn guarded(&self, function: &Expr, argument: &TokenStream) -> TokenStream {
        let p = self.private;
        // The closure's argument type is only inferred through a signature that the compiler sees.
        match function {
            Expr::Closure(_) => q! {
                ::core::option::Option::flatten(#p::guarded(|| {
                    ::core::option::Option::map(::core::option::Option::Some(#argument), #function)
                }))
            },
            Expr::Path(_) => q!(#p::guarded(|| #function(#argument))),
            _ => q!(#p::guarded(|| (#function)(#argument))),
        }
    }

    /// Makes the probing methods visible to the block that this stands in.
    fn probes(&self, captures: bool) -> TokenStream {
        let p = self.private;
        let capture = captures.then(|| q!(ViaSerialize as _, ViaDebug as _, ViaName as _,));
        q! {
            use #p::{#capture DescribeDisplay as _, DescribeDebug as _, DescribeName as _, SplitResult as _, SplitValue as _};
        }
    }

    /// Puts the adapters of a shape around `out`, the value that the body gave; `run` is the open run.
    pub(crate) fn wrap(&self, shape: &Shape) -> TokenStream {
        match shape {
            // Values end with an outcome and not with a wrap.
            Shape::Value | Shape::Never => q!(out),
            Shape::Future { boxed, output, inner } => self.wrap_future(*boxed, output, inner),
            Shape::Stream { boxed, item } => self.wrap_items(&q!(stream), *boxed, item),
            Shape::Iterator { boxed, item } => self.wrap_items(&q!(iterator), *boxed, item),
            Shape::Result(inner) => self.wrap_result(inner),
            Shape::Option(inner) => self.wrap_option(inner),
        }
    }

    fn wrap_future(&self, boxed: Boxed, output: &Type, inner: &Shape) -> TokenStream {
        let p = self.private;
        if inner.is_deferred() {
            let wrap = self.wrapper(inner, Some(output));
            return reboxed(boxed, &q!(#p::adopt_open(run, out, #wrap)));
        }
        // The type of a boxed future is written at the body already, and an alias may hide what it means by its argument.
        let outcome = self.outcome(Some(output).filter(|output| boxed == Boxed::No && !is_inferred(output)));
        reboxed(boxed, &q!(#p::adopt(run, out, #outcome)))
    }

    /// `|out, run| …`, which wraps what the body or a future gave.
    pub(crate) fn wrapper(&self, shape: &Shape, output: Option<&Type>) -> TokenStream {
        let output = output.filter(|output| !is_inferred(output));
        let wrapped = self.wrap(shape);
        match output {
            Some(output) => q!(|out: #output, run| -> #output { #wrapped }),
            None => q!(|out, run| #wrapped),
        }
    }

    fn wrap_result(&self, inner: &Shape) -> TokenStream {
        let (p, wrapped) = (self.private, self.wrap(inner));
        q! {
            match out {
                ::core::result::Result::Ok(out) => ::core::result::Result::Ok(#wrapped),
                ::core::result::Result::Err(e) => {
                    run.end(|o| {
                        use #p::{DescribeDisplay as _, DescribeDebug as _, DescribeName as _};
                        (&&&#p::Probe(&e)).describe(o.error());
                    });
                    ::core::result::Result::Err(e)
                }
            }
        }
    }

    fn wrap_option(&self, inner: &Shape) -> TokenStream {
        let (p, wrapped) = (self.private, self.wrap(inner));
        let end = if self.args.outputs_off {
            q!(|_| {})
        } else {
            q! {
                |o| {
                    use #p::{ViaSerialize as _, ViaDebug as _, ViaName as _};
                    (&&&#p::Probe(&())).capture(o.output());
                }
            }
        };
        q! {
            match out {
                ::core::option::Option::Some(out) => ::core::option::Option::Some(#wrapped),
                ::core::option::Option::None => {
                    run.end(#end);
                    ::core::option::Option::None
                }
            }
        }
    }

    fn wrap_items(&self, adapter: &TokenStream, boxed: Boxed, item: &Type) -> TokenStream {
        let p = self.private;
        let (reducer, on_item) = (self.reducer(item), self.on_item());
        // See `wrap_future` for why a boxed stream's items are inferred.
        let item = if boxed == Boxed::No { item.to_token_stream() } else { q!(_) };
        let wrapped = q!(#p::#adapter::<#item, _, _, _>(run, out, #reducer, #on_item));
        match (boxed, adapter.to_string().as_str()) {
            // An iterator needs no pinning to stand behind a pointer.
            (Boxed::Pinned | Boxed::Plain, "iterator") => q!(::std::boxed::Box::new(#wrapped)),
            _ => reboxed(boxed, &wrapped),
        }
    }

    /// What becomes of the chunks.
    fn reducer(&self, item: &Type) -> TokenStream {
        let p = self.private;
        let Some(reduce) = &self.args.reduce_fn else { return q!(#p::Collect) };
        let chunk = if self.args.process_chunk.is_some() { q!(_) } else { erase(&chunk(item)).to_token_stream() };
        let reduce = match reduce {
            // A closure's argument type is only inferred from a bound on the function traits.
            Expr::Closure(_) => q! {
                {
                    fn hint<C, T, F: ::core::ops::Fn(::std::vec::Vec<C>) -> T>(reduce: F) -> F {
                        reduce
                    }
                    hint::<#chunk, _, _>(#reduce)
                }
            },
            _ => reduce.to_token_stream(),
        };
        let process = self.args.process_outputs.as_ref().map(|process| q!(.process(#process)));
        let usage = self.args.usage.as_ref().map(|usage| q!(.usage(#usage)));
        q!(#p::reducer::<#chunk, _>(#reduce) #process #usage)
    }

    /// `|item, it| …`, which records one item.
    fn on_item(&self) -> TokenStream {
        let p = self.private;
        let ok = self.on_chunk();
        let unused = if ok.is_empty() { q!(_) } else { q!(c) };
        let probes = self.probes(!self.args.outputs_off);
        let raw = self.args.raw_chunks.then(|| q!(it.raw_chunks();));
        q! {
            |item, it| {
                #probes
                #raw
                match (&&#p::Split(item)).split() {
                    ::core::result::Result::Ok(#unused) => { #ok }
                    ::core::result::Result::Err(e) => (&&&#p::Probe(e)).describe(it.error()),
                }
            }
        }
    }

    /// Records the chunk `c`.
    fn on_chunk(&self) -> TokenStream {
        let p = self.private;
        if self.args.outputs_off {
            return TokenStream::new();
        }
        let record = |chunk: &TokenStream| match self.args.reduce_fn {
            None => q!((&&&#p::Probe(#chunk)).capture(it.chunk())),
            Some(_) => q!(it.reduce(#chunk, |c, slot| (&&&#p::Probe(c)).capture(slot))),
        };
        let Some(process) = &self.args.process_chunk else { return record(&q!(c)) };
        let (processed, record) = (self.guarded(process, &q!(c)), record(&q!(&c)));
        q! {
            match #processed {
                ::core::option::Option::Some(c) => #record,
                ::core::option::Option::None => it.withhold("process_chunk"),
            }
        }
    }
}

/// Puts an adapter behind the pointer that the return type names.
fn reboxed(boxed: Boxed, adapter: &TokenStream) -> TokenStream {
    match boxed {
        Boxed::No => adapter.clone(),
        Boxed::Pinned => q!(::std::boxed::Box::pin(#adapter)),
        // What stands in a plain box must be `Unpin`, which a pinned box is.
        Boxed::Plain => q!(::std::boxed::Box::new(::std::boxed::Box::pin(#adapter))),
    }
}
