//! Every test that crosses a crate, one module per behaviour.

#[cfg(test)]
mod demo;
#[cfg(test)]
mod tidy;
