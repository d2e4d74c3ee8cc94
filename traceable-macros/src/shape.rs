//! The shape of a call: when the run ends is decided by the return type alone.
//!
//! A value ends its run when it is returned, a future when it is ready, a stream or an iterator when it is exhausted or
//! dropped. `Result` and `Option` around one of the latter are looked into, as are the outputs of futures.

use proc_macro2::Span;
use quote::ToTokens;
use syn::{
    AngleBracketedGenericArguments, GenericArgument, Path, PathArguments, PathSegment, ReturnType, Type,
    TypeParamBound, parse_quote, punctuated::Punctuated, spanned::Spanned,
};

/// Whether a future, stream or iterator stands behind a pointer that has to be made again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Boxed {
    /// `impl Trait`.
    No,
    /// `Pin<Box<dyn Trait>>`.
    Pinned,
    /// `Box<dyn Trait + Unpin>`.
    Plain,
}

/// What a call gives.
pub(crate) enum Shape {
    /// A value that is whole when the call returns.
    Value,
    /// Nothing: the call does not return.
    Never,
    /// A future. `output` is its output's type as far as it is written, `inner` the output's shape.
    Future { boxed: Boxed, output: Box<Type>, inner: Box<Self> },
    /// A stream of `item`s.
    Stream { boxed: Boxed, item: Box<Type> },
    /// An iterator over `item`s.
    Iterator { boxed: Boxed, item: Box<Type> },
    /// A `Result` with a shape that outlives the call in its `Ok`.
    Result(Box<Self>),
    /// An `Option` with a shape that outlives the call in its `Some`.
    Option(Box<Self>),
}

impl Shape {
    /// The shape of a function's return type, as told by the `stream` argument where it is given.
    ///
    /// Fails on a type that is a stream by its name but cannot be wrapped without becoming another type.
    pub(crate) fn of(output: &ReturnType, stream: Option<bool>) -> syn::Result<Self> {
        match output {
            ReturnType::Default => Ok(Self::Value),
            ReturnType::Type(_, ty) => Self::of_type(ty, stream),
        }
    }

    /// Whether the run outlives the call.
    pub(crate) const fn is_deferred(&self) -> bool {
        !matches!(self, Self::Value | Self::Never)
    }

    /// The type of the chunks, if the call gives a stream or an iterator in the end.
    pub(crate) fn item(&self) -> Option<&Type> {
        match self {
            Self::Stream { item, .. } | Self::Iterator { item, .. } => Some(item),
            Self::Future { inner, .. } | Self::Result(inner) | Self::Option(inner) => inner.item(),
            Self::Value | Self::Never => None,
        }
    }

    fn of_type(ty: &Type, stream: Option<bool>) -> syn::Result<Self> {
        match ty {
            Type::Group(group) => Self::of_type(&group.elem, stream),
            Type::Paren(paren) => Self::of_type(&paren.elem, stream),
            Type::Never(_) => Ok(Self::Never),
            Type::ImplTrait(opaque) => Self::of_bounds(&opaque.bounds, Boxed::No, stream),
            Type::Path(path) => Self::of_path(&path.path, stream),
            _ => Ok(Self::Value),
        }
    }

    fn of_path(path: &Path, stream: Option<bool>) -> syn::Result<Self> {
        let Some(last) = path.segments.last() else { return Ok(Self::Value) };
        let name = last.ident.to_string();
        let types = type_arguments(last);
        match (name.as_str(), types.as_slice()) {
            ("Pin", [pointer]) => match boxed_bounds(pointer) {
                Some(bounds) => Self::of_bounds(bounds, Boxed::Pinned, stream),
                None => Ok(Self::Value),
            },
            ("Box", [Type::TraitObject(object)]) => Self::of_bounds(&object.bounds, Boxed::Plain, stream),
            ("BoxFuture" | "LocalBoxFuture", [output]) => Self::future(Boxed::Pinned, output, stream),
            ("BoxStream" | "LocalBoxStream", [item]) if stream != Some(false) => {
                Ok(Self::Stream { boxed: Boxed::Pinned, item: Box::new(erase(item)) })
            }
            (_, [ok, ..]) if name.ends_with("Result") => Ok(Self::of_type(ok, stream)?.inside(Self::Result)),
            ("Option", [some]) => Ok(Self::of_type(some, stream)?.inside(Self::Option)),
            _ if names_a_stream(&name) && stream != Some(false) => Err(unwrappable(&last.ident, &name)),
            _ => Ok(Self::Value),
        }
    }

