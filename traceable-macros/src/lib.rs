//! The `#[traceable]` attribute. Documented where users meet it: in the `traceable` crate.

use proc_macro::TokenStream;

/// Makes every call of a function a run. See the `traceable` crate.
#[proc_macro_attribute]
pub fn traceable(_args: TokenStream, item: TokenStream) -> TokenStream {
    item
}
