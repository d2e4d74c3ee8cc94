//! Charts: bars over time, drawn as SVG. Every bar is a link to the runs that it stands for.

use maud::{Markup, html};

/// The width of a chart in its own units; it is drawn as wide as there is room.
const WIDTH: f64 = 1_000.0;

/// The height.
const HEIGHT: f64 = 100.0;

/// Bars over time.
pub(super) struct Chart<'a> {
    pub(super) title: &'a str,
    /// What the parts of a bar are, from the bottom to the top, each with the class that colours it.
    pub(super) parts: &'a [(&'a str, &'a str)],
    /// How a value is written.
    pub(super) unit: fn(f64) -> String,
    pub(super) bars: Vec<Bar>,
}

/// What stands at one time.
pub(super) struct Bar {
    /// Which stretch of time, from the left.
    pub(super) at: usize,
    /// What it is a sum of; or, of quantiles, what each adds to the one before.
    pub(super) parts: Vec<f64>,
    /// Where a click leads.
    pub(super) url: String,
    /// What is said of it.
    pub(super) about: String,
}

impl Chart<'_> {
    /// Whether there is nothing to be seen.
    pub(super) fn is_empty(&self) -> bool {
        self.bars.iter().flat_map(|bar| &bar.parts).all(|part| *part <= 0.0)
    }

    /// The chart, over so many stretches of time, of which the first and the last are named.
    pub(super) fn draw(&self, stretches: usize, ends: [&str; 2]) -> Markup {
        let sum = |bar: &Bar| bar.parts.iter().sum::<f64>();
        let top = self.bars.iter().map(sum).fold(0.0, f64::max);
        let step = WIDTH / stretches.max(1) as f64;
        // Between bars there is a gap, as long as they are not thinner than it.
        let width = (step - 2.0).max(step * 0.6);
        html! {
            figure.chart {
                figcaption {
                    b { (self.title) }
                    @if self.parts.len() > 1 {
                        span.legend { @for (name, class) in self.parts { span.(class) { (name) } } }
                    }
                    span.top { "up to " ((self.unit)(top)) }
                }
                svg viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } preserveAspectRatio="none" role="group" aria-label=(self.title) {
                    @for bar in self.bars.iter().filter(|bar| sum(bar) > 0.0) {
                        @let x = bar.at as f64 * step;
                        a href=(bar.url) aria-label={ (self.title) ", " (bar.about) } {
                            title { (bar.about) }
                            rect.hit x=(short(x)) y="0" width=(short(step)) height=(HEIGHT) {}
                            @for (class, y, height) in self.stack(bar, top) {
                                rect.(class) x=(short(x)) y=(short(y)) width=(short(width)) height=(short(height)) {}
                            }
                        }
                    }
                }
                div.ends aria-hidden="true" { span { (ends[0]) } span { (ends[1]) } }
            }
        }
    }

    /// The parts of a bar: class, upper end and height. What is not zero is seen.
    fn stack(&self, bar: &Bar, top: f64) -> Vec<(&str, f64, f64)> {
        let mut below = HEIGHT;
        let parts = self.parts.iter().zip(&bar.parts).filter(|(_, value)| **value > 0.0);
        let drawn = parts.map(|((_, class), value)| {
            let height = (value / top * (HEIGHT - 2.0)).max(1.0);
            below = (below - height).max(0.0);
            (*class, below, height)
        });
        drawn.collect()
    }
}

/// A share of the largest of its kind, as a bar beside a number.
pub(super) fn share(value: f64, largest: f64) -> Markup {
    let width = if largest > 0.0 { (value / largest * 100.0).clamp(0.0, 100.0) } else { 0.0 };
    html! {
        svg.span viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true" {
            @if width > 0.0 { rect.all width=(short(width.max(0.5))) height="4" {} }
        }
    }
}

/// A length, exact enough for a screen.
fn short(length: f64) -> String {
    let text = format!("{length:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_links_and_keep_within_the_chart() {
        let bar = |at, parts: &[f64]| Bar {
            at,
            parts: parts.to_vec(),
            url: format!("/?at={at}"),
            about: format!("bar {at}"),
        };
        let chart = Chart {
            title: "Runs",
            parts: &[("ok", "good"), ("failed", "bad")],
            unit: |value| value.to_string(),
            bars: vec![bar(0, &[3.0, 1.0]), bar(1, &[0.0, 0.0]), bar(9, &[0.0, 0.001])],
        };
        let drawn = chart.draw(10, ["then", "now"]).into_string();
        assert!(drawn.contains("up to 4") && drawn.contains("href=\"/?at=0\"") && drawn.contains("bar 9"), "{drawn}");
        assert!(!drawn.contains("/?at=1\"") && !drawn.contains("NaN"), "{drawn}");
        for stack in chart.bars.iter().map(|bar| chart.stack(bar, 4.0)) {
            assert!(stack.iter().all(|(_, y, height)| *y >= 0.0 && y + height <= HEIGHT && *height > 0.0));
        }
    }
}
