//! Downloads from virtual players.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::*;
use crate::virtual_player::{Fault, Script, VirtualConfig, VirtualPlayers};
use crate::{Client, Config, Discovery, Identity, UpdateKind};

const DATABASE: &str = "/DEMO (USB 1)/Engine Library/Database2/m.db";
const COVER: &str = "/DEMO (USB 1)/Engine Library/cover.png";

fn content(length: usize, factor: usize) -> Arc<[u8]> {
    (0..length).map(|at| ((at * factor) >> 3) as u8).collect()
}

async fn stage(chunk: u32) -> (VirtualPlayers, Client, Files) {
    stage_with(chunk, Limits::default()).await
}

async fn stage_with(chunk: u32, limits: Limits) -> (VirtualPlayers, Client, Files) {
    let json = format!(r#"{{"players":[{{"chunk":{chunk}}}]}}"#);
    let files = [
        (DATABASE, content(1_000_003, 7)),
        (COVER, content(50_000, 3)),
    ];
    let players = VirtualPlayers::start(VirtualConfig {
        script: Script::parse(&json).unwrap(),
        discovery: Discovery::on_this_machine(&[]),
        files: files.map(|(path, bytes)| (path.to_owned(), bytes)).into(),
    })
    .unwrap();
    let mut config = Config::new(Identity {
        token: Token::from_random([0x22; 16]),
        source: "test".into(),
        software: "Test".into(),
        version: "0".into(),
    });
    config.discovery = Discovery::on_this_machine(&[players.port()]);
    let (client, mut updates) = Client::start(config).unwrap();
    players.announce_to(SocketAddrV4::new(Ipv4Addr::LOCALHOST, client.port()));
    let device = loop {
        let update = updates.recv().await.unwrap();
        if update.kind == UpdateKind::Connected {
            break update.device;
        }
    };
    // The list of services may still be on its way.
    let place = loop {
        if let Some(place) = client.file_place(device) {
            break place;
        }
        updates.recv().await.unwrap();
    };
    let files = Files::connect(place, limits).await.unwrap();
    (players, client, files)
}

#[tokio::test(start_paused = true)]
async fn files_come_whole_whatever_the_size_of_a_piece() {
    for chunk in [1000, 4096, 32 << 10, 1 << 20] {
        let (_players, _client, files) = stage(chunk).await;
        let mut bytes = Vec::new();
        assert_eq!(
            files.download(DATABASE, 0, &mut bytes).await.unwrap(),
            1_000_003,
            "{chunk}"
        );
        assert!(bytes[..] == content(1_000_003, 7)[..], "pieces of {chunk}");
    }
}

#[tokio::test(start_paused = true)]
async fn several_downloads_at_a_time_do_not_mix() {
    let (_players, _client, files) = stage(4096).await;
    let (mut first, mut second, mut third) = (Vec::new(), Vec::new(), Vec::new());
    let (one, two, three) = tokio::join!(
        files.download(DATABASE, 0, &mut first),
        files.download(COVER, 0, &mut second),
        files.download(COVER, 0, &mut third),
    );
    assert!(one.is_ok() && two.is_ok() && three.is_ok());
    assert!(first[..] == content(1_000_003, 7)[..]);
    assert!(second[..] == content(50_000, 3)[..] && second == third);
}

#[tokio::test(start_paused = true)]
async fn a_download_goes_on_where_it_was_interrupted() {
    let (players, _client, files) = stage(4096).await;
    let mut bytes = Vec::new();
    let cut = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        players.break_now(0, Fault::Reset).await;
    };
    let (result, ()) = tokio::join!(files.download(DATABASE, 0, &mut bytes), cut);
    let interrupted = result.unwrap_err();
    assert!(
        matches!(interrupted.error, FileError::Gone),
        "{interrupted}"
    );
    assert_eq!(interrupted.kept, bytes.len() as u64);
    assert!((300_000..900_000).contains(&bytes.len()), "{}", bytes.len());
    let (_players, _client, files) = stage(4096).await;
    files
        .download(DATABASE, interrupted.kept, &mut bytes)
        .await
        .unwrap();
    assert!(bytes[..] == content(1_000_003, 7)[..]);
}

#[tokio::test(start_paused = true)]
async fn downloads_keep_to_their_rate() {
    let limits = Limits {
        bytes_per_sec: 100_000,
        ..Limits::default()
    };
    let (_players, _client, files) = stage_with(4096, limits).await;
    let began = Instant::now();
    files.download(DATABASE, 0, &mut Vec::new()).await.unwrap();
    let took = began.elapsed().as_secs_f64();
    assert!((9.9..10.5).contains(&took), "{took}");
}

#[tokio::test(start_paused = true)]
async fn folders_are_listed_and_what_is_missing_is_said_to_be() {
    let limits = Limits {
        max_bytes: 60_000,
        ..Limits::default()
    };
    let (_players, _client, files) = stage_with(4096, limits).await;
    assert_eq!(files.sources().await.unwrap(), ["DEMO (USB 1)"]);
    assert_eq!(
        files.list("/DEMO (USB 1)/Engine Library").await.unwrap(),
        ["Database2", "cover.png"]
    );
    let stat = files.stat(DATABASE).await.unwrap();
    assert!(stat.exists && !stat.is_folder && stat.size == 1_000_003);
    assert!(files.stat("/DEMO (USB 1)").await.unwrap().is_folder);
    assert!(!files.stat("/else").await.unwrap().exists);
    let error = async |path| {
        files
            .download(path, 0, &mut Vec::new())
            .await
            .unwrap_err()
            .error
    };
    assert!(matches!(error("/else").await, FileError::Missing));
    assert!(matches!(
        error(DATABASE).await,
        FileError::TooLarge {
            size: 1_000_003,
            ..
        }
    ));
    let paths: BTreeMap<_, _> = [(COVER, 50_000)].into();
    for (path, size) in paths {
        assert_eq!(
            files.download(path, 0, &mut Vec::new()).await.unwrap(),
            size
        );
    }
}
