//! Announcements: one socket that hears, one per interface that speaks.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::UdpSocket;

use super::Targets;
use crate::interfaces::{self, Interface};

/// A socket bound to `address` that other programs on this machine can share, as many do with the
/// port of the announcements.
pub(crate) fn shared(address: SocketAddrV4) -> io::Result<UdpSocket> {
    UdpSocket::from_std(bound(address)?.into())
}

pub(super) fn bound(address: SocketAddrV4) -> io::Result<Socket> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_reuse_address(true)?;
    // Not for a port of our own choice: two programs would be given the same one.
    #[cfg(unix)]
    if address.port() != 0 {
        socket.set_reuse_port(true)?;
    }
    socket.set_broadcast(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&SocketAddr::V4(address).into())?;
    Ok(socket)
}

/// What sending did on one interface.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) interface: Interface,
    pub(crate) error: Option<io::Error>,
}

/// Speaks on every interface from its own address.
#[derive(Debug)]
pub(crate) struct Speaker {
    targets: Targets,
    interfaces: Vec<Interface>,
    sockets: BTreeMap<Ipv4Addr, UdpSocket>,
}

impl Speaker {
    pub(crate) fn new(targets: Targets) -> Self {
        let mut speaker = Self {
            targets,
            interfaces: Vec::new(),
            sockets: BTreeMap::new(),
        };
        speaker.rescan();
        speaker
    }

    /// Our address on the network of `peer`, `0.0.0.0` when it is behind a router.
    pub(crate) fn facing(&self, peer: Ipv4Addr) -> Ipv4Addr {
        interfaces::facing(&self.interfaces, peer)
            .map_or(Ipv4Addr::UNSPECIFIED, |interface| interface.address)
    }

    /// Whether announcements that come in over `interface` count.
    pub(crate) fn listens_to(&self, interface: Ipv4Addr) -> bool {
        match &self.targets {
            Targets::On {
                interface: wanted, ..
            } => *wanted == interface,
            Targets::Everybody { .. } | Targets::Only(_) => true,
        }
    }

    /// Looks for cables that came or went.
    pub(crate) fn rescan(&mut self) {
        match interfaces::list() {
            Ok(found) => self.interfaces = found,
            Err(error) => tracing::debug!(%error, "cannot list the networks"),
        }
        let interfaces = &self.interfaces;
        self.sockets
            .retain(|address, _| interfaces.iter().any(|found| found.address == *address));
    }

    /// Sends to everybody wanted; errors of one interface do not touch the others.
    pub(crate) async fn send(&mut self, datagram: &[u8]) -> Vec<Sent> {
        let mut done = Vec::new();
        for interface in self.interfaces.clone() {
            let targets = self.targets_of(&interface);
            if targets.is_empty() {
                continue;
            }
            let error = self.send_on(&interface, &targets, datagram).await.err();
            if error.is_some() {
                self.sockets.remove(&interface.address);
            }
            done.push(Sent { interface, error });
        }
        done
    }

    async fn send_on(
        &mut self,
        interface: &Interface,
        targets: &[SocketAddrV4],
        datagram: &[u8],
    ) -> io::Result<()> {
        let socket = match self.sockets.entry(interface.address) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert(shared(SocketAddrV4::new(interface.address, 0))?),
        };
        let mut result = Ok(());
        let mut reached = false;
        for target in targets {
            match socket.send_to(datagram, target).await {
                Ok(_) => reached = true,
                Err(error) => result = Err(error),
            }
        }
        if reached { Ok(()) } else { result }
    }

    fn targets_of(&self, interface: &Interface) -> Vec<SocketAddrV4> {
        let everybody = |port: u16| {
            let broadcast = interface.broadcast().into_iter();
            broadcast
                .flat_map(|subnet| [subnet, Ipv4Addr::BROADCAST])
                .map(|address| SocketAddrV4::new(address, port))
                .collect()
        };
        match &self.targets {
            Targets::Everybody { port } => everybody(*port),
            Targets::On {
                interface: wanted,
                port,
            } if *wanted == interface.address => everybody(*port),
            Targets::On { .. } => Vec::new(),
            Targets::Only(targets) => {
                let faces = |target: &SocketAddrV4| {
                    interfaces::facing(&self.interfaces, *target.ip())
                        .or(self.interfaces.first())
                        .is_some_and(|found| found.address == interface.address)
                };
                targets.iter().copied().filter(faces).collect()
            }
        }
    }
}
