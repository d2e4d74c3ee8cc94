//! Completion of the attribute's keys in editors.
//!
//! rust-analyzer completes names where it sees a `use`. While a key is half typed the expansion fails, and the item is
//! given back with a `use` of the typed words in a module that has the keys as items. Only rust-analyzer sees it, and only
//! then: an expansion that succeeds does not carry it.

use proc_macro2::{Ident, Span, TokenStream};

use crate::{item::Func, keys::KEYS};

/// The item, with a `use` of the words at the start of its body when some of them are no keys (yet).
pub(crate) fn complete_keys(typed: &[Ident], item: TokenStream) -> TokenStream {
    let typed: Vec<_> = typed.iter().filter(|word| KEYS.iter().all(|(key, _)| *word != key)).collect();
    if typed.is_empty() {
        return item;
    }
    let Ok(func) = Func::parse(&item) else { return item };
    let keys = KEYS.iter().filter(|(key, _)| *key != "crate").map(|(key, _)| Ident::new(key, Span::mixed_site()));
    let body = &func.body;
    // Inside the body, because an `impl` block takes no unnamed constant.
    func.with_body(&q! {
        #[allow(unexpected_cfgs)]
        const _: () = {
            #[cfg(rust_analyzer)]
            {
                mod keys { #(pub mod #keys {})* }
                use self::keys::{#(#typed as _,)*};
            }
        };
        #body
    })
}

#[cfg(test)]
mod tests {
    use quote::{format_ident, quote};

    use super::*;

    #[test]
    fn offers_the_keys_for_a_half_typed_word() {
        let hinted = complete_keys(
            &[format_ident!("run_")],
            quote!(
                fn f() {
                    1 + 1
                }
            ),
        )
        .to_string();
        assert!(hinted.contains("run_ as _"), "{hinted}");
        assert!(hinted.contains("pub mod metadata"), "{hinted}");
        assert!(hinted.ends_with("1 + 1 }"), "{hinted}");
    }

    #[test]
    fn leaves_everything_else_alone() {
        let (function, structure) = (
            quote!(
                fn f() {}
            ),
            quote!(
                struct S {}
            ),
        );
        assert_eq!(complete_keys(&[format_ident!("name")], function.clone()).to_string(), function.to_string());
        assert_eq!(complete_keys(&[format_ident!("run_")], structure.clone()).to_string(), structure.to_string());
    }
}
