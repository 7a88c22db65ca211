//! Files of a player: sources, folders, and downloads that can be resumed and do not hurry.
//!
//! A player that serves files fast has less time for music, so downloads are slow unless asked
//! otherwise. Every request has its own transaction; several run at a time over one connection,
//! which has a task of its own and never holds up values or positions.

mod transfer;

use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout};

use crate::identity::Token;
use crate::wire::DecodeError;
use crate::wire::file_transfer::{Reply, Request, Stat};

/// A player that says nothing for this long says nothing any more.
const PATIENCE: Duration = Duration::from_secs(15);
/// Replies of one transaction that wait to be read.
const WAITING: usize = 64;
/// Bytes asked for at once, before the next are asked for.
const WINDOW: u64 = 128 << 10;
/// Pieces asked for at once: fewer than replies can wait.
const WINDOW_PIECES: u64 = 32;
/// Requests in a row that may bring nothing new.
const MAX_IDLE: u32 = 3;
/// Names of one listing.
const MAX_NAMES: usize = 100_000;

/// Where a player serves files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FilePlace {
    /// The service.
    pub address: SocketAddrV4,
    /// Our own address on its network, `0.0.0.0` to let the system choose.
    pub interface: Ipv4Addr,
    /// Who we are, as we announce it.
    pub own: Token,
}

/// How much a download may ask of a player.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes in a second.
    pub bytes_per_sec: u64,
    /// A file beyond this is refused, bytes.
    pub max_bytes: u64,
}

impl Default for Limits {
    /// 1 MiB a second, a tenth of what players manage; files up to 4 GiB.
    fn default() -> Self {
        Self {
            bytes_per_sec: 1 << 20,
            max_bytes: 4 << 30,
        }
    }
}

