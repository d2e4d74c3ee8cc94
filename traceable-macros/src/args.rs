//! The attribute's arguments: the grammar, with the place of every key.
//!
//! ```text
//! attribute := [ arg { "," arg } [ "," ] ]
//! arg := "run_type" "=" ( string | path )
//!      | ( "name" | "project_name" | "enabled" | "client" | "parent" ) "=" expr
//!      | ( "process_inputs" | "process_outputs" | "process_chunk" | "reduce_fn" | "usage" ) "=" expr
//!      | ( "stream" | "raw_chunks" ) [ "=" bool ]
//!      | "tags" "=" "[" [ expr { "," expr } ] "]"
//!      | "metadata" "(" [ pair { "," pair } ] ")"
//!      | "inputs" "(" [ field { "," field } ] ")"
//!      | ( "skip" | "redact" ) "(" ident { "," ident } ")"
//!      | "content" "=" ( "redacted" | "none" )
//!      | "outputs" "=" "off"
//!      | "crate" "=" path
//! pair := ( ident { "." ident } | string ) "=" expr
//! field := ident | ident "=" expr | "self" "." ident { "." ident }
//! ```
//!
//! A mistake ends at the next comma: the arguments after it are still read.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use syn::{
    Expr, LitBool, LitStr, Path, Token, bracketed,
    ext::IdentExt,
    parenthesized,
    parse::{Parse, ParseStream, Parser},
    punctuated::Punctuated,
    token,
};

use crate::{
    errors::Errors,
    keys::{KEYS, form, nearest_key, nearest_run_type, run_type_of_variant},
};

/// The arguments as they are written.
#[derive(Default)]
pub(crate) struct Args {
    /// Every key that is written, also where its value is wrong.
    keys: Vec<Ident>,
    pub(crate) run_type: Option<RunType>,
    pub(crate) name: Option<Expr>,
    pub(crate) tags: Vec<Expr>,
    pub(crate) metadata: Vec<Pair>,
    pub(crate) inputs: Option<Vec<Field>>,
    pub(crate) skip: Vec<Ident>,
    pub(crate) redact: Vec<Ident>,
    pub(crate) content: Option<Content>,
    pub(crate) outputs_off: bool,
    pub(crate) process_inputs: Option<Expr>,
    pub(crate) process_outputs: Option<Expr>,
    pub(crate) process_chunk: Option<Expr>,
    pub(crate) reduce_fn: Option<Expr>,
    pub(crate) usage: Option<Expr>,
    pub(crate) stream: Option<bool>,
    pub(crate) raw_chunks: bool,
    pub(crate) enabled: Option<Expr>,
    pub(crate) client: Option<Expr>,
    pub(crate) parent: Option<Expr>,
    pub(crate) project_name: Option<Expr>,
    pub(crate) crate_path: Option<Path>,
}

/// A run type.
pub(crate) enum RunType {
    /// Its text.
    Text(LitStr),
    /// A constant with its text.
    Constant(Path),
}

/// How much of the run may be sent.
#[derive(Clone, Copy)]
pub(crate) enum Content {
    Redacted,
    None,
}

/// A metadata entry.
pub(crate) struct Pair {
    pub(crate) key: String,
    pub(crate) value: Expr,
}

/// One entry of `inputs(..)`.
pub(crate) enum Field {
    /// An argument under its own name.
    Argument(Ident),
    /// Any expression under a name.
    Expression(Ident, Box<Expr>),
    /// A field of `self` under its path without `self`.
    OfSelf(String, Box<Expr>),
}

