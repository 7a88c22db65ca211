//! Gets a model from the net: resumed where it broke off, bounded, checked before it has its place.

use super::manifest::{Model, ModelFile};
use super::server::{self, Head, News};
use super::shelf::{self, Installed, Parcel, ShelfError};
use crate::control::Control;
use crate::failure::{Failure, FailureKind};
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

/// How often a download looks whether it was cancelled, and tells how far it is.
const LOOK_EVERY: Duration = Duration::from_millis(50);
const TELL_EVERY: Duration = Duration::from_millis(200);
const LONGEST_MARK: u64 = 16 << 10;

/// How much is put up with.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Tries for each address; one that brought something does not count.
    pub tries: u32,
    /// Tries for each address, also those that brought something: the line of a train breaks off that often.
    pub all_tries: u32,
    /// Between two tries.
    pub pause: Duration,
    pub connect: Duration,
    /// Without a byte.
    pub stall: Duration,
    /// The least bytes that have to come in each such time.
    pub least: (u64, Duration),
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            tries: 3,
            all_tries: 30,
            pause: Duration::from_secs(2),
            connect: Duration::from_secs(20),
            stall: Duration::from_secs(30),
            // 4 kB/s: the slowest line of a telephone brings twice that.
            least: (256 << 10, Duration::from_mins(1)),
        }
    }
}

/// How far a download is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fetching {
    pub bytes: u64,
    /// As the server says, else as the list of models says.
    pub total: u64,
    pub left: Option<Duration>,
}

/// The bytes that a part has are those of this.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Mark {
    url: String,
    etag: Option<String>,
}

/// Why one try ended.
pub(super) enum Broke {
    /// Another try may go on from here.
    Off(String),
    /// This address will not do.
    Address(String),
    Ended(ShelfError),
}

impl From<io::Error> for Broke {
    fn from(error: io::Error) -> Self {
        Self::Ended(error.into())
    }
}

/// Downloads a model, or finds that it is there. One program at a time.
pub fn fetch(
    cache: &Path,
    (model, is_accepted): (&Model, bool),
    (patience, control): (Patience, &Control),
    tell: &mut dyn FnMut(Fetching),
) -> Result<Installed, ShelfError> {
    if let Some(there) = shelf::installed(cache, model) {
        return Ok(there);
    }
    shelf::permit(model, is_accepted)?;
    let _lock = shelf::take_lock(cache, model, control)?;
    // Whoever held the lock may have been after the same.
    match shelf::installed(cache, model) {
        Some(there) => Ok(there),
        None => from_net(cache, model, (patience, control), tell),
    }
}

/// Downloads a model whether it is there or not; what was there stays until the new one is whole.
pub fn fetch_again(
    cache: &Path,
    (model, is_accepted): (&Model, bool),
    (patience, control): (Patience, &Control),
    tell: &mut dyn FnMut(Fetching),
) -> Result<Installed, ShelfError> {
    shelf::permit(model, is_accepted)?;
    let _lock = shelf::take_lock(cache, model, control)?;
    from_net(cache, model, (patience, control), tell)
}

fn from_net(
    cache: &Path,
    model: &Model,
    (patience, control): (Patience, &Control),
    tell: &mut dyn FnMut(Fetching),
) -> Result<Installed, ShelfError> {
    let folder = shelf::folder_of(cache, &model.id);
    let mut reasons = Vec::new();
    let mut wrong = None;
    for file in &model.files {
        shelf::enough_room(cache, &file.name, file.about_bytes)?;
        for url in &file.urls {
            let job = Job {
                file,
                url,
                part: folder.join(format!("{}.part", file.name)),
                patience,
                control,
            };
            match job.persist(tell) {
                Ok(()) => {
                    let parcel = Parcel {
                        model,
                        file,
                        from: url,
                    };
                    match shelf::take_in(cache, &job.part, parcel, control) {
                        // Another address may have the right one.
                        Err(ShelfError::Failed(failure))
                            if failure.kind == FailureKind::Damaged =>
                        {
                            wrong.get_or_insert(failure);
                        }
                        ended => return ended,
                    }
                }
                Err(Broke::Ended(error)) => return Err(error),
                Err(Broke::Off(reason) | Broke::Address(reason)) => reasons.push(reason),
            }
        }
    }
    if let Some(failure) = wrong {
        return Err(ShelfError::Failed(failure));
    }
    let reason = reasons
        .first()
        .map_or("no address is known", String::as_str);
    Err(ShelfError::Failed(Failure::new(
        FailureKind::Unreadable,
        format!("{} cannot be downloaded: {reason}", model.title),
        format!(
            "Check the connection and try again; or get {} elsewhere and run tonearm setup --from FOLDER",
            model
                .files
                .first()
                .map_or("the file", |file| file.name.as_str())
        ),
    )))
}

