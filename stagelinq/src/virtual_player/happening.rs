//! What virtual players hear and do, for whoever watches them.

use std::net::Ipv4Addr;
use std::time::Duration;

use super::script::Fault;
use crate::identity::Identity;

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub struct Happening {
    /// Since the start of the script.
    pub at: Duration,
    /// To which player, by its place in the script; `None`: to all.
    pub player: Option<usize>,
    /// What.
    pub what: Happened,
}

/// What can happen.
#[derive(Debug, Clone, PartialEq)]
pub enum Happened {
    /// Somebody announces themselves, heard from this address for the first time.
    Heard {
        /// Who.
        identity: Identity,
        /// From where.
        address: Ipv4Addr,
    },
    /// Somebody leaves.
    Goodbye {
        /// Who.
        identity: Identity,
        /// From where.
        address: Ipv4Addr,
    },
    /// The player is on, its directory at this TCP port.
    PoweredOn {
        /// TCP.
        port: u16,
    },
    /// A client called a service; the directory is `DirectoryService`.
    Called {
        /// Which.
        service: &'static str,
        /// From where.
        address: Ipv4Addr,
    },
    /// A call was turned away: nothing was heard from that address before.
    Refused {
        /// From where.
        address: Ipv4Addr,
    },
    /// A client hung up, or was hung up on.
    Ended {
        /// Which service.
        service: &'static str,
        /// Why, in words.
        reason: String,
    },
    /// A client subscribed to so many values, all in all over this connection.
    Subscribed {
        /// How many.
        values: usize,
    },
    /// A client wrote a value, which clients should not.
    Wrote {
        /// Which.
        path: String,
    },
    /// A track was put on a deck.
    Loaded {
        /// Title.
        title: String,
    },
    /// Something broke, as the script wants it.
    Broke(Fault),
}
