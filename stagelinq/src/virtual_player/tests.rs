//! Client against virtual players over real sockets on this machine, with time that jumps ahead
//! whenever everybody waits.

use super::*;
use crate::client::{Client, Config, Lost, Update, UpdateKind};
use crate::clock::{DeckClock, UnitClock};
use crate::doctor::{Advice, Stage as ConnectionStage};
use crate::identity::Identity;
use crate::path::{Deck, DeckPath, StatePath, UnitPath};
use crate::roster::Ignored;
use crate::session::End;
use crate::wire::broadcast::Broadcast;
use crate::wire::state_map::Value;

const TRACKS: &str = r#""tracks": {
    "a": { "title": "First", "artist": "Somebody", "bpm": 124, "secs": 300, "library": ["d1682bab", "44"] },
    "b": { "title": "Second", "artist": "Somebody else", "bpm": 90 } }"#;

fn identity() -> Identity {
    Identity {
        token: Token::from_random([0x11; 16]),
        source: "test".into(),
        software: "Test".into(),
        version: "0".into(),
    }
}

struct Scene {
    players: VirtualPlayers,
    client: Client,
    updates: mpsc::Receiver<Update>,
}

impl Scene {
    fn new(players: &str, events: &str) -> Self {
        let json = format!(r#"{{"players":[{players}],{TRACKS},"events":[{events}]}}"#);
        let players = VirtualPlayers::start(VirtualConfig {
            script: Script::parse(&json).unwrap(),
            discovery: Discovery::on_this_machine(&[]),
            files: BTreeMap::new(),
        })
        .unwrap();
        let mut config = Config::new(identity());
        config.discovery = Discovery::on_this_machine(&[players.port()]);
        let (client, updates) = Client::start(config).unwrap();
        let here = SocketAddrV4::new(Ipv4Addr::LOCALHOST, client.port());
        players.announce_to(here);
        Self {
            players,
            client,
            updates,
        }
    }

    /// Updates until one is `wanted`, which is the last; positions are left out.
    async fn until(&mut self, wanted: impl Fn(&Update) -> bool) -> Vec<Update> {
        let mut all = Vec::new();
        let waiting = async {
            while let Some(update) = self.updates.recv().await {
                let is_last = wanted(&update);
                if is_last || !matches!(update.kind, UpdateKind::Beats(_)) {
                    all.push(update);
                }
                if is_last {
                    return;
                }
            }
        };
        let in_time = timeout(Duration::from_mins(1), waiting).await.is_ok();
        assert!(in_time, "not in a minute; last: {:?}", all.last());
        all
    }

    async fn until_complete(&mut self) -> Vec<Update> {
        // The last subscription that a virtual player knows.
        let last = StatePath::Unit(UnitPath::HasUsb);
        self.until(|update| matches!(&update.kind, UpdateKind::State { path, .. } if *path == last))
            .await
    }

    async fn until_lost(&mut self) -> (Duration, Lost) {
        let all = self
            .until(|update| matches!(update.kind, UpdateKind::Lost(_)))
            .await;
        match all.last() {
            Some(Update {
                at,
                kind: UpdateKind::Lost(lost),
                ..
            }) => (*at, lost.clone()),
            other => panic!("{other:?}"),
        }
    }

    async fn fault(&self, fault: Fault) {
        assert!(self.players.break_now(0, fault).await);
    }
}

fn value(updates: &[Update], path: &StatePath) -> Option<Value> {
    let values = updates
        .iter()
        .rev()
        .filter_map(|update| match &update.kind {
            UpdateKind::State { path: told, value } if told == path => Some(value.clone()),
            _ => None,
        });
    values.into_iter().next()
}

const PLAYING: &str = r#"{"at":0,"act":{"load":"a"}}, {"at":0.1,"act":"play"}"#;

#[tokio::test(start_paused = true)]
async fn decks_are_complete_half_a_second_after_the_first_announcement() {
    for player in [
        "{}",
        r#"{"split":3}"#,
        r#"{"split":1,"subscribes":false,"model":"JC11","decks":4}"#,
    ] {
        let mut scene = Scene::new(player, PLAYING);
        let updates = scene.until_complete().await;
        let first = updates.first().unwrap();
        assert!(matches!(first.kind, UpdateKind::Appeared(_)), "{first:?}");
        let took = updates.last().unwrap().at.saturating_sub(first.at);
        assert!(took <= Duration::from_millis(500), "{took:?}");
        for (path, wanted) in [
            (DeckPath::SongName, Value::Text("First".into())),
            (DeckPath::SongLoaded, Value::Flag(true)),
            (DeckPath::TrackLength, Value::Number(300.0 * 44_100.0)),
        ] {
            assert_eq!(value(&updates, &path.on(Deck::One)), Some(wanted));
        }
        assert_eq!(
            value(&updates, &DeckPath::SongName.on(Deck::Two)),
            Some(Value::Text(String::new()))
        );
        let counts = scene.players.counts();
        assert_eq!((counts.writes, counts.calls), (0, 1));
        assert_eq!(counts.subscriptions, 142);
        sleep(Duration::from_secs(2)).await;
        let health = scene.client.health();
        let ignored = health
            .sightings
            .iter()
            .filter(|seen| seen.ignored == Some(Ignored::Analyzer));
        assert_eq!(ignored.count(), 2);
        let connection = health.connections.values().next().unwrap();
        assert_eq!(connection.stage, ConnectionStage::Ready);
        assert!(connection.services.contains_key("FileTransfer"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_player_restarted_on_new_ports_is_back_within_three_seconds() {
    let mut scene = Scene::new("{}", PLAYING);
    scene.until_complete().await;
    scene.fault(Fault::Restart { secs: 2.0 }).await;
    let (lost, _) = scene.until_lost().await;
    let back = scene.until_complete().await.last().unwrap().at;
    let took = back.saturating_sub(lost + Duration::from_secs(2));
    assert!(took <= Duration::from_secs(3), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_power_cut_is_noticed_within_eight_seconds_and_the_player_comes_back() {
    let mut scene = Scene::new("{}", PLAYING);
    scene.until_complete().await;
    let before = scene.players.elapsed();
    scene.fault(Fault::PowerCut { secs: 20.0 }).await;
    let (at, lost) = scene.until_lost().await;
    let offset = scene.client.epoch().duration_since(scene.players.epoch());
    let took = (at + offset).saturating_sub(before);
    assert_eq!(lost, Lost::Ended(End::Silent));
    assert!(took <= Duration::from_secs(8), "{took:?}");
    let back = scene.until_complete().await.last().unwrap().at;
    let took = (back + offset).saturating_sub(before + Duration::from_secs(20));
    assert!(took <= Duration::from_secs(3), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_reset_is_lost_and_called_again() {
    let mut scene = Scene::new("{}", PLAYING);
    scene.until_complete().await;
    scene.fault(Fault::Reset).await;
    assert_eq!(scene.until_lost().await.1, Lost::Ended(End::HungUp));
    scene.until_complete().await;
}

#[tokio::test(start_paused = true)]
async fn damaged_text_is_a_value_and_a_damaged_stream_is_called_again() {
    let mut scene = Scene::new("{}", PLAYING);
    scene.until_complete().await;
    let title = DeckPath::SongName.on(Deck::One);
    let is_title =
        |update: &Update| matches!(&update.kind, UpdateKind::State { path, .. } if *path == title);
    scene.fault(Fault::LoneSurrogate).await;
    let told = scene.until(is_title).await;
    assert_eq!(value(&told, &title), Some(Value::Text("A\u{fffd}B".into())));
    scene.fault(Fault::NullString).await;
    assert_eq!(
        value(&scene.until(is_title).await, &title),
        Some(Value::Nothing)
    );
    scene.fault(Fault::Oversize).await;
    assert!(matches!(
        scene.until_lost().await.1,
        Lost::Ended(End::Nonsense(_))
    ));
    scene.until_complete().await;
}

#[tokio::test(start_paused = true)]
async fn half_a_frame_stops_the_values_and_not_the_positions() {
    let mut scene = Scene::new("{}", PLAYING);
    scene.until_complete().await;
    scene.fault(Fault::HalfFrame).await;
    for _ in 0..100 {
        let last = scene
            .until(|update| matches!(update.kind, UpdateKind::Beats(_) | UpdateKind::Lost(_)))
            .await;
        assert!(matches!(last.last().unwrap().kind, UpdateKind::Beats(_)));
    }
    scene.fault(Fault::Restart { secs: 0.1 }).await;
    scene.until_complete().await;
}

#[tokio::test(start_paused = true)]
async fn two_players_with_one_number_stay_two() {
    let mut scene = Scene::new(
        r#"{}, {"name":"other"}"#,
        r#"{"at":0,"act":{"load":"a"}}, {"at":0,"player":1,"act":{"load":"b"}}"#,
    );
    let mut titles = BTreeMap::new();
    let mut numbers = BTreeMap::new();
    while titles.len() < 2 || numbers.len() < 2 {
        let update = timeout(Duration::from_secs(9), scene.updates.recv())
            .await
            .unwrap()
            .unwrap();
        if let UpdateKind::State { path, value } = update.kind {
            if path == DeckPath::SongName.on(Deck::One) {
                titles.insert(update.device, value);
            } else if path == StatePath::Unit(UnitPath::Player) {
                numbers.insert(update.device, value);
            }
        }
    }
    let titles: Vec<_> = titles.into_iter().collect();
    let wanted = [(0, "First"), (1, "Second")].map(|(player, title)| {
        (
            scene.players.token(player).unwrap(),
            Value::Text(title.into()),
        )
    });
    assert_eq!(titles, wanted);
    assert!(
        numbers
            .values()
            .all(|number| *number == Value::Text("1".into()))
    );
}

#[tokio::test(start_paused = true)]
async fn a_goodbye_is_heard_on_both_sides_and_loads_are_broadcast() {
    let mut scene = Scene::new("{}", r#"{"at":5,"act":{"load":"a"}}"#);
    let told = scene
        .until(|update| matches!(update.kind, UpdateKind::Broadcast(_)))
        .await;
    let news = Broadcast::TrackChanged {
        database: "d1682bab".into(),
        track: "44".into(),
    };
    assert_eq!(told.last().unwrap().kind, UpdateKind::Broadcast(news));
    let Scene {
        players,
        client,
        mut updates,
    } = scene;
    players.close().await;
    while let Some(update) = updates.recv().await {
        if let UpdateKind::Lost(lost) = update.kind {
            assert_eq!(lost, Lost::Goodbye);
            break;
        }
    }
    client.close().await;
    assert!(updates.recv().await.is_none(), "nothing runs any more");
}

#[tokio::test(start_paused = true)]
async fn a_strict_player_refuses_who_was_not_heard_and_the_doctor_says_so() {
    let players = VirtualPlayers::start(VirtualConfig {
        script: Script::parse(r#"{"players":[{}]}"#).unwrap(),
        discovery: Discovery::on_this_machine(&[]),
        files: BTreeMap::new(),
    })
    .unwrap();
    let mut config = Config::new(identity());
    config.discovery = Discovery::on_this_machine(&[]);
    let (client, mut updates) = Client::start(config).unwrap();
    players.announce_to(SocketAddrV4::new(Ipv4Addr::LOCALHOST, client.port()));
    let changed = timeout(Duration::from_mins(1), async {
        while let Some(update) = updates.recv().await {
            if let UpdateKind::TokenChanged(token) = update.kind {
                return token;
            }
        }
        panic!("ended");
    });
    let token = changed.await.unwrap();
    assert!(token.suits_client() && token != identity().token);
    assert_eq!(players.counts().calls, 0);
    assert!(players.counts().refused >= 3);
    sleep(Duration::from_secs(20)).await;
    let advice = client.health().advice();
    assert!(
        advice.contains(&Advice::Refuses("sc6000".into())),
        "{advice:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn positions_over_sockets_are_shown_within_five_milliseconds_of_the_truth() {
    for (player, least_jitter) in [("{}", 0.0), (r#"{"jitter_ms":11.4}"#, 0.002)] {
        positions_are_shown_well(player, least_jitter).await;
    }
}

/// `least_jitter`: what the client has to have met, seconds.
async fn positions_are_shown_well(player: &str, least_jitter: f64) {
    let events = r#"{"at":0,"act":{"load":"a"}}, {"at":1,"act":"play"}, {"at":9,"act":{"pitch":1.08}},
        {"at":15,"act":{"seek":100}}, {"at":20,"act":{"loop":2}}, {"at":27,"act":"end_loop"}"#;
    let jumps = [
        1.0,
        9.0,
        15.0,
        22.0 - 2.0 + 2.0 / 1.08,
        20.0 + 4.0 / 1.08,
        20.0 + 6.0 / 1.08,
        27.0,
    ];
    let mut scene = Scene::new(player, events);
    let (mut unit, mut deck) = (UnitClock::default(), DeckClock::default());
    let offset = scene.client.epoch().duration_since(scene.players.epoch());
    let (mut errors, mut after_jumps) = (Vec::new(), Vec::new());
    loop {
        let update = timeout(Duration::from_secs(9), scene.updates.recv())
            .await
            .unwrap()
            .unwrap();
        if update.at > Duration::from_secs(30) {
            break;
        }
        let UpdateKind::Beats(frame) = update.kind else {
            continue;
        };
        // What was shown right before the frame came, when it was oldest.
        let script_secs = (update.at + offset).as_secs_f64();
        let shown = unit
            .device_time(update.at)
            .and_then(|device| deck.at(device));
        let truth = scene.players.show(0).unwrap().at(0, script_secs).unwrap();
        let since = |jump: &f64| script_secs - jump;
        let is_calm = jumps.iter().all(|jump| !(0.0..0.1).contains(&since(jump)));
        let is_after = jumps.iter().any(|jump| (0.1..0.2).contains(&since(jump)));
        if let Some(shown) = shown
            && is_calm
        {
            let error = (shown.position_secs - truth.position_secs).abs();
            errors.push(error);
            after_jumps.extend(is_after.then_some(error));
        }
        if let Some(device) = unit.frame(frame.clock_ns, update.at) {
            deck.frame(device, &frame.decks[0], 44_100.0);
        }
    }
    errors.sort_by(f64::total_cmp);
    let p99 = errors[errors.len() * 99 / 100];
    assert!(
        errors.len() > 500 && p99 <= 0.005,
        "{player}: {} frames, p99 {p99}",
        errors.len()
    );
    let worst = after_jumps.iter().copied().fold(0.0, f64::max);
    assert!(
        after_jumps.len() >= jumps.len() && worst <= 0.020,
        "{player}: {worst} after jumps"
    );
    assert!(unit.jitter() >= least_jitter, "{player}: {}", unit.jitter());
    let health = scene.client.health();
    let connection = health.connections.values().next().unwrap();
    assert!(
        (24.0..32.0).contains(&connection.frames_per_sec),
        "{}",
        connection.frames_per_sec
    );
    assert!(connection.round_trip.is_some());
    assert_eq!(health.advice(), []);
}

/// A player that has heard of a directory at `port`.
async fn dialling(port: u16) -> (VirtualPlayers, UdpSocket) {
    let json = format!(
        r#"{{"players":[{{"dials":true}}],{TRACKS},"events":[{{"at":0,"act":{{"load":"a"}}}}]}}"#
    );
    let players = VirtualPlayers::start(VirtualConfig {
        script: Script::parse(&json).unwrap(),
        discovery: Discovery::on_this_machine(&[]),
        files: BTreeMap::new(),
    })
    .unwrap();
    let howdy = Announcement {
        identity: identity(),
        action: Action::Present,
        port,
    };
    let speaker = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let place = (Ipv4Addr::LOCALHOST, players.port());
    speaker.send_to(&howdy.encode(), place).await.unwrap();
    (players, speaker)
}

/// What a client that is called has to do: answer the directory, and subscribe over the connection that comes.
#[tokio::test(start_paused = true)]
async fn a_player_that_dials_serves_its_values_over_its_own_calls() {
    use crate::wire::Frames;
    use crate::wire::directory::{Directory, DirectoryStream};
    use crate::wire::state_map::StateMap;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    let directory = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let values = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (players, _speaker) = dialling(directory.local_addr().unwrap().port()).await;
    let (mut main, _) = directory.accept().await.unwrap();
    let mut buffer = vec![0; 4096];
    let length = main.read(&mut buffer).await.unwrap();
    let mut stream = DirectoryStream::default();
    stream.push(&buffer[..length]);
    let asks = stream.next().unwrap();
    assert_eq!(
        asks,
        players.token(0).map(|token| Directory::Request { token })
    );
    let offer = Directory::Service {
        token: identity().token,
        service: "StateMap".to_owned(),
        port: values.local_addr().unwrap().port(),
    };
    main.write_all(&offer.encode()).await.unwrap();

    let (mut line, _) = values.accept().await.unwrap();
    let path = DeckPath::SongName.on(Deck::One).to_string();
    let wish = StateMap::Subscribe {
        path: path.clone(),
        interval_ms: 0,
    };
    line.write_all(&wish.encode()).await.unwrap();
    let mut hello = DirectoryStream::default();
    let mut frames = Frames::new(1 << 16);
    let mut greeted = false;
    loop {
        let length = line.read(&mut buffer).await.unwrap();
        assert!(length > 0, "the player hung up");
        if greeted {
            frames.push(&buffer[..length]);
        } else {
            hello.push(&buffer[..length]);
            let Some(message) = hello.next().unwrap() else {
                continue;
            };
            assert!(matches!(message, Directory::Service { service, .. } if service == "StateMap"));
            greeted = true;
            frames.push(&std::mem::take(&mut hello).into_rest());
        }
        while let Some(frame) = frames.next().unwrap() {
            if let StateMap::Emit { path: told, json } = StateMap::decode(frame).unwrap() {
                assert_eq!(told, path);
                assert_eq!(Value::parse(json.as_deref()).as_text(), Some("First"));
                return;
            }
        }
    }
}
