//! The boundary around the whole expansion: whatever goes wrong, the user's item is still there.
//!
//! With the item re-emitted, an error is shown once, at the attribute, and not again at every call of the function, and
//! editors keep completing inside the body.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
};

use proc_macro2::{Span, TokenStream};
use quote::quote;

use crate::{args, expand, hints};

/// The expansion of the attribute, or what is wrong with it and the item as it was.
pub(crate) fn expand(args: TokenStream, item: TokenStream) -> TokenStream {
    let expanded = catch_unwind(AssertUnwindSafe(|| expand::expand(args.clone(), &item)));
    let error = match expanded {
        Ok(Ok(new)) => return if cfg!(feature = "enable") { new } else { item },
        Ok(Err(error)) => error,
        Err(panic) => syn::Error::new(Span::call_site(), bug(&*panic)),
    };
    let error = error.into_compile_error();
    let item = hints::complete_keys(&args::typed_keys(args), item);
    quote!(#error #item)
}

/// What is said of a panic, which is always a mistake of ours.
fn bug(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
    format!("`#[traceable]` panicked: {text}; please report it at {}", env!("CARGO_PKG_REPOSITORY"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_the_item_back_when_an_argument_is_wrong() {
        let item: TokenStream = quote!(
            fn f(half: typed) {
                half.
            }
        );
        let output = expand(quote!(name = ""), item.clone()).to_string();
        assert!(output.contains("compile_error"), "{output}");
        assert!(output.ends_with(&item.to_string()), "{output}");
    }

    #[test]
    fn says_what_a_panic_said() {
        assert!(bug(&"oh").contains("panicked: oh;"));
        assert!(bug(&String::from("oh")).contains("panicked: oh;"));
        assert!(bug(&7).contains("no message"));
    }

    #[test]
    fn leaves_the_item_alone_without_the_feature() {
        let item: TokenStream = quote!(
            fn f() {}
        );
        let same = expand(TokenStream::new(), item.clone()).to_string() == item.to_string();
        assert_eq!(same, !cfg!(feature = "enable"));
    }
}