impl Args {
    /// Reads the arguments. What is wrong goes to `errors`, what is right is kept.
    pub(crate) fn parse(tokens: TokenStream, errors: &mut Errors) -> Self {
        let mut args = Self::default();
        let read = |input: ParseStream<'_>| {
            while !input.is_empty() {
                if let Err(error) = args.entry(input).and_then(|()| separator(input)) {
                    errors.add(error);
                    skip_to_comma(input);
                }
                let _: Option<Token![,]> = input.parse()?;
            }
            Ok(())
        };
        if let Err(error) = read.parse2(tokens) {
            errors.add(error);
        }
        args
    }

    /// The place of a key, if it is written.
    pub(crate) fn key(&self, name: &str) -> Option<&Ident> {
        self.keys.iter().find(|key| *key == name)
    }

    fn entry(&mut self, input: ParseStream<'_>) -> syn::Result<()> {
        let key = key(input)?;
        if let Some(first) = self.keys.iter().find(|first| **first == key) {
            let mut error = syn::Error::new(key.span(), format_args!("`{key}` is given twice; keep one of them"));
            error.combine(syn::Error::new(first.span(), format_args!("`{key}` is given here first")));
            return Err(error);
        }
        self.keys.push(key.clone());
        self.value(&key, input)
    }

    fn value(&mut self, key: &Ident, input: ParseStream<'_>) -> syn::Result<()> {
        match key.to_string().as_str() {
            "run_type" => self.run_type = Some(run_type(equals(key, input)?)?),
            "name" => self.name = Some(not_empty(equals(key, input)?)?),
            "tags" => self.tags = tags(key, input)?,
            "metadata" => self.metadata = list(key, input)?,
            "inputs" => self.inputs = Some(list(key, input)?),
            "skip" => self.skip = list(key, input)?,
            "redact" => self.redact = list(key, input)?,
            "content" => self.content = Some(content(key, input)?),
            "outputs" => self.outputs_off = off(key, input)?,
            "process_inputs" => self.process_inputs = Some(equals(key, input)?),
            "process_outputs" => self.process_outputs = Some(equals(key, input)?),
            "process_chunk" => self.process_chunk = Some(equals(key, input)?),
            "reduce_fn" => self.reduce_fn = Some(equals(key, input)?),
            "usage" => self.usage = Some(equals(key, input)?),
            "stream" => self.stream = Some(flag(key, input)?),
            "raw_chunks" => self.raw_chunks = flag(key, input)?,
            "enabled" => self.enabled = Some(equals(key, input)?),
            "client" => self.client = Some(equals(key, input)?),
            "parent" => self.parent = Some(equals(key, input)?),
            "project_name" => self.project_name = Some(not_empty(equals(key, input)?)?),
            "crate" => self.crate_path = Some(crate_path(equals(key, input)?)?),
            _ => return Err(unknown(key)),
        }
        Ok(())
    }
}

/// The words that are typed where keys belong, for completion.
pub(crate) fn typed_keys(tokens: TokenStream) -> Vec<Ident> {
    let mut args = Args::default();
    let read = |input: ParseStream<'_>| {
        while !input.is_empty() {
            args.keys.extend(key(input));
            skip_to_comma(input);
            let _: Option<Token![,]> = input.parse()?;
        }
        Ok(())
    };
    // Whatever cannot be read has no completion.
    let _ = read.parse2(tokens);
    args.keys
}

fn key(input: ParseStream<'_>) -> syn::Result<Ident> {
    if let Ok(text) = input.fork().parse::<LitStr>() {
        return Err(syn::Error::new(text.span(), "a key must come first: `name = \"…\"` or `run_type = \"…\"`"));
    }
    input.call(Ident::parse_any).map_err(|error| {
        let message = "expected a key, such as `name = \"…\"` or `skip(argument)`";
        syn::Error::new(error.span(), message)
    })
}

fn unknown(key: &Ident) -> syn::Error {
    let message = match nearest_key(&key.to_string()) {
        Some("inputs") if key == "skip_all" => "unknown key `skip_all`; write `inputs()` to capture nothing".to_owned(),
        Some(known) => format!("unknown key `{key}`; did you mean `{known}`?"),
        None => {
            let known: Vec<_> = KEYS.iter().map(|(key, _)| format!("`{key}`")).collect();
            format!("unknown key `{key}`; the keys are {}", known.join(", "))
        }
    };
    syn::Error::new(key.span(), message)
}

