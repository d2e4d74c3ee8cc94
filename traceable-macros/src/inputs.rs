//! What is captured of the arguments, and under which keys.

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;
use syn::{Attribute, Expr, FnArg, Pat, Signature, ext::IdentExt};

use crate::{
    args::{Args, Field},
    errors::Errors,
};

/// A value that is captured.
pub(crate) struct Capture {
    /// Its key.
    pub(crate) key: String,
    /// An expression that borrows it.
    pub(crate) value: TokenStream,
    /// The conditions under which the argument exists.
    pub(crate) conditions: Vec<Attribute>,
    /// A mark stands in its place.
    pub(crate) is_redacted: bool,
    /// Whether the name starts with an underscore, which lints take for a promise not to use it.
    pub(crate) is_underscored: bool,
}

/// A name that an argument's pattern binds.
struct Binding {
    ident: Ident,
    conditions: Vec<Attribute>,
}

/// The values to capture: those that `inputs(..)` names, or every argument but `self` and those in `skip(..)`.
pub(crate) fn captures(sig: &Signature, args: &Args, errors: &mut Errors) -> Vec<Capture> {
    let bindings = bindings(sig);
    let mut captures = captured(&bindings, args, errors);
    for name in &args.redact {
        match captures.iter_mut().find(|capture| name.unraw() == capture.key) {
            Some(capture) => capture.is_redacted = true,
            None if bindings.iter().any(|binding| binding.ident == *name) => {
                errors.push(
                    name.span(),
                    format_args!("`{name}` is not captured, so there is nothing to redact; remove it here"),
                );
            }
            None => check_name(name, "redact", &bindings, errors),
        }
    }
    captures
}

fn captured(bindings: &[Binding], args: &Args, errors: &mut Errors) -> Vec<Capture> {
    for name in &args.skip {
        check_name(name, "skip", bindings, errors);
    }
    let Some(fields) = &args.inputs else {
        let kept = bindings.iter().filter(|binding| !args.skip.contains(&binding.ident));
        return kept.map(|binding| capture(&binding.ident, binding.conditions.clone())).collect();
    };
    let mut captures: Vec<Capture> = Vec::new();
    for field in fields {
        let (place, new) = match field {
            Field::Argument(name) => {
                check_name(name, "inputs", bindings, errors);
                let binding = bindings.iter().find(|binding| binding.ident == *name);
                (name.to_token_stream(), capture(name, binding.map_or_else(Vec::new, |b| b.conditions.clone())))
            }
            Field::Expression(key, value) => (key.to_token_stream(), expression(key.unraw().to_string(), value)),
            Field::OfSelf(key, value) => (value.to_token_stream(), expression(key.clone(), value)),
        };
        if captures.iter().any(|capture| capture.key == new.key) {
            errors.add(syn::Error::new_spanned(
                place,
                format_args!("`{}` is given twice; give one of them another key", new.key),
            ));
        }
        captures.push(new);
    }
    captures
}

