//! Arguments that are well written but do not fit the function.

use proc_macro2::Ident;

use crate::{args::Args, errors::Errors, item::Func, shape::Shape};

/// Reports what does not fit. `shape` is absent when the return type itself was refused.
pub(crate) fn check(args: &Args, func: &Func, shape: Option<&Shape>, errors: &mut Errors) {
    check_pairs(args, errors);
    check_function(args, func, shape, errors);
    if let Some(shape) = shape {
        check_output(args, shape, errors);
    }
}

/// Arguments that exclude each other.
fn check_pairs(args: &Args, errors: &mut Errors) {
    if let (Some(skip), Some(_)) = (args.key("skip"), args.key("inputs")) {
        let message = "`skip` and `inputs` exclude each other: `inputs(..)` already captures nothing but what it names";
        errors.push(skip.span(), message);
    }
    if !args.outputs_off {
        return;
    }
    for name in ["process_outputs", "process_chunk", "reduce_fn", "raw_chunks"] {
        if let Some(key) = args.key(name) {
            let message = format_args!("`{name}` has nothing to work on with `outputs = off`; remove one of them");
            errors.push(key.span(), message);
        }
    }
}

/// Functions that cannot be traced at all.
fn check_function(args: &Args, func: &Func, shape: Option<&Shape>, errors: &mut Errors) {
    if let Some(constness) = &func.sig.constness {
        let message = "a `const fn` cannot be traced, because nothing can be recorded at compile time; remove `const` or `#[traceable]`";
        errors.push(constness.span, message);
    }
    let Some(attr) = func.attrs.iter().find(|attr| attr.path().is_ident("track_caller")) else { return };
    if func.sig.asyncness.is_some() {
        return;
    }
    let remedy = match shape {
        Some(Shape::Value) if !args.outputs_off => "add `outputs = off` to record the call without its output",
        Some(shape) if shape.is_deferred() => "trace a function that this one calls",
        _ => return,
    };
    let message = format_args!(
        "`#[track_caller]` would be lost, because the body becomes a closure to see its output; {remedy}, or remove `#[track_caller]`"
    );
    errors.add(syn::Error::new_spanned(attr, message));
}

/// Arguments about the output that the return type has no use for.
fn check_output(args: &Args, shape: &Shape, errors: &mut Errors) {
    if shape.item().is_some() {
        for name in ["process_outputs", "usage"] {
            if let (Some(key), None) = (args.key(name), args.key("reduce_fn")) {
                let message =
                    format_args!("`{name}` on a stream works on the reduced output; add `reduce_fn = function`");
                errors.push(key.span(), message);
            }
        }
        return;
    }
    for name in ["reduce_fn", "process_chunk", "raw_chunks"] {
        if let Some(key) = args.key(name) {
            no_stream(key, errors);
        }
    }
    if let (Some(key), Some(true)) = (args.key("stream"), args.stream) {
        let message = "`stream` needs a return type that can be wrapped; return `impl Stream<Item = …>`, `BoxStream<'_, …>` or `impl Iterator<Item = …>`";
        errors.push(key.span(), message);
    }
    if matches!(shape, Shape::Never) {
        for key in ["process_outputs", "usage"].into_iter().filter_map(|name| args.key(name)) {
            errors.push(key.span(), format_args!("`{key}` has nothing to work on: this function never returns"));
        }
    }
}

fn no_stream(key: &Ident, errors: &mut Errors) {
    let message = format_args!(
        "`{key}` works on the items of a stream, and this function returns none; return `impl Stream<Item = …>` or `BoxStream<'_, …>`, \
         or add `stream` if it returns an iterator that is to be recorded item by item"
    );
    errors.push(key.span(), message);
}
