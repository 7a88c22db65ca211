//! What a session listens to: the network, virtual players on this machine, or a recording.

use super::apply::Time;
use super::command::{Listen, Source};
use super::run::{DecksNews, Surroundings};
use super::tape::{Tally, replay};
use super::{fetch, scripts};
use crate::failure::{Failure, FailureKind};
use stagelinq::virtual_player::{VirtualConfig, VirtualPlayers};
use stagelinq::{Client, Config, Discovery, Identity, Token, Update};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tokio::time::Instant;

/// Where updates come from, and what has to live as long.
pub(super) struct Line {
    pub(super) client: Option<Client>,
    pub(super) players: Option<VirtualPlayers>,
    pub(super) tally: Option<Arc<Tally>>,
    pub(super) simulated: Option<Arc<str>>,
    pub(super) updates: mpsc::Receiver<Update>,
    pub(super) time: Time,
}

pub(super) async fn open(surroundings: &Surroundings, listen: &Listen) -> Result<Line, Failure> {
    if let Source::Replay { file, rate } = &listen.from {
        let replay = replay(file, *rate).await?;
        return Ok(Line {
            client: None,
            players: None,
            tally: Some(replay.tally),
            simulated: None,
            updates: replay.updates,
            time: Time {
                epoch: Instant::now().into_std(),
                rate: *rate,
            },
        });
    }
    let mut config = Config::new(Identity {
        token: own_token(surroundings)?,
        source: "tonearm".to_owned(),
        software: "Tonearm".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    });
    let (players, simulated) = match &listen.from {
        Source::Network | Source::Replay { .. } => {
            if let Some(interface) = listen.interface {
                config.discovery = config.discovery.only_on(interface);
            }
            (None, None)
        }
        Source::Simulation(name) => {
            let players = simulate(name.clone()).await?;
            config.discovery = Discovery::on_this_machine(&[players.port()]);
            (Some(players), Some(Arc::from(name.as_str())))
        }
    };
    let (client, updates) = Client::start(config).map_err(|error| {
        Failure::new(
            FailureKind::Unreadable,
            error.to_string(),
            "Close other programs that listen to players, such as Engine DJ or SoundSwitch, and start again",
        )
    })?;
    if let Some(players) = &players {
        players.announce_to(SocketAddrV4::new(Ipv4Addr::LOCALHOST, client.port()));
    }
    Ok(Line {
        time: Time {
            epoch: client.epoch(),
            rate: 1.0,
        },
        client: Some(client),
        players,
        tally: None,
        simulated,
        updates,
    })
}

/// The one that was kept, or a new one to be kept.
fn own_token(surroundings: &Surroundings) -> Result<Token, Failure> {
    let kept = surroundings.token.map(Token);
    if let Some(token) = kept.filter(|token| token.suits_client()) {
        return Ok(token);
    }
    let token = Token::random()
        .map_err(|error| Failure::new(FailureKind::Bug, error.to_string(), "Try again"))?;
    (surroundings.tell)(DecksNews::Token(token.0));
    Ok(token)
}

/// Starts virtual players on this machine. What they have on their media is read and made elsewhere: it takes a while.
async fn simulate(name: String) -> Result<VirtualPlayers, Failure> {
    let made = spawn_blocking(move || {
        let script = scripts::load(&name)?;
        Ok((scripts::media(&name, &script), script))
    });
    let made = made
        .await
        .unwrap_or_else(|error| Err(fetch::broken(&error)));
    let (files, script) = made?;
    VirtualPlayers::start(VirtualConfig {
        files,
        script,
        discovery: Discovery::on_this_machine(&[]),
    })
    .map_err(|error| scripts::refused(error.to_string()))
}