    fn of_bounds(
        bounds: &Punctuated<TypeParamBound, syn::Token![+]>,
        boxed: Boxed,
        stream: Option<bool>,
    ) -> syn::Result<Self> {
        let traits = bounds.iter().filter_map(|bound| match bound {
            TypeParamBound::Trait(bound) => bound.path.segments.last(),
            _ => None,
        });
        for segment in traits {
            let name = segment.ident.to_string();
            let binding = |key| binding(segment, key).unwrap_or_else(|| parse_quote!(_));
            match name.as_str() {
                "Future" => return Self::future(boxed, &binding("Output"), stream),
                "Stream" if stream != Some(false) => {
                    return Ok(Self::Stream { boxed, item: Box::new(erase(&binding("Item"))) });
                }
                "Iterator" if stream == Some(true) => {
                    return Ok(Self::Iterator { boxed, item: Box::new(erase(&binding("Item"))) });
                }
                _ if name.ends_with("Stream") && stream != Some(false) => {
                    return Err(unwrappable(&segment.ident, &name));
                }
                _ => {}
            }
        }
        Ok(Self::Value)
    }

    fn future(boxed: Boxed, output: &Type, stream: Option<bool>) -> syn::Result<Self> {
        let inner = Box::new(Self::of_type(output, stream)?);
        Ok(Self::Future { boxed, output: Box::new(erase(output)), inner })
    }

    /// Around a value, `Result` and `Option` are values themselves.
    fn inside(self, around: fn(Box<Self>) -> Self) -> Self {
        if self.is_deferred() { around(Box::new(self)) } else { Self::Value }
    }
}

/// Concrete types that are called streams but carry bytes or tokens, not items.
const DATA: [&str; 6] = ["TcpStream", "UnixStream", "TlsStream", "DuplexStream", "TokenStream", "BufStream"];

fn names_a_stream(name: &str) -> bool {
    name.contains("Stream") && !DATA.contains(&name)
}

fn unwrappable(place: &dyn ToTokens, name: &str) -> syn::Error {
    syn::Error::new(
        place.span(),
        format_args!(
            "`{name}` cannot be traced as a stream without becoming another type; \
             return `impl Stream<Item = …>` or `BoxStream<'_, …>`, or write `stream = false` if it is data"
        ),
    )
}

/// The bounds of the trait object in `Box<dyn …>`.
fn boxed_bounds(pointer: &Type) -> Option<&Punctuated<TypeParamBound, syn::Token![+]>> {
    let Type::Path(path) = pointer else { return None };
    let last = path.path.segments.last().filter(|last| last.ident == "Box")?;
    match type_arguments(last).as_slice() {
        [Type::TraitObject(object)] => Some(&object.bounds),
        _ => None,
    }
}

fn angle_bracketed(segment: &PathSegment) -> Option<&AngleBracketedGenericArguments> {
    match &segment.arguments {
        PathArguments::AngleBracketed(arguments) => Some(arguments),
        PathArguments::None | PathArguments::Parenthesized(_) => None,
    }
}

/// The types among a path segment's generic arguments.
fn type_arguments(segment: &PathSegment) -> Vec<&Type> {
    let arguments = angle_bracketed(segment).into_iter().flat_map(|generic| &generic.args);
    arguments
        .filter_map(|argument| match argument {
            GenericArgument::Type(ty) => Some(ty),
            _ => None,
        })
        .collect()
}

/// The type bound to an associated type, such as the `T` of `Item = T`.
fn binding(segment: &PathSegment, name: &str) -> Option<Type> {
    angle_bracketed(segment)?.args.iter().find_map(|argument| match argument {
        GenericArgument::AssocType(assoc) if assoc.ident == name => Some(assoc.ty.clone()),
        _ => None,
    })
}

