//! A LangSmith that breaks on command: `endpoint [PORT]`. Prints its address, then answers each line of its input with one
//! line: `fault WORDS` with `ok`, `report` and `acknowledged` with JSON. Ends with its input.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::io::BufRead;

use traceable_faults::endpoint::Endpoint;

fn main() {
    let port = std::env::args().nth(1).map_or(0, |port| port.parse().unwrap());
    let mut endpoint = Endpoint::start(port).unwrap();
    println!("http://{}", endpoint.address());
    for line in std::io::stdin().lock().lines() {
        let line = line.unwrap();
        match line.split_once(' ').unwrap_or((&line, "")) {
            ("fault", words) => match words.parse() {
                Ok(fault) => {
                    endpoint.set(fault).unwrap();
                    println!("ok");
                }
                Err(why) => println!("{why}"),
            },
            ("report", _) => println!("{}", serde_json::to_string(&endpoint.report()).unwrap()),
            ("acknowledged", _) => println!("{}", serde_json::to_string(&endpoint.acknowledged()).unwrap()),
            _ => println!("not one of: fault WORDS, report, acknowledged"),
        }
    }
}