/// Leaves the input at the next comma or at the end.
fn skip_to_comma(input: ParseStream<'_>) {
    while !input.is_empty() && !input.peek(Token![,]) && input.parse::<TokenTree>().is_ok() {}
}

fn separator(input: ParseStream<'_>) -> syn::Result<()> {
    if input.is_empty() || input.peek(Token![,]) {
        return Ok(());
    }
    Err(input.error("expected a comma before the next key"))
}

/// An error that shows how a key is written.
fn misused(key: &Ident) -> syn::Error {
    syn::Error::new(key.span(), format_args!("`{key}` is written as `{}`", form(&key.to_string())))
}

/// `= value`.
fn equals<T: Parse>(key: &Ident, input: ParseStream<'_>) -> syn::Result<T> {
    if !input.peek(Token![=]) || input.peek(Token![==]) {
        return Err(misused(key));
    }
    input.parse::<Token![=]>()?;
    if input.is_empty() || input.peek(Token![,]) {
        return Err(misused(key));
    }
    input.parse()
}

/// `( entry, … )`.
fn list<T: Parse>(key: &Ident, input: ParseStream<'_>) -> syn::Result<Vec<T>> {
    if !input.peek(token::Paren) {
        return Err(misused(key));
    }
    let content;
    parenthesized!(content in input);
    Ok(Punctuated::<T, Token![,]>::parse_terminated(&content)?.into_iter().collect())
}

/// `[ = true | false ]`.
fn flag(key: &Ident, input: ParseStream<'_>) -> syn::Result<bool> {
    if input.parse::<Option<Token![=]>>()?.is_none() {
        return Ok(true);
    }
    let value = input.parse::<LitBool>().map_err(|error| {
        syn::Error::new(error.span(), format_args!("`{key}` takes `true` or `false`; `{key}` alone is `true`"))
    })?;
    Ok(value.value())
}

/// `= off`.
fn off(key: &Ident, input: ParseStream<'_>) -> syn::Result<bool> {
    let word = equals::<TokenTree>(key, input)?;
    match &word {
        TokenTree::Ident(word) if word == "off" => Ok(true),
        other => Err(syn::Error::new(
            other.span(),
            "`outputs` takes only `off`; to record something else than the output write `process_outputs = function`",
        )),
    }
}

/// `= redacted | none`.
fn content(key: &Ident, input: ParseStream<'_>) -> syn::Result<Content> {
    let word = equals::<TokenTree>(key, input)?;
    match &word {
        TokenTree::Ident(word) if word == "redacted" => Ok(Content::Redacted),
        TokenTree::Ident(word) if word == "none" => Ok(Content::None),
        other => Err(syn::Error::new(
            other.span(),
            "`content` is `redacted` or `none`; what the process has forbidden cannot be allowed here",
        )),
    }
}

/// `= [ expr, … ]`.
fn tags(key: &Ident, input: ParseStream<'_>) -> syn::Result<Vec<Expr>> {
    if !(input.peek(Token![=]) && input.peek2(token::Bracket)) {
        return Err(misused(key));
    }
    input.parse::<Token![=]>()?;
    let content;
    bracketed!(content in input);
    Ok(Punctuated::<Expr, Token![,]>::parse_terminated(&content)?.into_iter().collect())
}

/// The text of a string literal.
pub(crate) fn literal(expr: &Expr) -> Option<&LitStr> {
    match expr {
        Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) => Some(text),
        Expr::Group(group) => literal(&group.expr),
        _ => None,
    }
}

fn not_empty(expr: Expr) -> syn::Result<Expr> {
    match literal(&expr) {
        Some(text) if text.value().trim().is_empty() => {
            Err(syn::Error::new(text.span(), "the name is empty; leave it out to use the default"))
        }
        _ => Ok(expr),
    }
}