/// One file from one address.
struct Job<'a> {
    file: &'a ModelFile,
    url: &'a str,
    part: PathBuf,
    patience: Patience,
    control: &'a Control,
}

impl Job<'_> {
    fn persist(&self, tell: &mut dyn FnMut(Fetching)) -> Result<(), Broke> {
        if !is_secure(self.url) {
            return Err(Broke::Address(format!(
                "{} is not a secure address",
                self.url
            )));
        }
        let mut tries = 0;
        let mut left = self.patience.all_tries;
        loop {
            left = left.saturating_sub(1);
            let before = self.had();
            match self.once(tell) {
                Err(Broke::Off(reason)) => {
                    let came_on = self.had() > before;
                    tries = if came_on { 0 } else { tries + 1 };
                    if tries >= self.patience.tries || left == 0 {
                        return Err(Broke::Off(reason));
                    }
                    tracing::info!(url = self.url, reason, "a download broke off: once more");
                    self.pause()?;
                }
                result => return result,
            }
        }
    }

    fn pause(&self) -> Result<(), Broke> {
        let until = Instant::now() + self.patience.pause;
        while Instant::now() < until {
            self.control
                .check()
                .map_err(|cancelled| Broke::Ended(cancelled.into()))?;
            thread::sleep(LOOK_EVERY.min(self.patience.pause));
        }
        Ok(())
    }

    fn had(&self) -> u64 {
        fs::metadata(&self.part).map_or(0, |metadata| metadata.len())
    }

    fn mark_path(&self) -> PathBuf {
        self.part.with_extension("part.json")
    }

    /// What the part that is there was begun with; without an `ETag` nobody can tell that it is still the same.
    fn mark(&self) -> Option<Mark> {
        let path = self.mark_path();
        if fs::metadata(&path).ok()?.len() > LONGEST_MARK {
            return None;
        }
        let mark: Mark = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
        (mark.url == self.url && mark.etag.is_some()).then_some(mark)
    }

    fn once(&self, tell: &mut dyn FnMut(Fetching)) -> Result<(), Broke> {
        let mark = self.mark();
        let had = mark.as_ref().map_or(0, |_| self.had());
        let etag = mark.and_then(|mark| mark.etag).filter(|_| had > 0);
        let news = server::listen(self.url, etag.map(|etag| (had, etag)), self.patience)?;
        let head = self.head(&news)?;
        let start = match head.status {
            206 if begins_at(&head.range.unwrap_or_default()) == Some(had) => had,
            200 => 0,
            // What is there is of no use: from the beginning next time.
            206 | 416 => match fs::remove_file(&self.part) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(error.into());
                }
                _ => return Err(Broke::Off("the server goes on elsewhere".to_owned())),
            },
            status @ (408 | 429 | 500..=599) => {
                return Err(Broke::Off(format!("the server answers {status}")));
            }
            status => return Err(Broke::Address(format!("the server answers {status}"))),
        };
        let total = head
            .length
            .map_or(self.file.about_bytes, |length| length.saturating_add(start));
        if total > self.file.most_bytes {
            return Err(Broke::Address(format!(
                "{total} bytes are too many for {}",
                self.file.name
            )));
        }
        let mark = Mark {
            url: self.url.to_owned(),
            etag: head.etag.filter(|etag| !etag.starts_with("W/")),
        };
        let to = self.open(start, &mark)?;
        self.copy(&news, to, (start, total), tell)
    }

    fn open(&self, start: u64, mark: &Mark) -> io::Result<File> {
        let file = File::options()
            .create(true)
            .truncate(start == 0)
            .write(true)
            .open(&self.part)?;
        file.set_len(start)?;
        fs::write(self.mark_path(), serde_json::to_vec(mark)?)?;
        Ok(file)
    }

    /// What the server says first.
    fn head(&self, news: &Receiver<News>) -> Result<Head, Broke> {
        let until = Instant::now() + self.patience.connect + self.patience.stall;
        loop {
            self.control
                .check()
                .map_err(|cancelled| Broke::Ended(cancelled.into()))?;
            match news.recv_timeout(LOOK_EVERY) {
                Ok(News::Head(head)) => return head,
                Err(RecvTimeoutError::Timeout) if Instant::now() < until => {}
                Err(RecvTimeoutError::Timeout) => {
                    return Err(Broke::Off("the server does not answer".to_owned()));
                }
                Ok(News::Piece(_)) | Err(RecvTimeoutError::Disconnected) => {
                    return Err(Broke::Off("the connection was lost".to_owned()));
                }
            }
        }
    }

    fn copy(
        &self,
        news: &Receiver<News>,
        mut to: File,
        (start, total): (u64, u64),
        tell: &mut dyn FnMut(Fetching),
    ) -> Result<(), Broke> {
        io::Seek::seek(&mut to, io::SeekFrom::Start(start))?;
        let began = Instant::now();
        let (mut had, mut heard) = (start, Instant::now());
        let mut told: Option<Instant> = None;
        let mut window = (Instant::now(), start);
        loop {
            self.control
                .check()
                .map_err(|cancelled| Broke::Ended(cancelled.into()))?;
            self.is_fast_enough(&mut window, had)?;
            match news.recv_timeout(LOOK_EVERY) {
                Ok(News::Piece(Ok(piece))) if piece.is_empty() => break,
                Ok(News::Piece(Ok(piece))) => {
                    had += piece.len() as u64;
                    if had > self.file.most_bytes {
                        return Err(Broke::Address(format!(
                            "more bytes come than {} has",
                            self.file.name
                        )));
                    }
                    to.write_all(&piece)?;
                    heard = Instant::now();
                }
                Ok(News::Piece(Err(error))) => return Err(Broke::Off(error.to_string())),
                Err(RecvTimeoutError::Timeout) if heard.elapsed() > self.patience.stall => {
                    return Err(Broke::Off("the server has fallen silent".to_owned()));
                }
                Err(RecvTimeoutError::Timeout) => {}
                Ok(News::Head(_)) | Err(RecvTimeoutError::Disconnected) => {
                    return Err(Broke::Off("the connection was lost".to_owned()));
                }
            }
            if told.is_none_or(|told| told.elapsed() >= TELL_EVERY) {
                told = Some(Instant::now());
                let rate = (had - start) as f64 / began.elapsed().as_secs_f64().max(0.1);
                let left = (rate > 1e3)
                    .then(|| Duration::from_secs_f64(total.saturating_sub(had) as f64 / rate));
                tell(Fetching {
                    bytes: had,
                    total,
                    left,
                });
            }
        }
        to.sync_all()?;
        tell(Fetching {
            bytes: had,
            total: had,
            left: None,
        });
        drop(fs::remove_file(self.mark_path()));
        Ok(())
    }

    /// Looks at what came since the window was opened.
    fn is_fast_enough(&self, window: &mut (Instant, u64), had: u64) -> Result<(), Broke> {
        let (least, every) = self.patience.least;
        let (opened, before) = *window;
        if opened.elapsed() < every {
            return Ok(());
        }
        if had - before < least {
            return Err(Broke::Address("the server is too slow".to_owned()));
        }
        *window = (Instant::now(), had);
        Ok(())
    }
}

/// Other than TLS only within this machine.
fn is_secure(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("http://") else {
        return url.starts_with("https://");
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    matches!(name, "127.0.0.1" | "localhost" | "[::1]")
}

/// The first byte of `bytes 100-199/1000`.
fn begins_at(content_range: &str) -> Option<u64> {
    let rest = content_range.trim().strip_prefix("bytes ")?;
    rest.split_once('-')?.0.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_may_be_asked_without_tls() {
        for (url, secure) in [
            ("https://example.org/x", true),
            ("http://127.0.0.1:8080/x", true),
            ("http://localhost/x", true),
            ("http://example.org/x", false),
            ("http://127.0.0.1.example.org/x", false),
            ("http://127.0.0.1@example.org/x", false),
            ("ftp://example.org/x", false),
            ("file:///x", false),
        ] {
            assert_eq!(is_secure(url), secure, "{url}");
        }
        assert_eq!(begins_at("bytes 100-199/1000"), Some(100));
        assert_eq!(begins_at("bytes */1000"), None);
    }
}