/// Why there is no file.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The player does not offer files, or is not connected.
    #[error("the player offers no files")]
    NotOffered,
    /// Nothing is there.
    #[error("the player has no such file")]
    Missing,
    /// More than the limit.
    #[error("the file has {size} bytes, the limit is {limit}")]
    TooLarge {
        /// Its size.
        size: u64,
        /// What is allowed.
        limit: u64,
    },
    /// The player does not answer.
    #[error("the player does not answer")]
    Silent,
    /// The connection is gone.
    #[error("the connection to the player is gone")]
    Gone,
    /// The medium was taken out.
    #[error("the medium was taken out")]
    Ejected,
    /// The player says what cannot be.
    #[error("the player's answer is not understood: {0}")]
    Nonsense(#[from] DecodeError),
    /// What came cannot be written, or the player cannot be called.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// A download that did not end.
#[derive(Debug, thiserror::Error)]
#[error("after {kept} bytes: {error}")]
pub struct Interrupted {
    /// Bytes from the start of the file that were written; go on from here.
    pub kept: u64,
    /// Why.
    pub error: FileError,
}

/// To the task that owns the connection.
#[derive(Debug)]
enum Order {
    Start(u32, Vec<u8>, mpsc::Sender<Reply>),
    Send(Vec<u8>),
    End(u32, Vec<u8>),
}

/// A connection to a player's files. Dropping it closes it.
#[derive(Debug)]
pub struct Files {
    orders: mpsc::Sender<Order>,
    next: AtomicU32,
    limits: Limits,
    task: JoinHandle<()>,
}

impl Drop for Files {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Files {
    /// Connects, on a task of the tokio runtime that this is called from.
    pub async fn connect(place: FilePlace, limits: Limits) -> Result<Self, FileError> {
        let (orders, receiver) = mpsc::channel(32);
        let line = transfer::Line::connect(place).await?;
        Ok(Self {
            orders,
            next: AtomicU32::new(1),
            limits,
            task: tokio::spawn(line.run(receiver)),
        })
    }

    /// The media: `DEMO (USB 1)`.
    pub async fn sources(&self) -> Result<Vec<String>, FileError> {
        self.list("").await
    }

    /// Names in a folder, `/DEMO (USB 1)/Engine Library`.
    pub async fn list(&self, path: &str) -> Result<Vec<String>, FileError> {
        let mut talk = self
            .start(&Request::List(path.to_owned()), Request::Close)
            .await?;
        let mut all = Vec::new();
        loop {
            match talk.hear().await? {
                Reply::Names { names, flags } => {
                    all.extend(names);
                    // The end is also said by itself, but not by all.
                    if flags[1] != 0 || all.len() >= MAX_NAMES {
                        return Ok(all);
                    }
                }
                Reply::ListEnd { .. } => return Ok(all),
                Reply::Void(_) => return Err(FileError::Ejected),
                _ => {}
            }
        }
    }

    /// What is at a path.
    pub async fn stat(&self, path: &str) -> Result<Stat, FileError> {
        let mut talk = self
            .start(&Request::Stat(path.to_owned()), Request::Forget)
            .await?;
        loop {
            match talk.hear().await? {
                Reply::Stat(stat) => return Ok(stat),
                Reply::Void(_) => return Err(FileError::Ejected),
                _ => {}
            }
        }
    }

    /// Writes the file at `path`, from byte `from` on, into `into`, in order. Returns its size.
    ///
    /// A file that changes meanwhile is the caller's to notice, by [`Self::stat`] before and after.
    pub async fn download(
        &self,
        path: &str,
        from: u64,
        into: &mut (impl AsyncWrite + Unpin),
    ) -> Result<u64, Interrupted> {
        let mut kept = from;
        match self.fetch(path, &mut kept, into).await {
            Ok(size) => Ok(size),
            Err(error) => Err(Interrupted { kept, error }),
        }
    }

    async fn fetch(
        &self,
        path: &str,
        kept: &mut u64,
        into: &mut (impl AsyncWrite + Unpin),
    ) -> Result<u64, FileError> {
        let mut talk = self
            .start(&Request::Open(path.to_owned()), Request::Close)
            .await?;
        let (size, file) = loop {
            if let Reply::Opened { size, file } = talk.hear_file().await? {
                break (size, file);
            }
        };
        let limit = self.limits.max_bytes;
        if size > limit {
            return Err(FileError::TooLarge { size, limit });
        }
        let (began, start) = (Instant::now(), *kept);
        // How much one piece holds is the player's choice: the first one tells.
        let mut piece = None;
        let mut idle = 0;
        while *kept < size {
            let (first, count) = piece.map_or((0, 1), |piece: u64| {
                (*kept / piece, (WINDOW / piece).clamp(1, WINDOW_PIECES))
            });
            let last = first + count - 1;
            talk.send(&Request::Read { file, first, last }).await?;
            let until = piece.map(|piece| (last + 1).saturating_mul(piece).min(size));
            let before = *kept;
            loop {
                let Reply::Chunk { offset, bytes } = talk.hear_file().await? else {
                    continue;
                };
                let end = offset.saturating_add(bytes.len() as u64);
                let fresh = fresh(&bytes, offset, *kept, size);
                into.write_all(fresh).await?;
                *kept += fresh.len() as u64;
                if piece.is_none() && offset == 0 && !bytes.is_empty() {
                    piece = Some(bytes.len() as u64);
                }
                if until.is_none_or(|until| end >= until || *kept >= until) {
                    break;
                }
            }
            idle = if *kept == before { idle + 1 } else { 0 };
            if idle > MAX_IDLE {
                return Err(FileError::Silent);
            }
            let took = (*kept - start) as f64 / self.limits.bytes_per_sec.max(1) as f64;
            sleep_until(began + Duration::from_secs_f64(took)).await;
        }
        into.flush().await?;
        Ok(size)
    }

    async fn start(&self, request: &Request, last: Request) -> Result<Talk<'_>, FileError> {
        let transaction = self.next.fetch_add(1, Ordering::Relaxed);
        let (sender, replies) = mpsc::channel(WAITING);
        let order = Order::Start(transaction, request.encode(transaction), sender);
        self.orders
            .send(order)
            .await
            .map_err(|_closed| FileError::Gone)?;
        Ok(Talk {
            transaction,
            last: last.encode(transaction),
            orders: &self.orders,
            replies,
        })
    }
}

/// What of a piece at `offset` continues the `kept` bytes of a file of `size`: bytes that are there
/// already are passed over, and nothing fits behind a gap, which is asked for again.
fn fresh(bytes: &[u8], offset: u64, kept: u64, size: u64) -> &[u8] {
    let room = usize::try_from(size.saturating_sub(kept)).unwrap_or(usize::MAX);
    kept.checked_sub(offset)
        .and_then(|skip| bytes.get(usize::try_from(skip).ok()?..))
        .map(|fresh| fresh.get(..room).unwrap_or(fresh))
        .unwrap_or_default()
}

/// One transaction. Dropping it tells the player that we are done.
struct Talk<'a> {
    transaction: u32,
    last: Vec<u8>,
    orders: &'a mpsc::Sender<Order>,
    replies: mpsc::Receiver<Reply>,
}

impl Talk<'_> {
    async fn send(&self, request: &Request) -> Result<(), FileError> {
        let order = Order::Send(request.encode(self.transaction));
        self.orders
            .send(order)
            .await
            .map_err(|_closed| FileError::Gone)
    }

    async fn hear(&mut self) -> Result<Reply, FileError> {
        match timeout(PATIENCE, self.replies.recv()).await {
            Ok(Some(reply)) => Ok(reply),
            Ok(None) => Err(FileError::Gone),
            Err(_elapsed) => Err(FileError::Silent),
        }
    }
}

impl Talk<'_> {
    /// A reply about an open file, which may turn out not to be there.
    async fn hear_file(&mut self) -> Result<Reply, FileError> {
        match self.hear().await? {
            Reply::Opened { size: 0, .. } => Err(FileError::Missing),
            Reply::Void(_) => Err(FileError::Ejected),
            reply => Ok(reply),
        }
    }
}

impl Drop for Talk<'_> {
    fn drop(&mut self) {
        let last = std::mem::take(&mut self.last);
        if self
            .orders
            .try_send(Order::End(self.transaction, last))
            .is_err()
        {
            tracing::debug!("a transaction stays open, the connection is busy or gone");
        }
    }
}

#[cfg(test)]
mod tests;
