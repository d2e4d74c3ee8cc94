//! What the figures are held against, and how they are printed.

use std::collections::BTreeMap;

use crate::{measure::Sample, workload::Case};

/// The figures of every case and tracer.
pub type Figures = BTreeMap<(Case, &'static str), Sample>;

/// What a figure of ours is divided by, beside the figures of the peers.
enum Against {
    /// The peer's figure.
    Peer(&'static str),
    /// The peer's figure, the bare call taken off from both.
    Added(&'static str),
    /// The peer's figure in another case.
    Other(Case, &'static str),
}

struct Goal {
    against: Against,
    at_most: f64,
    no_allocations: bool,
}

fn goals(case: Case) -> Vec<Goal> {
    use Against::{Added, Other, Peer};

    let goal = |against, at_most| Goal { against, at_most, no_allocations: false };
    let warm = |against, at_most| Goal { against, at_most, no_allocations: true };
    match case {
        Case::Off => vec![warm(Added("fastrace"), 0.30)],
        Case::OffAsync => vec![warm(Added("tracing"), 0.50)],
        Case::Leaf100 => vec![warm(Peer("fastrace"), 0.80), goal(Peer("otel"), 0.20), goal(Peer("tracing+otel"), 0.07)],
        Case::Payload300b => {
            vec![warm(Peer("fastrace"), 0.40), goal(Peer("otel"), 0.25), goal(Peer("tracing+otel"), 0.12)]
        }
        Case::Payload20kb => vec![warm(Peer("fastrace"), 0.20)],
        Case::Payload100kb => vec![warm(Peer("fastrace"), 0.15)],
        Case::Async3 => vec![warm(Peer("fastrace"), 0.35)],
        Case::ChunkWrapped => vec![goal(Peer("otel"), 0.30)],
        Case::ChunkCaptured => vec![goal(Peer("otel"), 0.35)],
        Case::ChunkFolded => vec![goal(Other(Case::ChunkCaptured, "otel"), 0.10)],
        Case::TwoThreads => vec![goal(Other(Case::Leaf100, "ours"), 1.25)],
        Case::TwoThreads300b => vec![goal(Other(Case::Payload300b, "ours"), 1.25)],
        // The peers do not look for secrets; without that, less is allowed.
        Case::Process20kb => vec![goal(Peer("fastrace"), 1.0)],
        Case::Process20kbFull => vec![goal(Peer("fastrace"), 0.70)],
    }
}

/// How far an annotated program may start later than a bare one, in nanoseconds.
const STARTUP: f64 = 200_000.0;
/// Fewer allocations a call than this are those of a burst, such as a buffer that grows to its size.
const WARM: f64 = 0.005;

/// Prints a case: one line for people, or one JSON object a peer.
pub fn case(case: Case, figures: &Figures, json: bool) {
    let Some(ours) = figures.get(&(case, "ours")) else { return };
    let peers = figures.iter().filter(|((of, tracer), _)| *of == case && *tracer != "ours");
    if json {
        for ((_, peer), sample) in peers {
            print_json(case.name(), ours.ns, peer, sample.ns, ours.allocations);
        }
        return;
    }
    print!("{:<17}{:>10} ns {:>6.2} allocs", case.name(), digits(ours.ns), ours.allocations);
    for ((_, peer), sample) in peers {
        print!(" | {peer} {}", digits(sample.ns));
        if *peer != "bare" {
            print!(" ({:.2}x, {:.1} allocs)", ours.ns / sample.ns, sample.allocations);
        }
    }
    for goal in goals(case) {
        print!(" | {}", goal.verdict(case, ours, figures));
    }
    println!();
}

impl Goal {
    fn verdict(&self, case: Case, ours: &Sample, figures: &Figures) -> String {
        let bare = |of: f64| figures.get(&(case, "bare")).map(|bare| of - bare.ns);
        let ns = |case: Case, tracer: &'static str| figures.get(&(case, tracer)).map(|sample| sample.ns);
        let (ratio, of) = match self.against {
            Against::Peer(peer) => (ns(case, peer).map(|peer| ours.ns / peer), peer.to_owned()),
            Against::Added(peer) => (
                bare(ours.ns).and_then(|added| Some(added / ns(case, peer).and_then(bare)?)),
                format!("what {peer} adds"),
            ),
            Against::Other(other, tracer) => {
                (ns(other, tracer).map(|other| ours.ns / other), format!("{tracer} in {}", other.name()))
            }
        };
        let Some(ratio) = ratio else { return format!("goal against {of}: not measured") };
        let allocates = self.no_allocations && ours.allocations > WARM;
        let verdict = if ratio <= self.at_most && !allocates { "met" } else { "MISSED" };
        let rule = if self.no_allocations { ", 0 allocs" } else { "" };
        format!("goal {:.2}{rule} of {of}: {ratio:.2}, {verdict}", self.at_most)
    }
}

/// Prints the startup case.
pub fn startup(bare: f64, off: f64, json: bool) {
    if json {
        print_json("startup_off", off, "bare", bare, 0.0);
        return;
    }
    let verdict = if off - bare <= STARTUP { "met" } else { "MISSED" };
    println!(
        "{:<17}{:>10} ns | bare {} | goal {} more than bare: {:+.0}, {verdict}",
        "startup_off",
        digits(off),
        digits(bare),
        digits(STARTUP),
        off - bare
    );
}

fn print_json(case: &str, ours: f64, peer: &str, theirs: f64, allocations: f64) {
    println!(
        r#"{{"case":"{case}","ours_ns":{ours:.2},"peer":"{peer}","peer_ns":{theirs:.2},"ratio":{:.4},"allocs":{allocations:.3}}}"#,
        ours / theirs
    );
}

/// Three digits or so.
fn digits(ns: f64) -> String {
    if ns < 100.0 { format!("{ns:.1}") } else { format!("{ns:.0}") }
}