/// The type of the items that are not errors: `C` of an item written as `Result<C, E>`, else the item itself.
pub(crate) fn chunk(item: &Type) -> Type {
    if let Type::Path(path) = item
        && let Some(last) = path.path.segments.last()
        && last.ident.to_string().ends_with("Result")
    {
        // An alias without arguments hides its chunk: the compiler has to find it.
        return type_arguments(last).first().map_or_else(|| parse_quote!(_), |chunk| (*chunk).clone());
    }
    item.clone()
}

/// The return type as it can be written inside the body: each `impl Trait` is left to inference.
pub(crate) fn written(output: &ReturnType) -> Type {
    match output {
        ReturnType::Default => {
            let unit = q!(());
            parse_quote!(#unit)
        }
        ReturnType::Type(_, ty) => erase(ty),
    }
}

/// Whether nothing of a type is written.
pub(crate) const fn is_inferred(ty: &Type) -> bool {
    matches!(ty, Type::Infer(_))
}

/// Whether a function is returned as `impl Fn(..)`, from which the compiler infers the arguments of a closure in the body.
pub(crate) fn is_callable(output: &ReturnType) -> bool {
    let ReturnType::Type(_, ty) = output else { return false };
    let Type::ImplTrait(opaque) = &**ty else { return false };
    opaque.bounds.iter().any(|bound| match bound {
        TypeParamBound::Trait(bound) => {
            bound.path.segments.last().is_some_and(|last| matches!(last.arguments, PathArguments::Parenthesized(_)))
        }
        _ => false,
    })
}

/// Replaces each `impl Trait` by `_`.
pub(crate) fn erase(ty: &Type) -> Type {
    let mut ty = ty.clone();
    erase_in(&mut ty);
    ty
}

fn erase_in(ty: &mut Type) {
    match ty {
        Type::ImplTrait(opaque) => {
            let hole = quote::quote_spanned!(Span::mixed_site().located_at(opaque.span())=> _);
            *ty = parse_quote!(#hole);
        }
        Type::Array(array) => erase_in(&mut array.elem),
        Type::Group(group) => erase_in(&mut group.elem),
        Type::Paren(paren) => erase_in(&mut paren.elem),
        Type::Path(path) => path.path.segments.iter_mut().for_each(erase_in_segment),
        Type::Reference(reference) => erase_in(&mut reference.elem),
        Type::Slice(slice) => erase_in(&mut slice.elem),
        Type::TraitObject(object) => {
            for bound in &mut object.bounds {
                if let TypeParamBound::Trait(bound) = bound {
                    bound.path.segments.iter_mut().for_each(erase_in_segment);
                }
            }
        }
        Type::Tuple(tuple) => tuple.elems.iter_mut().for_each(erase_in),
        _ => {}
    }
}

fn erase_in_segment(segment: &mut PathSegment) {
    if let PathArguments::AngleBracketed(generic) = &mut segment.arguments {
        for argument in &mut generic.args {
            match argument {
                GenericArgument::Type(ty) => erase_in(ty),
                GenericArgument::AssocType(assoc) => erase_in(&mut assoc.ty),
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(output: &ReturnType) -> String {
        match Shape::of(output, None) {
            Ok(shape) => sketch(&shape),
            Err(error) => format!("refused: {error}"),
        }
    }

    fn sketch(shape: &Shape) -> String {
        match shape {
            Shape::Value => "value".into(),
            Shape::Never => "never".into(),
            Shape::Future { boxed, inner, .. } => format!("future({boxed:?}, {})", sketch(inner)),
            Shape::Stream { boxed, item } => format!("stream({boxed:?}, {})", item.to_token_stream()),
            Shape::Iterator { item, .. } => format!("iterator({})", item.to_token_stream()),
            Shape::Result(inner) => format!("result({})", sketch(inner)),
            Shape::Option(inner) => format!("option({})", sketch(inner)),
        }
    }

    #[test]
    fn values() {
        assert_eq!(shape(&parse_quote!()), "value");
        assert_eq!(shape(&parse_quote!(-> !)), "never");
        assert_eq!(shape(&parse_quote!(-> Result<String, E>)), "value");
        assert_eq!(shape(&parse_quote!(-> impl Iterator<Item = u8>)), "value");
        assert_eq!(shape(&parse_quote!(-> Pin<&mut dyn Future<Output = u8>>)), "value");
        assert_eq!(shape(&parse_quote!(-> io::Result<TcpStream>)), "value");
        assert_eq!(shape(&parse_quote!(-> Box<dyn Fn() -> u8>)), "value");
    }

    #[test]
    fn futures() {
        assert_eq!(shape(&parse_quote!(-> impl Future<Output = u8> + Send)), "future(No, value)");
        assert_eq!(shape(&parse_quote!(-> (impl Send + core::future::Future<Output = u8>))), "future(No, value)");
        assert_eq!(shape(&parse_quote!(-> Pin<Box<dyn Future<Output = u8> + Send + 'a>>)), "future(Pinned, value)");
        assert_eq!(shape(&parse_quote!(-> Box<dyn Future<Output = u8> + Unpin>)), "future(Plain, value)");
        assert_eq!(
            shape(&parse_quote!(-> futures::future::BoxFuture<'_, Result<BoxStream<'static, u8>, E>>)),
            "future(Pinned, result(stream(Pinned, u8)))"
        );
    }

    #[test]
    fn streams() {
        assert_eq!(shape(&parse_quote!(-> impl Stream<Item = Result<u8, E>>)), "stream(No, Result < u8 , E >)");
        assert_eq!(shape(&parse_quote!(-> anyhow::Result<impl Stream<Item = u8>>)), "result(stream(No, u8))");
        assert_eq!(shape(&parse_quote!(-> Option<LocalBoxStream<'_, u8>>)), "option(stream(Pinned, u8))");
        assert_eq!(shape(&parse_quote!(-> impl Stream<Item = impl Display>)), "stream(No, _)");
        let output = parse_quote!(-> Box<dyn Iterator<Item = u8>>);
        assert_eq!(sketch(&Shape::of(&output, Some(true)).unwrap()), "iterator(u8)");
    }

    #[test]
    fn streams_that_cannot_be_wrapped() {
        assert!(shape(&parse_quote!(-> ReceiverStream<u8>)).starts_with("refused: `ReceiverStream`"));
        assert!(shape(&parse_quote!(-> Result<ChatStream, E>)).starts_with("refused: `ChatStream`"));
        assert!(shape(&parse_quote!(-> impl TryStream<Ok = u8>)).starts_with("refused: `TryStream`"));
        let output = parse_quote!(-> ReceiverStream<u8>);
        assert_eq!(sketch(&Shape::of(&output, Some(false)).unwrap()), "value");
    }

    #[test]
    fn chunks() {
        let text = |ty: Type| chunk(&ty).to_token_stream().to_string();
        assert_eq!(text(parse_quote!(u8)), "u8");
        assert_eq!(text(parse_quote!(anyhow::Result<u8>)), "u8");
        assert_eq!(text(parse_quote!(ChunkResult)), "_");
    }

    #[test]
    fn callables() {
        assert!(is_callable(&parse_quote!(-> impl for<'a> Fn(&'a str) -> u8 + Send)));
        assert!(!is_callable(&parse_quote!(-> impl Iterator<Item = u8>)));
        assert!(!is_callable(&parse_quote!(-> Box<dyn Fn(&str) -> u8>)));
    }

    #[test]
    fn erases_what_cannot_be_written_in_a_body() {
        let erased = |ty: Type| erase(&ty).to_token_stream().to_string();
        assert_eq!(erased(parse_quote!(Result<(impl Send, u8), E>)), "Result < (_ , u8) , E >");
        assert_eq!(erased(parse_quote!(&'a [impl Send])), "& 'a [_]");
        assert_eq!(
            erased(parse_quote!(Box<dyn Iterator<Item = impl Send> + 'a>)),
            "Box < dyn Iterator < Item = _ > + 'a >"
        );
    }
}
