//! Virtual players for other programs, on a thread of their own: `simulate-decks`.

use super::scripts;
use crate::failure::{Failure, FailureKind};
use serde::Serialize;
use stagelinq::virtual_player::{
    Fault, Happened, Happening, Script, VirtualConfig, VirtualPlayers,
};
use stagelinq::{Discovery, Identity};
use std::net::Ipv4Addr;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::sync::oneshot;

/// Happenings that may wait; more are left out.
const WAITING: usize = 1024;

/// Running virtual players. Dropping them says goodbye.
#[derive(Debug)]
pub struct Rehearsal {
    pub players: Vec<PlayerDocument>,
    happenings: Receiver<Document>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// A virtual player.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlayerDocument {
    pub token: String,
    pub name: String,
    pub model: String,
    pub player: u8,
    pub decks: u8,
}

/// What a virtual player heard or did.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Document {
    /// Seconds since the start of the script.
    pub seconds: f64,
    /// `heard`, `goodbye`, `powered_on`, `called`, `refused`, `ended`, `subscribed`, `wrote`, `loaded`, `broke`.
    pub event: &'static str,
    /// The name of the player, where it is about one.
    pub player: Option<String>,
    /// Of a client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<ClientDocument>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// `DirectoryService`, `StateMap`, …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// Values subscribed to over one connection so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub values: Option<usize>,
    /// Why, which path, which title, which fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub what: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClientDocument {
    pub token: String,
    pub name: String,
    pub software: String,
    pub version: String,
}

impl Rehearsal {
    /// Plays a ready script by name, or one of a file. `bind`: only on the network with this address; loopback alone
    /// has no broadcast, so nobody hears players there.
    pub fn start(script: &str, bind: Option<Ipv4Addr>) -> Result<Self, Failure> {
        let name = script;
        let script = scripts::load(name)?;
        let files = scripts::media(name, &script);
        let mut discovery = Discovery::default();
        if let Some(bind) = bind {
            discovery = discovery.only_on(bind);
        }
        let config = VirtualConfig {
            script: script.clone(),
            discovery,
            files,
        };
        let (tell, happenings) = sync_channel(WAITING);
        let (started, start) = sync_channel(1);
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name("rehearsal".to_owned())
            .spawn(move || run(config, &started, stopped, &tell))
            .map_err(|error| Failure::from_io(&error))?;
        let tokens = start.recv().unwrap_or_else(|_ended| {
            Err(Failure::new(
                FailureKind::Bug,
                "the virtual players broke down",
                "Report it",
            ))
        })?;
        let players = script.players.iter().zip(tokens);
        Ok(Self {
            players: players
                .map(|(spec, token)| PlayerDocument {
                    token,
                    name: spec.name.clone(),
                    model: spec.model.clone(),
                    player: spec.player,
                    decks: spec.decks,
                })
                .collect(),
            happenings,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// The next thing that happens within `patience`.
    pub fn next(&self, patience: Duration) -> Option<Document> {
        match self.happenings.recv_timeout(patience) {
            Ok(document) => Some(document),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => {
                std::thread::sleep(patience);
                None
            }
        }
    }
}

impl Drop for Rehearsal {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the virtual players broke down");
        }
    }
}

fn run(
    config: VirtualConfig,
    started: &SyncSender<Result<Vec<String>, Failure>>,
    stopped: oneshot::Receiver<()>,
    tell: &SyncSender<Document>,
) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return drop(started.send(Err(Failure::from_io(&error)))),
    };
    runtime.block_on(async {
        let names: Vec<String> = names(&config.script);
        let (sender, mut happenings) = mpsc::channel(WAITING);
        let players = match VirtualPlayers::start_told(config, Some(sender)) {
            Ok(players) => players,
            Err(error) => return drop(started.send(Err(scripts::refused(error.to_string())))),
        };
        let tokens = (0..names.len()).filter_map(|index| players.token(index));
        drop(started.send(Ok(tokens.map(|token| token.to_string()).collect())));
        tokio::pin!(stopped);
        loop {
            tokio::select! {
                _ = &mut stopped => break,
                Some(happening) = happenings.recv() => {
                    // Left out where nobody takes it in time.
                    drop(tell.try_send(Document::new(happening, &names)));
                }
            }
        }
        players.close().await;
    });
}

fn names(script: &Script) -> Vec<String> {
    let players = script.players.iter();
    players.map(|player| player.name.clone()).collect()
}

impl Document {
    fn new(happening: Happening, names: &[String]) -> Self {
        let mut document = Self {
            seconds: (happening.at.as_secs_f64() * 1e3).round() / 1e3,
            event: "",
            player: happening.player.and_then(|index| names.get(index)).cloned(),
            client: None,
            address: None,
            service: None,
            port: None,
            values: None,
            what: None,
        };
        document.event = match happening.what {
            Happened::Heard { identity, address } => {
                document.client = Some(identity.into());
                document.address = Some(address.to_string());
                "heard"
            }
            Happened::Goodbye { identity, address } => {
                document.client = Some(identity.into());
                document.address = Some(address.to_string());
                "goodbye"
            }
            Happened::PoweredOn { port } => {
                document.port = Some(port);
                "powered_on"
            }
            Happened::Called { service, address } => {
                document.service = Some(service);
                document.address = Some(address.to_string());
                "called"
            }
            Happened::Refused { address } => {
                document.address = Some(address.to_string());
                "refused"
            }
            Happened::Ended { service, reason } => {
                document.service = Some(service);
                document.what = Some(reason);
                "ended"
            }
            Happened::Subscribed { values } => {
                document.values = Some(values);
                "subscribed"
            }
            Happened::Wrote { path } => {
                document.what = Some(path);
                "wrote"
            }
            Happened::Loaded { title } => {
                document.what = Some(title);
                "loaded"
            }
            Happened::Broke(fault) => {
                document.what = Some(words(fault));
                "broke"
            }
        };
        document
    }
}

fn words(fault: Fault) -> String {
    match fault {
        Fault::Restart { secs } => format!("restart, away for {secs} s"),
        Fault::PowerCut { secs } => format!("power cut for {secs} s"),
        Fault::Reset => "all connections reset".to_owned(),
        Fault::HalfFrame => "half a frame, then nothing".to_owned(),
        Fault::Oversize => "a frame of 2 GiB".to_owned(),
        Fault::LoneSurrogate => "text that is no text".to_owned(),
        Fault::NullString => "a null string".to_owned(),
    }
}

impl From<Identity> for ClientDocument {
    fn from(identity: Identity) -> Self {
        Self {
            token: identity.token.to_string(),
            name: identity.source,
            software: identity.software,
            version: identity.version,
        }
    }
}