fn run_type(expr: Expr) -> syn::Result<RunType> {
    if let Some(text) = literal(&expr) {
        let value = text.value();
        if value.trim().is_empty() {
            return Err(syn::Error::new(text.span(), "the run type is empty; leave it out for `chain`"));
        }
        if let Some(known) = nearest_run_type(&value) {
            let message = format_args!(
                "unknown run type `{value}`; did you mean `{known}`? \
                 (a type of your own with this very name can stand in a `const`: `run_type = NAME`)"
            );
            return Err(syn::Error::new(text.span(), message));
        }
        return Ok(RunType::Text(text.clone()));
    }
    let Expr::Path(path) = expr else {
        return Err(syn::Error::new_spanned(
            expr,
            "`run_type` is a string, such as \"llm\", or the path of a `&'static str`",
        ));
    };
    Ok(variant(&path.path).map_or(RunType::Constant(path.path), RunType::Text))
}

/// The text of a variant that is written as `RunType::Llm`.
fn variant(path: &Path) -> Option<LitStr> {
    let mut segments = path.segments.iter().rev();
    let variant = &segments.next()?.ident;
    segments.next().filter(|parent| parent.ident == "RunType")?;
    run_type_of_variant(&variant.to_string()).map(|text| LitStr::new(text, variant.span()))
}

fn crate_path(path: Path) -> syn::Result<Path> {
    let text = path.segments.iter().map(|segment| segment.ident.to_string()).collect::<Vec<_>>().join("::");
    let first = path.segments.first().map(|segment| segment.ident.to_string()).unwrap_or_default();
    if path.leading_colon.is_some() || first == "crate" || first == "$crate" {
        return Ok(path);
    }
    let message = match first.as_str() {
        "self" | "super" => {
            "the path must not be relative; write it from the crate's root as `crate::path::to::traceable`".to_owned()
        }
        _ => format!(
            "the path must be absolute; write `::{text}` for a crate, or `crate::{text}` for a module of this one"
        ),
    };
    Err(syn::Error::new_spanned(path, message))
}

impl Parse for Pair {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let (key, at) = pair_key(input)?;
        if key.trim().is_empty() {
            return Err(syn::Error::new(at, "the key is empty; give the value a name"));
        }
        if !input.peek(Token![=]) {
            return Err(syn::Error::new(at, format_args!("`{key}` needs a value: `metadata({key} = value)`")));
        }
        input.parse::<Token![=]>()?;
        Ok(Self { key, value: input.parse()? })
    }
}

/// A string, or words with dots between them.
fn pair_key(input: ParseStream<'_>) -> syn::Result<(String, Span)> {
    if let Ok(text) = input.fork().parse::<LitStr>() {
        input.parse::<LitStr>()?;
        return Ok((text.value(), text.span()));
    }
    let first = input.call(Ident::parse_any)?;
    let mut key = first.unraw().to_string();
    while input.parse::<Option<Token![.]>>()?.is_some() {
        key.push('.');
        key.push_str(&input.call(Ident::parse_any)?.unraw().to_string());
    }
    Ok((key, first.span()))
}

impl Parse for Field {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if input.peek(Token![self]) {
            let expr: Expr = input.parse()?;
            let Some(path) = self_path(&expr).filter(|path| !path.is_empty()) else {
                return Err(syn::Error::new_spanned(
                    expr,
                    "`self` is not captured as a whole; name a field, `inputs(self.field)`, or give a key, `inputs(key = self)`",
                ));
            };
            return Ok(Self::OfSelf(path.join("."), Box::new(expr)));
        }
        let name: Ident = input.parse()?;
        if input.parse::<Option<Token![=]>>()?.is_some() {
            return Ok(Self::Expression(name, input.parse()?));
        }
        Ok(Self::Argument(name))
    }
}

/// The names of the fields between `self` and the end of `self.a.b`.
fn self_path(expr: &Expr) -> Option<Vec<String>> {
    match expr {
        Expr::Path(path) if path.path.is_ident("self") => Some(Vec::new()),
        Expr::Field(field) => {
            let mut path = self_path(&field.base)?;
            path.push(match &field.member {
                syn::Member::Named(name) => name.unraw().to_string(),
                syn::Member::Unnamed(index) => index.index.to_string(),
            });
            Some(path)
        }
        _ => None,
    }
}
