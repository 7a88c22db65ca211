//! Every test that crosses a crate, one module per behaviour.

mod demo;
mod tidy;
