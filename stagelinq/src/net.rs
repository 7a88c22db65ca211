//! The only files that touch sockets.

pub(crate) mod tcp;
pub(crate) mod udp;

use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};

use crate::wire::DISCOVERY_PORT;

/// Where announcements are heard and sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discovery {
    /// Heard here. Port 0 takes any free one, which is for tests.
    pub listen: SocketAddrV4,
    /// Sent there.
    pub targets: Targets,
}

/// Who hears our announcements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Targets {
    /// Everybody on every network of this machine, at this port.
    Everybody {
        /// [`DISCOVERY_PORT`] but in tests.
        port: u16,
    },
    /// Everybody on the network where this is our address.
    On {
        /// Our address there.
        interface: Ipv4Addr,
        /// [`DISCOVERY_PORT`] but in tests.
        port: u16,
    },
    /// These alone: players on this machine, or behind a router.
    Only(Vec<SocketAddrV4>),
}

impl Default for Discovery {
    /// As players do it.
    fn default() -> Self {
        Self {
            listen: SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, DISCOVERY_PORT),
            targets: Targets::Everybody {
                port: DISCOVERY_PORT,
            },
        }
    }
}

impl Discovery {
    /// The same, but only with the network where `interface` is our address.
    #[must_use]
    pub fn only_on(mut self, interface: Ipv4Addr) -> Self {
        if let Targets::Everybody { port } = self.targets {
            self.targets = Targets::On { interface, port };
        }
        self
    }

    /// Whether announcements could be heard now: an error when another program keeps the port for itself.
    pub fn check(&self) -> io::Result<()> {
        udp::bound(self.listen).map(drop)
    }

    /// On this machine alone, heard at any free port, sent to `ports`.
    pub fn on_this_machine(ports: &[u16]) -> Self {
        let here = |port: &u16| SocketAddrV4::new(Ipv4Addr::LOCALHOST, *port);
        Self {
            listen: here(&0),
            targets: Targets::Only(ports.iter().map(here).collect()),
        }
    }
}
