//! Gets a model from the net: resumed where it broke off, bounded, checked before it has its place.

use super::manifest::{Model, ModelFile};
use super::shelf::{self, Installed, Parcel, ShelfError};
use crate::control::Control;
use crate::failure::{Failure, FailureKind};
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

/// What is read from the net at a time, and how many such pieces may wait for the disk.
const PIECE: usize = 64 << 10;
const PIECES: usize = 16;
/// How often a download looks whether it was cancelled, and tells how far it is.
const LOOK_EVERY: Duration = Duration::from_millis(50);
const TELL_EVERY: Duration = Duration::from_millis(200);
/// Room that must be left beside the file.
const SPARE_BYTES: u64 = 256 << 20;
const MOST_REDIRECTS: u32 = 5;
const LONGEST_MARK: u64 = 16 << 10;

/// How much is put up with.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Tries for each address; one that brought something does not count.
    pub tries: u32,
    /// Between two tries.
    pub pause: Duration,
    pub connect: Duration,
    /// Without a byte.
    pub stall: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            tries: 3,
            pause: Duration::from_secs(2),
            connect: Duration::from_secs(20),
            stall: Duration::from_secs(30),
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
enum Broke {
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
    let folder = shelf::folder_of(cache, &model.id);
    fs::create_dir_all(&folder)?;
    let lock = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(folder.join("lock"))?;
    while let Err(fs::TryLockError::WouldBlock) = lock.try_lock() {
        control.check()?;
        thread::sleep(LOOK_EVERY);
    }
    // Whoever held the lock may have been after the same.
    if let Some(there) = shelf::installed(cache, model) {
        return Ok(there);
    }
    let mut reasons = Vec::new();
    for file in &model.files {
        enough_room(cache, file)?;
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
                    return shelf::take_in(cache, &job.part, parcel, control);
                }
                Err(Broke::Ended(error)) => return Err(error),
                Err(Broke::Off(reason) | Broke::Address(reason)) => reasons.push(reason),
            }
        }
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

fn enough_room(cache: &Path, file: &ModelFile) -> Result<(), ShelfError> {
    let needed = file.about_bytes + SPARE_BYTES;
    match crate::disk::free_bytes(cache) {
        Some(free) if free < needed => Err(ShelfError::Failed(Failure::new(
            FailureKind::Storage,
            format!(
                "{} needs {} MB and its drive has {} MB left",
                file.name,
                needed / 1_000_000,
                free / 1_000_000
            ),
            "Make room, or name another cache folder with TONEARM_CACHE",
        ))),
        Some(_) | None => Ok(()),
    }
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
        loop {
            let before = self.had();
            match self.once(tell) {
                Err(Broke::Off(reason)) => {
                    let came_on = self.had() > before;
                    tries = if came_on { 0 } else { tries + 1 };
                    if tries >= self.patience.tries {
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
        let mut request = agent(self.url, self.patience).get(self.url);
        if let Some(etag) = mark.and_then(|mark| mark.etag).filter(|_| had > 0) {
            request = request
                .header("Range", format!("bytes={had}-"))
                .header("If-Range", etag);
        }
        let response = request.call().map_err(|error| match error {
            ureq::Error::TooManyRedirects
            | ureq::Error::BadUri(_)
            | ureq::Error::RequireHttpsOnly(_) => Broke::Address(error.to_string()),
            _ => Broke::Off(error.to_string()),
        })?;
        let (status, headers) = (response.status().as_u16(), response.headers());
        let header = |name: &str| headers.get(name)?.to_str().ok().map(str::to_owned);
        let start = match status {
            206 if begins_at(&header("content-range").unwrap_or_default()) == Some(had) => had,
            200 => 0,
            // What is there is of no use: from the beginning next time.
            206 | 416 => {
                fs::remove_file(&self.part)?;
                return Err(Broke::Off("the server goes on elsewhere".to_owned()));
            }
            408 | 429 | 500..=599 => {
                return Err(Broke::Off(format!("the server answers {status}")));
            }
            _ => return Err(Broke::Address(format!("the server answers {status}"))),
        };
        let length: Option<u64> =
            header("content-length").and_then(|text| text.trim().parse().ok());
        let total = length.map_or(self.file.about_bytes, |length| length.saturating_add(start));
        if total > self.file.most_bytes {
            return Err(Broke::Address(format!(
                "{total} bytes are too many for {}",
                self.file.name
            )));
        }
        let mark = Mark {
            url: self.url.to_owned(),
            etag: header("etag").filter(|etag| !etag.starts_with("W/")),
        };
        let to = self.open(start, &mark)?;
        self.copy(response.into_body(), to, (start, total), tell)
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

    /// A thread reads, because a server that says nothing cannot be cancelled.
    fn copy(
        &self,
        body: ureq::Body,
        mut to: File,
        (start, total): (u64, u64),
        tell: &mut dyn FnMut(Fetching),
    ) -> Result<(), Broke> {
        io::Seek::seek(&mut to, io::SeekFrom::Start(start))?;
        let (say, pieces) = sync_channel(PIECES);
        thread::Builder::new()
            .name("download".to_owned())
            .spawn(move || {
                let mut body = body.into_reader();
                loop {
                    let mut piece = vec![0; PIECE];
                    let count = body.read(&mut piece);
                    let is_last = !matches!(count, Ok(1..));
                    let piece = count.map(|count| {
                        piece.truncate(count);
                        piece
                    });
                    if say.send(piece).is_err() || is_last {
                        return;
                    }
                }
            })?;
        let began = Instant::now();
        let (mut had, mut heard) = (start, Instant::now());
        let mut told: Option<Instant> = None;
        loop {
            self.control
                .check()
                .map_err(|cancelled| Broke::Ended(cancelled.into()))?;
            match pieces.recv_timeout(LOOK_EVERY) {
                Ok(Ok(piece)) if piece.is_empty() => break,
                Ok(Ok(piece)) => {
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
                Ok(Err(error)) => return Err(Broke::Off(error.to_string())),
                Err(RecvTimeoutError::Timeout) if heard.elapsed() > self.patience.stall => {
                    return Err(Broke::Off("the server has fallen silent".to_owned()));
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
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

fn agent(url: &str, patience: Patience) -> ureq::Agent {
    ureq::Agent::config_builder()
        .https_only(url.starts_with("https://"))
        .max_redirects(MOST_REDIRECTS)
        .http_status_as_error(false)
        .timeout_connect(Some(patience.connect))
        .timeout_recv_response(Some(patience.stall))
        .user_agent(concat!("Tonearm/", env!("CARGO_PKG_VERSION")))
        .build()
        .into()
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
