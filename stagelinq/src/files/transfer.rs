//! The task that owns a connection to a player's files and gives each reply to its transaction.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;
use tokio::time::timeout;

use super::{FileError, FilePlace, Order};
use crate::net::tcp;
use crate::wire::directory::Directory;
use crate::wire::file_transfer::{Reply, Request};
use crate::wire::{Frames, MAX_FILE_FRAME};

/// To connect, and to get rid of a request.
const LIMIT: Duration = Duration::from_secs(5);
/// Transactions at a time.
const MAX_TALKS: usize = 64;
/// A player that asks for our sources.
const LIST: u32 = 0x7d2;
/// The answer to "how are things".
const STATUS: u32 = 0x7d8;

/// A connection.
pub(super) struct Line {
    stream: TcpStream,
    frames: Frames,
    talks: BTreeMap<u32, mpsc::Sender<Reply>>,
}

impl Line {
    pub(super) async fn connect(place: FilePlace) -> Result<Self, FileError> {
        let mut stream = tcp::connect(place.interface, place.address, LIMIT).await?;
        let hello = Directory::Service {
            token: place.own,
            service: "FileTransfer".to_owned(),
            port: stream.local_addr()?.port(),
        };
        stream.write_all(&hello.encode()).await?;
        Ok(Self {
            stream,
            frames: Frames::new(MAX_FILE_FRAME),
            talks: BTreeMap::new(),
        })
    }

    /// Until nobody orders any more, or the connection ends; then all transactions end too.
    pub(super) async fn run(mut self, mut orders: mpsc::Receiver<Order>) {
        let mut buffer = vec![0; 64 << 10];
        loop {
            let result = tokio::select! {
                length = self.stream.read(&mut buffer) => match length {
                    Ok(length @ 1..) => {
                        self.frames.push(buffer.get(..length).unwrap_or_default());
                        self.give().await
                    }
                    Ok(0) => return,
                    Err(error) => Err(error),
                },
                order = orders.recv() => match order {
                    Some(order) => self.obey(order).await,
                    None => return,
                },
            };
            if let Err(error) = result {
                tracing::debug!(%error, "a connection to files ends");
                return;
            }
        }
    }

    async fn obey(&mut self, order: Order) -> io::Result<()> {
        match order {
            Order::Start(transaction, bytes, sender) => {
                // Dropping the sender ends the transaction.
                if self.talks.len() < MAX_TALKS {
                    self.talks.insert(transaction, sender);
                    self.write(&bytes).await?;
                }
                Ok(())
            }
            Order::Send(bytes) => self.write(&bytes).await,
            Order::End(transaction, bytes) => {
                self.talks.remove(&transaction);
                self.write(&bytes).await
            }
        }
    }

    async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        timeout(LIMIT, self.stream.write_all(bytes))
            .await
            .map_err(|_elapsed| io::Error::from(io::ErrorKind::TimedOut))?
    }

    async fn give(&mut self) -> io::Result<()> {
        let nonsense = |error| io::Error::new(io::ErrorKind::InvalidData, error);
        let mut answers = Vec::new();
        while let Some(frame) = self.frames.next().map_err(nonsense)? {
            let (transaction, reply) = Reply::decode(frame).map_err(nonsense)?;
            match reply {
                Reply::Other { kind: LIST, .. } => {
                    let (names, flags) = (Vec::new(), [1, 1, 0]);
                    answers.extend(Reply::Names { names, flags }.encode(transaction));
                }
                Reply::StatusQuery(_) => {
                    let (kind, body) = (STATUS, Vec::new());
                    answers.extend(Request::Other { kind, body }.encode(transaction));
                }
                reply => {
                    let talk = self.talks.get(&transaction);
                    // More than was asked for: whoever sends that ends its transaction.
                    let is_flood = talk.is_some_and(|talk| {
                        matches!(talk.try_send(reply), Err(TrySendError::Full(_)))
                    });
                    if is_flood {
                        self.talks.remove(&transaction);
                    }
                }
            }
        }
        if answers.is_empty() {
            return Ok(());
        }
        self.write(&answers).await
    }
}
