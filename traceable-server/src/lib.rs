//! The program `traceable`: takes traces in, keeps them in a store on this machine, and shows them.
//!
//! Data goes one way. What comes over HTTP (`http`, `langsmith`, `otlp`), from files (`import`) or lies in the spools of this
//! machine (`spools`) becomes changes of runs, which one thread writes to the store (`ingest`) and then tells who looks
//! (`live`). What is asked by programs (`api`, `langsmith`), by a browser (`viewer`) or on the command line (`cli`) is read
//! from there, and written for other programs by `export`.
//!
//! The crate is published for its program. Its functions serve the tests and the quickstart, which serves itself, and may
//! change in any release.

mod api;
pub mod cli;
mod export;
mod home;
mod http;
mod import;
mod ingest;
mod langsmith;
mod live;
mod otlp;
mod print;
mod serve;
mod spools;
mod viewer;

pub use self::{
    cli::running,
    home::Home,
    http::routes,
    serve::{Config, ServeError, Server},
};
