//! Every test that crosses a crate, one module per behaviour.
