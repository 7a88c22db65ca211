//! `StageLinQ`, the protocol that Denon DJ players speak on the network: a client, and a virtual player.
//!
//! The protocol has no published description; `PROTOCOL.md` beside this crate tells what is known.
//! Everything that decides is a function of bytes and of the time passed in ([`wire`], [`roster`],
//! [`session`], [`clock`]); sockets are at the edge ([`client`], [`virtual_player`]).
#![warn(missing_docs)]

pub mod capture;
pub mod client;
pub mod clock;
pub mod doctor;
pub mod files;
pub mod identity;
pub mod interfaces;
mod net;
pub mod path;
pub mod roster;
pub mod session;
pub mod virtual_player;
pub mod wire;

pub use client::{Client, Config, Lost, StartError, Update, UpdateKind};
pub use identity::{Identity, Token};
pub use net::{Discovery, Targets};
