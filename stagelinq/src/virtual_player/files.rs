//! The files of a virtual player.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::sync::Arc;

use super::serve::{Heard, Line, nonsense};
use crate::wire::Frames;
use crate::wire::file_transfer::{Reply, Request, Stat};

/// Transactions of one connection.
const MAX_OPEN: usize = 64;
/// Reads of one connection that wait.
const MAX_READS: usize = 256;

type Files = BTreeMap<String, Arc<[u8]>>;

struct Read {
    transaction: u32,
    bytes: Arc<[u8]>,
    next: u64,
    last: u64,
}

/// Answers requests; several reads advance by turns, one piece each.
pub(super) async fn serve(
    files: &Files,
    chunk: usize,
    mut line: Line,
    mut frames: Frames,
) -> io::Result<()> {
    let mut open: BTreeMap<u32, Arc<[u8]>> = BTreeMap::new();
    let mut reads: VecDeque<Read> = VecDeque::new();
    line.write(&Reply::Greeting("1".to_owned()).encode(0))
        .await?;
    loop {
        while let Some(frame) = frames.next().map_err(nonsense)? {
            let (transaction, request) = Request::decode(frame).map_err(nonsense)?;
            match request {
                Request::Open(path) => {
                    let found = files.get(&path).filter(|_| open.len() < MAX_OPEN);
                    let size = found.map_or(0, |bytes| bytes.len() as u64);
                    open.extend(found.map(|bytes| (transaction, Arc::clone(bytes))));
                    line.write(&Reply::Opened { size, file: 1 }.encode(transaction))
                        .await?;
                }
                Request::Read { first, last, .. } => {
                    if let Some(bytes) = open.get(&transaction)
                        && reads.len() < MAX_READS
                    {
                        let bytes = Arc::clone(bytes);
                        reads.push_back(Read {
                            transaction,
                            bytes,
                            next: first,
                            last,
                        });
                    }
                }
                Request::Close => {
                    open.remove(&transaction);
                    reads.retain(|read| read.transaction != transaction);
                }
                Request::Stat(path) => {
                    let stat = stat(files, &path);
                    line.write(&Reply::Stat(stat).encode(transaction)).await?;
                }
                Request::List(path) => {
                    let (names, flags) = (list(files, &path), [1, 1, u8::from(path.is_empty())]);
                    line.write(&Reply::Names { names, flags }.encode(transaction))
                        .await?;
                    line.write(&Reply::ListEnd { ok: true }.encode(transaction))
                        .await?;
                }
                Request::Forget | Request::Other { .. } => {}
            }
        }
        let is_busy = !reads.is_empty();
        tokio::select! {
            biased;
            heard = line.hear() => if let Heard::Bytes(bytes) = heard? {
                frames.push(&bytes);
            },
            () = std::future::ready(()), if is_busy => {
                if let Some(read) = reads.pop_front() {
                    let transaction = read.transaction;
                    if let Some(reply) = piece(&read, chunk) {
                        line.write(&reply.encode(transaction)).await?;
                        if read.next < read.last {
                            reads.push_back(Read { next: read.next + 1, ..read });
                        }
                    }
                }
            }
        }
    }
}

fn piece(read: &Read, chunk: usize) -> Option<Reply> {
    let start = usize::try_from(read.next).ok()?.checked_mul(chunk)?;
    let rest = read.bytes.get(start..).filter(|rest| !rest.is_empty())?;
    let bytes = rest.get(..chunk.min(rest.len()))?.to_vec();
    let offset = start as u64;
    Some(Reply::Chunk { offset, bytes })
}

fn below<'a>(files: &'a Files, path: &str) -> impl Iterator<Item = &'a str> {
    let folder = format!("{}/", path.trim_end_matches('/'));
    files
        .keys()
        .filter_map(move |file| file.strip_prefix(folder.as_str()))
}

fn stat(files: &Files, path: &str) -> Stat {
    let file = files.get(path);
    let is_folder = below(files, path).next().is_some();
    Stat {
        exists: file.is_some() || is_folder,
        is_folder,
        permissions: if is_folder { 0x7755 } else { 0x6644 },
        times: [[0; 13]; 3],
        size: file.map_or(0, |bytes| bytes.len() as u64),
    }
}

fn list(files: &Files, path: &str) -> Vec<String> {
    let names: BTreeSet<_> = below(files, path)
        .filter_map(|rest| rest.split('/').next())
        .collect();
    names.into_iter().map(str::to_owned).collect()
}
