//! Simulators and signal makers that the tests share.
