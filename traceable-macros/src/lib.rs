//! The `#[traceable]` attribute. Documented where users meet it: in the `traceable` crate.
//!
//! An expansion goes through these files in this order:
//!
//! 1. `guard` catches errors and panics and then gives the item back as it was;
//! 2. `args` reads the attribute's arguments, every mistake in them and not only the first;
//! 3. `item` reads the function's signature. Its body is one token group that is never parsed;
//! 4. `shape` decides from the return type whether the call gives a value, a future, a stream or an iterator;
//! 5. `inputs` finds what is captured of the arguments;
//! 6. `check` refuses arguments that do not fit the function;
//! 7. `expand` writes the new body, with `ending` for what is recorded at the end.
//!
//! Every generated token has the span `Span::mixed_site`, so that no name of ours meets
//! a name of the user's; the user's tokens keep their own spans.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

/// [`quote!`](quote::quote) whose own tokens cannot meet the user's names.
macro_rules! q {
    ($($token:tt)*) => { ::quote::quote_spanned!(::proc_macro2::Span::mixed_site()=> $($token)*) };
}

mod args;
mod check;
mod ending;
mod errors;
mod expand;
mod guard;
mod hints;
mod inputs;
mod item;
mod keys;
mod shape;
#[cfg(test)]
mod tests;

use proc_macro::TokenStream;

/// Makes every call of a function a run. See the `traceable` crate.
#[proc_macro_attribute]
pub fn traceable(args: TokenStream, item: TokenStream) -> TokenStream {
    guard::expand(args.into(), item.into()).into()
}
