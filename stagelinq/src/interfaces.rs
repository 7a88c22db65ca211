//! The IPv4 networks of this machine, and which of them leads to a peer.

use std::io;
use std::net::Ipv4Addr;

/// Networks looked at; machines with containers have many.
const MAX_INTERFACES: usize = 32;

/// One address of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    /// The system's name: `eth0`, `Ethernet 2`.
    pub name: String,
    /// Our address. 169.254.x.x is normal: a cable without a router.
    pub address: Ipv4Addr,
    /// Which bits are the network.
    pub netmask: Ipv4Addr,
}

impl Interface {
    /// The address that reaches everybody on this network; `None` where there is only one peer.
    pub fn broadcast(&self) -> Option<Ipv4Addr> {
        let host = !u32::from(self.netmask);
        (host > 1 && !self.address.is_loopback())
            .then(|| Ipv4Addr::from(u32::from(self.address) | host))
    }

    fn contains(&self, peer: Ipv4Addr) -> bool {
        let mask = u32::from(self.netmask);
        mask != 0 && u32::from(peer) & mask == u32::from(self.address) & mask
    }
}

/// All, loopback too, ordered by address.
pub fn list() -> io::Result<Vec<Interface>> {
    let mut found: Vec<_> = if_addrs::get_if_addrs()?
        .into_iter()
        .filter_map(|interface| match interface.addr {
            if_addrs::IfAddr::V4(v4) => Some(Interface {
                name: interface.name,
                address: v4.ip,
                netmask: v4.netmask,
            }),
            if_addrs::IfAddr::V6(_) => None,
        })
        .collect();
    found.sort_by_key(|interface| (interface.address.is_loopback(), interface.address));
    found.dedup_by_key(|interface| interface.address);
    found.truncate(MAX_INTERFACES);
    Ok(found)
}

/// The interface on whose network `peer` is: the narrowest, when several claim it.
pub fn facing(interfaces: &[Interface], peer: Ipv4Addr) -> Option<&Interface> {
    interfaces
        .iter()
        .filter(|interface| interface.contains(peer))
        .max_by_key(|interface| u32::from(interface.netmask))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interface(address: [u8; 4], netmask: [u8; 4]) -> Interface {
        Interface {
            name: "eth".into(),
            address: address.into(),
            netmask: netmask.into(),
        }
    }

    #[test]
    fn peers_are_reached_through_the_narrowest_network_that_holds_them() {
        let all = [
            interface([10, 0, 0, 2], [255, 0, 0, 0]),
            interface([10, 1, 0, 2], [255, 255, 0, 0]),
            interface([169, 254, 3, 4], [255, 255, 0, 0]),
            interface([0, 0, 0, 0], [0, 0, 0, 0]),
        ];
        let facing = |peer: [u8; 4]| facing(&all, peer.into()).map(|found| found.address);
        assert_eq!(facing([10, 1, 9, 9]), Some([10, 1, 0, 2].into()));
        assert_eq!(facing([10, 2, 9, 9]), Some([10, 0, 0, 2].into()));
        assert_eq!(facing([169, 254, 69, 199]), Some([169, 254, 3, 4].into()));
        assert_eq!(facing([8, 8, 8, 8]), None);
    }

    #[test]
    fn broadcasts_fill_the_host_bits_and_do_not_exist_for_one_peer_or_loopback() {
        let broadcast = |address, mask| interface(address, mask).broadcast();
        let link_local = broadcast([169, 254, 3, 4], [255, 255, 0, 0]);
        assert_eq!(link_local, Some([169, 254, 255, 255].into()));
        let small = broadcast([192, 168, 1, 130], [255, 255, 255, 192]);
        assert_eq!(small, Some([192, 168, 1, 191].into()));
        assert_eq!(broadcast([10, 0, 0, 1], [255, 255, 255, 255]), None);
        assert_eq!(broadcast([10, 0, 0, 1], [255, 255, 255, 254]), None);
        assert_eq!(broadcast([127, 0, 0, 1], [255, 0, 0, 0]), None);
    }

    #[test]
    fn this_machine_has_a_loopback() {
        let all = list().unwrap();
        assert_eq!(
            facing(&all, Ipv4Addr::LOCALHOST).unwrap().address,
            Ipv4Addr::LOCALHOST
        );
    }
}
