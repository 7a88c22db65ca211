//! A server of files, behind a thread: whoever waits for it can stop at any time.

use super::download::{Broke, Patience};
use std::io::{self, Read as _};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

/// What is read from the net at a time, and how many such pieces may wait for the disk.
const PIECE: usize = 64 << 10;
const PIECES: usize = 16;
const MOST_REDIRECTS: u32 = 5;

/// The first words of an answer.
pub(super) struct Head {
    pub(super) status: u16,
    pub(super) range: Option<String>,
    pub(super) length: Option<u64>,
    pub(super) etag: Option<String>,
}

/// From the thread that has to do with the server.
pub(super) enum News {
    Head(Result<Head, Broke>),
    /// An empty one is the end.
    Piece(io::Result<Vec<u8>>),
}

/// A thread asks and reads, because a server that says nothing cannot be cancelled. It ends when nobody listens.
/// `resume`: bytes that are there, of what.
pub(super) fn listen(
    url: &str,
    resume: Option<(u64, String)>,
    patience: Patience,
) -> io::Result<Receiver<News>> {
    let mut request = agent(url, patience).get(url);
    if let Some((had, etag)) = resume {
        request = request
            .header("Range", format!("bytes={had}-"))
            .header("If-Range", etag);
    }
    let (say, news) = sync_channel(PIECES);
    thread::Builder::new()
        .name("download".to_owned())
        .spawn(move || {
            let response = match request.call() {
                Ok(response) => response,
                Err(error) => {
                    drop(say.send(News::Head(Err(broke(&error)))));
                    return;
                }
            };
            if say.send(News::Head(Ok(head_of(&response)))).is_err() {
                return;
            }
            let mut body = response.into_body().into_reader();
            loop {
                let mut piece = vec![0; PIECE];
                let count = body.read(&mut piece);
                let is_last = !matches!(count, Ok(1..));
                let piece = count.map(|count| {
                    piece.truncate(count);
                    piece
                });
                if say.send(News::Piece(piece)).is_err() || is_last {
                    return;
                }
            }
        })?;
    Ok(news)
}

fn head_of(response: &ureq::http::Response<ureq::Body>) -> Head {
    let header = |name: &str| {
        response
            .headers()
            .get(name)?
            .to_str()
            .ok()
            .map(str::to_owned)
    };
    Head {
        status: response.status().as_u16(),
        range: header("content-range"),
        length: header("content-length").and_then(|text| text.trim().parse().ok()),
        etag: header("etag"),
    }
}

fn broke(error: &ureq::Error) -> Broke {
    match error {
        ureq::Error::TooManyRedirects
        | ureq::Error::BadUri(_)
        | ureq::Error::RequireHttpsOnly(_) => Broke::Address(error.to_string()),
        _ => Broke::Off(error.to_string()),
    }
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