fn capture(ident: &Ident, conditions: Vec<Attribute>) -> Capture {
    let key = ident.unraw().to_string();
    let is_underscored = key.starts_with('_');
    Capture { key, value: q!(&#ident), conditions, is_redacted: false, is_underscored }
}

fn expression(key: String, value: &Expr) -> Capture {
    Capture { key, value: borrow(value), conditions: Vec::new(), is_redacted: false, is_underscored: false }
}

/// An expression that borrows the value of another one, so that an argument in it is not moved out of the body's reach.
pub(crate) fn borrow(expr: &Expr) -> TokenStream {
    match expr {
        Expr::Array(_)
        | Expr::Block(_)
        | Expr::Call(_)
        | Expr::Field(_)
        | Expr::Group(_)
        | Expr::Index(_)
        | Expr::Lit(_)
        | Expr::Macro(_)
        | Expr::MethodCall(_)
        | Expr::Paren(_)
        | Expr::Path(_)
        | Expr::Reference(_)
        | Expr::Tuple(_) => q!(&#expr),
        _ => q!(&(#expr)),
    }
}

fn check_name(name: &Ident, key: &str, bindings: &[Binding], errors: &mut Errors) {
    if bindings.iter().any(|binding| binding.ident == *name) {
        return;
    }
    let known: Vec<_> = bindings.iter().map(|binding| format!("`{}`", binding.ident.unraw())).collect();
    let known = match known.as_slice() {
        [] => "it takes none".to_owned(),
        [only] => format!("its only argument is {only}"),
        known => format!("its arguments are {}", known.join(", ")),
    };
    let remedy = match key {
        "inputs" => format!("; for anything else write `inputs({name} = expression)`"),
        _ => String::new(),
    };
    errors.push(name.span(), format_args!("this function has no argument `{name}`; {known}{remedy}"));
}

/// Every name that the arguments bind, in the order of their declaration.
fn bindings(sig: &Signature) -> Vec<Binding> {
    let mut found = Vec::new();
    for argument in &sig.inputs {
        if let FnArg::Typed(argument) = argument {
            collect(&argument.pat, &conditions(&argument.attrs), &mut found);
        }
    }
    found
}

fn conditions(attrs: &[Attribute]) -> Vec<Attribute> {
    attrs.iter().filter(|attr| attr.path().is_ident("cfg")).cloned().collect()
}

fn collect(pat: &Pat, outer: &[Attribute], found: &mut Vec<Binding>) {
    match pat {
        Pat::Ident(pat) => {
            // The second of two alternatives under opposite conditions is another binding of the same name.
            if outer.is_empty() && found.iter().any(|binding| binding.ident == pat.ident) {
                return;
            }
            found.push(Binding { ident: pat.ident.clone(), conditions: outer.to_vec() });
            if let Some((_, inner)) = &pat.subpat {
                collect(inner, outer, found);
            }
        }
        Pat::Or(pat) => pat.cases.iter().for_each(|case| collect(case, outer, found)),
        Pat::Paren(pat) => collect(&pat.pat, outer, found),
        Pat::Reference(pat) => collect(&pat.pat, outer, found),
        Pat::Slice(pat) => pat.elems.iter().for_each(|element| collect(element, outer, found)),
        Pat::Struct(pat) => {
            for field in &pat.fields {
                let conditions = [outer, &conditions(&field.attrs)].concat();
                collect(&field.pat, &conditions, found);
            }
        }
        Pat::Tuple(pat) => pat.elems.iter().for_each(|element| collect(element, outer, found)),
        Pat::TupleStruct(pat) => pat.elems.iter().for_each(|element| collect(element, outer, found)),
        Pat::Type(pat) => collect(&pat.pat, outer, found),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(sig: &Signature, args: TokenStream) -> String {
        let mut errors = Errors::default();
        let args = Args::parse(args, &mut errors);
        let captures = captures(sig, &args, &mut errors);
        if let Err(error) = errors.finish() {
            return error.to_string();
        }
        captures.iter().map(|capture| capture.key.clone()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn names_come_from_patterns() {
        let sig = syn::parse_quote! {
            fn f(&self, mut a: u8, (b, ref c): (u8, u8), P { d, e: Q(g, ..), .. }: P, [h, rest @ ..]: [u8; 2], &i: &u8, r#type: u8, _: u8)
        };
        assert_eq!(keys(&sig, TokenStream::new()), "a b c d g h rest i type");
        assert_eq!(keys(&sig, quote::quote!(skip(a, r#type))), "b c d g h rest i");
    }

    #[test]
    fn inputs_replace_the_arguments() {
        let sig = syn::parse_quote!(fn f(&self, a: u8, b: u8));
        assert_eq!(keys(&sig, quote::quote!(inputs())), "");
        assert_eq!(keys(&sig, quote::quote!(inputs(b, sum = a + b, self.config.0.model))), "b sum config.0.model");
        assert!(keys(&sig, quote::quote!(inputs(c))).contains("its arguments are `a`, `b`"));
        assert!(keys(&sig, quote::quote!(inputs(a, a = 1))).contains("`a` is given twice"));
    }

    #[test]
    fn conditions_are_copied() {
        let sig = syn::parse_quote!(fn f(#[cfg(unix)] a: u8, #[cfg(not(unix))] a: u16, #[allow(unused)] b: u8));
        let captures = captures(&sig, &Args::default(), &mut Errors::default());
        let conditions: Vec<_> = captures.iter().map(|capture| capture.conditions.len()).collect();
        assert_eq!(conditions, [1, 1, 0]);
    }
}
