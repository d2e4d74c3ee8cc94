//! The annotated function: its signature is read, its body is one group of tokens that is never parsed.
//!
//! An unparsed body cannot be misread, costs nothing, and may be half typed. The tokens before the body go out exactly as
//! they came in: the parsed signature is only looked at.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{
    Attribute, Signature, Token, Visibility,
    parse::{ParseStream, Parser},
    spanned::Spanned,
};

/// A function with a body.
pub(crate) struct Func {
    /// The function's outer attributes.
    pub(crate) attrs: Vec<Attribute>,
    /// The signature, for reading.
    pub(crate) sig: Signature,
    /// What stands between the braces of the body, without inner attributes.
    pub(crate) body: TokenStream,
    /// Everything before the body.
    head: TokenStream,
    /// The body's inner attributes, turned into outer ones: the new body would not have them first.
    lifted: TokenStream,
    /// Where the body stands.
    span: Span,
}

impl Func {
    /// Reads a function.
    pub(crate) fn parse(item: &TokenStream) -> syn::Result<Self> {
        let mut tokens: Vec<TokenTree> = item.clone().into_iter().collect();
        let body = tokens.pop().and_then(body_group);
        let head: TokenStream = match &body {
            Some(_) => tokens.into_iter().collect(),
            None => item.clone(),
        };
        let (attrs, sig) = parse_head.parse2(head.clone())?;
        let Some(body) = body else {
            return Err(syn::Error::new(
                sig.span(),
                "this method has no body to trace; put `#[traceable]` on the implementations",
            ));
        };
        let (lifted, inside) = lift_inner_attributes(body.stream());
        Ok(Self { attrs, sig, body: inside, head, lifted, span: body.span() })
    }

    /// The function with other statements in its body.
    pub(crate) fn with_body(&self, body: &TokenStream) -> TokenStream {
        let mut group = Group::new(Delimiter::Brace, body.clone());
        // The position is the user's, the origin is ours: lints on blocks look at the latter.
        group.set_span(Span::mixed_site().located_at(self.span));
        let mut tokens = self.lifted.clone();
        self.head.to_tokens(&mut tokens);
        group.to_tokens(&mut tokens);
        tokens
    }
}

/// Reads what stands before the body, or says why there is nothing to trace.
fn parse_head(input: ParseStream<'_>) -> syn::Result<(Vec<Attribute>, Signature)> {
    let attrs = input.call(Attribute::parse_outer)?;
    let _: Visibility = input.parse()?;
    if !starts_like_a_function(input) {
        let place = input.cursor().token_tree().map_or_else(Span::call_site, |(token, _)| token.span());
        let remedy = if input.peek(Token![impl]) || (input.peek(Token![unsafe]) && input.peek2(Token![impl])) {
            "put it on each method; impl blocks are not supported yet"
        } else {
            "put it on each function or method that is to be a run"
        };
        return Err(syn::Error::new(place, format_args!("`#[traceable]` belongs on a function; {remedy}")));
    }
    let sig = input.parse()?;
    let _: Option<Token![;]> = input.parse()?;
    Ok((attrs, sig))
}

/// Whether a signature comes next, and no other item.
fn starts_like_a_function(input: ParseStream<'_>) -> bool {
    let ahead = input.fork();
    // `const`, `async`, `unsafe` and `extern "C"` may come first; each begins other items as well.
    loop {
        if ahead.peek(Token![fn]) {
            return true;
        }
        let qualifier = ahead.peek(Token![const])
            || ahead.peek(Token![async])
            || ahead.peek(Token![unsafe])
            || ahead.peek(Token![extern])
            || ahead.peek(syn::LitStr);
        if !qualifier || ahead.parse::<TokenTree>().is_err() {
            return false;
        }
    }
}

/// The body, also where a `macro_rules!` fragment has wrapped it in invisible delimiters.
fn body_group(token: TokenTree) -> Option<Group> {
    let TokenTree::Group(group) = token else { return None };
    match group.delimiter() {
        Delimiter::Brace => Some(group),
        Delimiter::None => {
            let mut inside = group.stream().into_iter();
            let only = inside.next()?;
            if inside.next().is_some() { None } else { body_group(only) }
        }
        Delimiter::Parenthesis | Delimiter::Bracket => None,
    }
}

/// Takes `#![…]` from the start of a body and gives it back as `#[…]`.
fn lift_inner_attributes(body: TokenStream) -> (TokenStream, TokenStream) {
    let mut lifted = TokenStream::new();
    let mut rest: Vec<TokenTree> = body.into_iter().collect();
    while let [TokenTree::Punct(hash), TokenTree::Punct(bang), TokenTree::Group(group), ..] = rest.as_slice()
        && (hash.as_char(), bang.as_char(), group.delimiter()) == ('#', '!', Delimiter::Bracket)
    {
        lifted.extend([TokenTree::Punct(hash.clone()), TokenTree::Group(group.clone())]);
        rest.drain(..3);
    }
    (lifted, rest.into_iter().collect())
}
