//! The new body of the function.
//!
//! The user's body is emitted once, as the body of a closure or of an `async` block, so that `return` and `?` keep their
//! meaning and the output can be looked at. The captures of an `async fn` stand inside the block: borrowed from outside
//! they would make the compiler keep a second copy of every argument in the future.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{LitStr, Type, ext::IdentExt};

use crate::{
    args::{Args, Content, RunType, literal},
    check::check,
    ending::Ending,
    errors::Errors,
    inputs::{Capture, borrow, captures},
    item::Func,
    shape::{Shape, is_callable, is_inferred, written},
};

/// The expansion of the attribute, or everything that is wrong with it.
pub(crate) fn expand(args: TokenStream, item: &TokenStream) -> syn::Result<TokenStream> {
    let mut errors = Errors::default();
    let args = Args::parse(args, &mut errors);
    let Some(func) = errors.keep(Func::parse(item)) else {
        errors.finish()?;
        return Ok(item.clone());
    };
    let shape = errors.keep(Shape::of(&func.sig.output, args.stream));
    let captures = captures(&func.sig, &args, &mut errors);
    check(&args, &func, shape.as_ref(), &mut errors);
    errors.finish()?;

    let root = args.crate_path.as_ref().map_or_else(|| q!(::traceable), ToTokens::to_token_stream);
    let private = q!(#root::__private);
    let ending = Ending { private: &private, args: &args };
    let returned = written(&func.sig.output);
    let shape = shape.unwrap_or(Shape::Value);
    Ok(func.with_body(&Body { ending, func: &func, captures, returned, shape }.tokens()))
}

/// All that the new body is made of.
struct Body<'a> {
    ending: Ending<'a>,
    func: &'a Func,
    captures: Vec<Capture>,
    /// The return type as far as it can be written inside.
    returned: Type,
    shape: Shape,
}

