//! Announcers that come, go, move, lie and flood.

use super::*;

const HOME: Ipv4Addr = Ipv4Addr::new(169, 254, 1, 1);
const PLAYER: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(169, 254, 69, 199), 51337);

fn identity(token: u8, software: &str) -> Identity {
    Identity {
        token: Token([token; 16]),
        source: "sc6000".into(),
        software: software.into(),
        version: "2.3.1".into(),
    }
}

fn datagram(token: u8, software: &str, port: u16, action: Action) -> Vec<u8> {
    let identity = identity(token, software);
    Announcement {
        identity,
        action,
        port,
    }
    .encode()
}

fn howdy(token: u8, port: u16) -> Vec<u8> {
    datagram(token, "JP13", port, Action::Present)
}

fn roster() -> Roster {
    Roster::new(&identity(1, "Tonearm"))
}

fn secs(secs: f64) -> Duration {
    Duration::from_secs_f64(secs)
}

#[test]
fn a_player_appears_once_moves_on_a_new_port_and_leaves_with_a_goodbye() {
    let mut roster = roster();
    let mut say = |bytes: &[u8], at| roster.handle(bytes, PLAYER, HOME, secs(at)).unwrap();
    let Some(Change::Appeared(device)) = say(&howdy(9, 4000), 0.0) else {
        panic!("not seen");
    };
    assert_eq!(device.address, SocketAddrV4::new(*PLAYER.ip(), 4000));
    assert_eq!(device.interface, HOME);
    assert_eq!(say(&howdy(9, 4000), 1.0), None);
    assert!(
        matches!(say(&howdy(9, 4001), 2.0), Some(Change::Moved(device)) if device.address.port() == 4001)
    );
    let exit = datagram(9, "JP13", 4001, Action::Leaving);
    assert_eq!(
        say(&exit, 3.0),
        Some(Change::Left(Token([9; 16]), Departure::Goodbye))
    );
    assert_eq!(say(&exit, 3.1), None);
}

#[test]
fn silence_makes_a_player_leave_after_five_seconds_and_not_before() {
    let mut roster = roster();
    roster
        .handle(&howdy(9, 4000), PLAYER, HOME, secs(1.0))
        .unwrap();
    assert!(roster.expire(secs(5.9)).is_empty());
    assert_eq!(
        roster.expire(secs(6.1)),
        [Change::Left(Token([9; 16]), Departure::Silence)]
    );
    assert_eq!(roster.sightings().count(), 0);
}

#[test]
fn everybody_else_is_ignored_for_a_reason() {
    let cases = [
        (1, "Other", 5, Ignored::Ourselves),
        (2, "Tonearm", 5, Ignored::SameProgram),
        (3, "OfflineAnalyzer", 5, Ignored::Analyzer),
        (4, "JM08", 50010, Ignored::Mixer),
        (5, "JC20", 5, Ignored::Controller),
        (6, "SoundSwitchEmbedded", 5, Ignored::Lighting),
        (7, "Resolume Arena", 5, Ignored::Video),
        (8, "nowplaying", 5, Ignored::Listener),
        (9, "JP13", 0, Ignored::NoPort),
        (10, "Something", 0, Ignored::NoPort),
    ];
    let mut roster = roster();
    for (token, software, port, reason) in cases {
        let bytes = datagram(token, software, port, Action::Present);
        assert_eq!(
            roster.handle(&bytes, PLAYER, HOME, secs(0.0)),
            Ok(None),
            "{software}"
        );
        let seen = roster
            .sightings()
            .find(|seen| seen.device.identity.token == Token([token; 16]));
        assert_eq!(seen.unwrap().ignored, Some(reason), "{software}");
        assert_eq!(roster.device(Token([token; 16])), None);
    }
}

#[test]
fn two_machines_with_one_token_are_a_clash_but_two_cables_are_not() {
    let mut roster = roster();
    let other = SocketAddrV4::new(Ipv4Addr::new(169, 254, 7, 7), 9);
    let cable = Ipv4Addr::new(192, 168, 0, 2);
    let second = SocketAddrV4::new(Ipv4Addr::new(192, 168, 0, 9), 9);
    roster
        .handle(&howdy(9, 4000), PLAYER, HOME, secs(0.0))
        .unwrap();
    assert_eq!(
        roster.handle(&howdy(9, 4000), second, cable, secs(0.1)),
        Ok(None)
    );
    assert_eq!(
        roster.handle(&howdy(9, 5000), other, HOME, secs(0.2)),
        Ok(Some(Change::Clash(
            Token([9; 16]),
            [*PLAYER.ip(), *other.ip()]
        )))
    );
    assert_eq!(
        roster.handle(&howdy(9, 5000), other, HOME, secs(1.2)),
        Ok(None),
        "told once"
    );
    // The first cable is pulled: the other one takes over.
    assert!(matches!(
        roster.handle(&howdy(9, 4000), second, cable, secs(3.0)),
        Ok(Some(Change::Moved(_)))
    ));
}

#[test]
fn a_goodbye_counts_only_from_whoever_announced() {
    let mut roster = roster();
    roster
        .handle(&howdy(9, 4000), PLAYER, HOME, secs(0.0))
        .unwrap();
    let liar = SocketAddrV4::new(Ipv4Addr::new(169, 254, 7, 7), 9);
    let exit = datagram(9, "JP13", 4000, Action::Leaving);
    assert_eq!(roster.handle(&exit, liar, HOME, secs(0.1)), Ok(None));
    assert!(roster.device(Token([9; 16])).is_some());
}

#[test]
fn floods_are_counted_and_leave_room_for_players() {
    let mut roster = roster();
    let liar = SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, 1), 1);
    for token in 20..=255 {
        roster
            .handle(&howdy(token, 1), liar, HOME, secs(0.0))
            .unwrap();
    }
    assert_eq!(roster.sightings().count(), MAX_PER_ADDRESS);
    assert!(roster.refused().flood > 100);
    assert!(roster.refused().crowd > 10);
    assert!(matches!(
        roster.handle(&howdy(9, 4000), PLAYER, HOME, secs(0.0)),
        Ok(Some(Change::Appeared(_)))
    ));
    assert!(roster.handle(b"noise", PLAYER, HOME, secs(0.0)).is_err());
    assert_eq!(roster.refused().malformed, 1);
}
