//! `StageLinQ`, the protocol that Denon DJ players speak on the network: a client, and a virtual player.
//!
//! The protocol has no published description; `PROTOCOL.md` beside this crate tells what is known.
//! Everything that decides is a function of bytes and of the time passed in ([`wire`], [`roster`],
//! [`session`], [`clock`]).
#![warn(missing_docs)]

pub mod clock;
pub mod identity;
pub mod path;
pub mod roster;
pub mod session;
pub mod wire;