impl Body<'_> {
    fn tokens(&self) -> TokenStream {
        if self.func.sig.asyncness.is_some() {
            return self.asynchronous();
        }
        let (p, body) = (self.ending.private, &self.func.body);
        let run = self.start(true);
        if self.is_only_guarded() {
            return q! {
                let _run = #run;
                #body
            };
        }
        let arrow = (!is_inferred(&self.returned)).then(|| {
            let returned = &self.returned;
            q!(-> #returned)
        });
        let body = q!(move || #arrow { #body });
        if self.shape.is_deferred() {
            let wrap = self.ending.wrapper(&self.shape, Some(&self.returned));
            return q! {
                let run = #run;
                #p::open(run, #body, #wrap)
            };
        }
        let outcome = self.ending.outcome(None);
        q! {
            let run = #run;
            #p::call(run, #body, #outcome)
        }
    }

    fn asynchronous(&self) -> TokenStream {
        let (p, body) = (self.ending.private, &self.func.body);
        let (begin, edge) = (self.start(false), self.return_edge());
        let block = q! {
            async move {
                #begin;
                #edge
                #body
            }
        };
        if self.shape.is_deferred() {
            let wrap = self.ending.wrapper(&self.shape, Some(&self.returned));
            return q!(#p::future_open(#block, #wrap).await);
        }
        let outcome = if matches!(self.shape, Shape::Never) { q!(|_, _| {}) } else { self.ending.outcome(None) };
        q!(#p::future(#block, #outcome).await)
    }

    /// A `return` that never happens and tells the compiler what the block gives, for `?` and for coercions.
    fn return_edge(&self) -> Option<TokenStream> {
        let returned = &self.returned;
        let told = !is_inferred(returned) && !matches!(self.shape, Shape::Never);
        told.then(|| {
            q! {
                if let ::core::option::Option::Some(r) = ::core::option::Option::None::<#returned> {
                    return r;
                }
            }
        })
    }

    /// Whether the body stays where it is and a guard alone sees its end, without the output.
    fn is_only_guarded(&self) -> bool {
        let args = self.ending.args;
        // `check` has made sure that the output is not wanted.
        let keeps_caller = self.func.attrs.iter().any(|attr| attr.path().is_ident("track_caller"));
        // A closure has nothing to record, and inside a closure of ours it would have to name its arguments' types.
        let unused = args.process_outputs.is_none() && args.usage.is_none();
        matches!(self.shape, Shape::Never) || keeps_caller || (unused && is_callable(&self.func.sig.output))
    }

    /// The call that opens the run. The static stands in a block of its own, out of the body's sight.
    fn start(&self, entering: bool) -> TokenStream {
        let (p, site) = (self.ending.private, self.site());
        let (options, capture) = (self.options(), self.capture());
        let (call, more) = match (options, capture) {
            (None, None) => (if entering { q!(enter_bare) } else { q!(begin_bare) }, TokenStream::new()),
            (None, Some(capture)) => (if entering { q!(enter) } else { q!(begin) }, q!(, #capture)),
            (Some(options), capture) => {
                let capture = capture.unwrap_or_else(|| q!(|_| {}));
                (if entering { q!(enter_with) } else { q!(begin_with) }, q!(, #options, #capture))
            }
        };
        q! {
            {
                #site
                #p::#call(&__TRACEABLE_SITE #more)
            }
        }
    }

    fn site(&self) -> TokenStream {
        let (p, args) = (self.ending.private, self.ending.args);
        let function = || LitStr::new(&self.func.sig.ident.unraw().to_string(), self.func.sig.ident.span());
        let name = args.name.as_ref().and_then(literal).cloned().unwrap_or_else(function);
        let run_type = match &args.run_type {
            Some(RunType::Text(text)) => text.to_token_stream(),
            Some(RunType::Constant(path)) => path.to_token_stream(),
            None => q!("chain"),
        };
        q! {
            static __TRACEABLE_SITE: #p::Site = #p::Site::new(
                #name, #run_type, ::core::module_path!(), ::core::file!(), ::core::line!(), #p::BOOT,
            );
        }
    }

    /// `|options| …` where one of the options is given.
    fn options(&self) -> Option<TokenStream> {
        let args = self.ending.args;
        let parent = args.parent.as_ref().map(|parent| q!(options.parent(#parent);));
        let client = args.client.as_ref().map(|client| q!(options.client(#client);));
        let enabled = args.enabled.as_ref().map(|enabled| q!(options.enabled(#enabled);));
        let given = parent.is_some() || client.is_some() || enabled.is_some();
        given.then(|| q!(|options| { #enabled #client #parent }))
    }

    /// `|r| …`, which records what is known at the start, where anything is.
    fn capture(&self) -> Option<TokenStream> {
        let (p, args) = (self.ending.private, self.ending.args);
        let inputs = self.captures.iter().map(|capture| self.input(capture));
        let process = args.process_inputs.as_ref().map(|process| q!(r.process_inputs(#process);));
        let name = args.name.iter().filter(|name| literal(name).is_none()).map(borrow).map(|name| q!(r.name(#name);));
        let project = args.project_name.iter().map(text).map(|project| q!(r.project(#project);));
        let tags = args.tags.iter().map(text).map(|tag| q!(r.tag(#tag);));
        let metadata = args.metadata.iter().map(|pair| {
            let (key, value) = (&pair.key, borrow(&pair.value));
            q!((&&&#p::Probe(#value)).capture(r.metadata(#key));)
        });
        let content = args.content.map(|content| match content {
            Content::Redacted => q!(r.content(#p::Content::Redacted);),
            Content::None => q!(r.content(#p::Content::None);),
        });
        // The inputs come first: processing them takes all that is there.
        let statements = q!(#(#inputs)* #process #(#name)* #(#project)* #(#tags)* #(#metadata)* #content);
        if statements.is_empty() {
            return None;
        }
        let probing = !args.metadata.is_empty() || self.captures.iter().any(|capture| !capture.is_redacted);
        let probes = probing.then(|| q!(use #p::{ViaSerialize as _, ViaDebug as _, ViaName as _};));
        Some(q!(|r| { #probes #statements }))
    }

    fn input(&self, capture: &Capture) -> TokenStream {
        let (p, Capture { key, value, conditions, is_redacted, is_underscored }) = (self.ending.private, capture);
        let statement =
            if *is_redacted { q!(r.redacted(#key);) } else { q!((&&&#p::Probe(#value)).capture(r.input(#key));) };
        let allow = (*is_underscored && !is_redacted).then(|| q!(#[allow(clippy::used_underscore_binding)]));
        if conditions.is_empty() && allow.is_none() {
            return statement;
        }
        q!(#(#conditions)* #allow { #statement })
    }
}

/// A text: literals as they are, anything else borrowed.
fn text(expr: &syn::Expr) -> TokenStream {
    literal(expr).map_or_else(|| borrow(expr), ToTokens::to_token_stream)
}
