//! Downloads from a server that resumes, breaks off, lies and dawdles.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;
use tonearm_core::control::Control;
use tonearm_core::models::download::{Patience, fetch};
use tonearm_core::models::{Check, Installed, Model, ModelFile, ShelfError};
use tonearm_core::python::protocol::Family;

const CONTENT: &[u8] = &{
    let mut content = [b'x'; 200_000];
    [content[0], content[1], content[2], content[3]] = *b"PK\x03\x04";
    content
};
/// Of something else.
const SHA256: &str = "a1eacbc4a9a1bd8b9dbd0ed2ae5ab8c2d5ff8ee8b1e4cd0b0ae1d4d1b0e5a5c1";

#[derive(Clone, Copy, PartialEq)]
enum Manner {
    Honest,
    /// Breaks off in the middle, the first time.
    CutOnce,
    /// Always, after half of what is left.
    CutAlways,
    /// After so many bytes, until the last piece.
    Pieces(usize),
    Silent,
    /// Says that it is far longer.
    TooLong,
    RoundAndRound,
    Broken,
    /// Takes the question and never answers.
    Mute,
    /// A few bytes now and then, for ever.
    Drip,
    /// One byte for each question.
    ByteByByte,
    /// Says that there is nothing from there on, though nobody has asked for a part.
    NoRange,
    /// Another file, of the same length.
    Wrong,
}

/// Requests that came, by their `Range`.
type Asked = Arc<Mutex<Vec<Option<String>>>>;

fn serve(manner: Manner) -> (String, Asked) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let asked = Asked::default();
    let log = Arc::clone(&asked);
    std::thread::Builder::new()
        .spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let log = Arc::clone(&log);
                std::thread::Builder::new()
                    .spawn(move || {
                        let count = log.lock().unwrap().len();
                        drop(answer(stream, manner, count, &log));
                    })
                    .unwrap();
            }
        })
        .unwrap();
    (format!("http://{address}/model"), asked)
}

#[expect(clippy::too_many_lines, reason = "one manner after the other")]
fn answer(mut stream: TcpStream, manner: Manner, count: usize, log: &Asked) -> std::io::Result<()> {
    let mut range = None;
    for line in BufReader::new(stream.try_clone()?).lines() {
        let line = line?;
        if line.is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(": ")
            && name.eq_ignore_ascii_case("range")
        {
            range = Some(value.to_owned());
        }
    }
    log.lock().unwrap().push(range.clone());
    let start: usize = range
        .as_deref()
        .and_then(|range| {
            range
                .strip_prefix("bytes=")?
                .strip_suffix('-')?
                .parse()
                .ok()
        })
        .unwrap_or(0);
    let body = &CONTENT[start..];
    let status = if start > 0 {
        "206 Partial Content"
    } else {
        "200 OK"
    };
    let length = if manner == Manner::TooLong {
        9_000_000_000
    } else {
        body.len()
    };
    match manner {
        Manner::RoundAndRound => {
            return write!(
                stream,
                "HTTP/1.1 302 Found\r\nLocation: /model\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            );
        }
        Manner::Broken => {
            return write!(
                stream,
                "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            );
        }
        Manner::NoRange => {
            return write!(
                stream,
                "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            );
        }
        Manner::Mute => {
            std::thread::sleep(Duration::from_secs(20));
            return Ok(());
        }
        _ => {}
    }
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nETag: \"one\"\r\nContent-Range: bytes {start}-{}/{}\r\nConnection: close\r\n\r\n",
        CONTENT.len() - 1,
        CONTENT.len()
    )?;
    let cut = match manner {
        Manner::CutAlways => Some(body.len().min(70_000) / 2),
        Manner::CutOnce if count == 0 => Some(35_000),
        Manner::Pieces(bytes) => Some(bytes.min(body.len())),
        _ => None,
    };
    if let Some(cut) = cut {
        return stream.write_all(&body[..cut]);
    }
    match manner {
        Manner::ByteByByte => return stream.write_all(&body[..1]),
        Manner::Wrong => return stream.write_all(&vec![b'y'; body.len()]),
        Manner::Drip => {
            for byte in body {
                stream.write_all(&[*byte])?;
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        _ => {}
    }
    if manner == Manner::Silent {
        stream.write_all(&body[..if start == 0 { 1000 } else { 0 }])?;
        std::thread::sleep(Duration::from_secs(20));
        return Ok(());
    }
    stream.write_all(body)
}

struct Bench {
    cache: TempDir,
    model: Model,
}

impl Bench {
    fn new(url: &str, check: Check) -> Self {
        Self {
            cache: tempfile::tempdir().unwrap(),
            model: Model {
                id: "m".to_owned(),
                family: Family::Beats,
                title: "M".to_owned(),
                is_for: "tests".to_owned(),
                code_licence: "MIT".to_owned(),
                weight_licence: "MIT".to_owned(),
                is_free: true,
                notice: None,
                link: String::new(),
                files: vec![ModelFile {
                    name: "m.ckpt".to_owned(),
                    also: Vec::new(),
                    urls: vec![url.to_owned()],
                    about_bytes: CONTENT.len() as u64,
                    most_bytes: 300_000,
                    check,
                }],
            },
        }
    }

    fn fetch(&self) -> Result<Installed, ShelfError> {
        self.fetch_with(&Control::default(), Duration::from_millis(500))
    }

    fn fetch_with(&self, control: &Control, stall: Duration) -> Result<Installed, ShelfError> {
        let patience = Patience {
            tries: 2,
            all_tries: 12,
            pause: Duration::from_millis(1),
            connect: Duration::from_secs(5),
            stall,
            least: (10_000, Duration::from_secs(1)),
        };
        fetch(
            self.cache.path(),
            (&self.model, false),
            (patience, control),
            &mut |_| (),
        )
    }

    fn message(&self) -> String {
        match self.fetch() {
            Err(ShelfError::Failed(failure)) => {
                assert!(!failure.remedy.is_empty());
                failure.message
            }
            other => panic!("no failure: {other:?}"),
        }
    }

    fn files(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.cache.path().join("models/m"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }
}

fn right(path: &Path) {
    assert!(fs::read(path).unwrap() == CONTENT, "not the content");
}

#[test]
fn a_download_is_taken_in_once_and_then_found() {
    let (url, asked) = serve(Manner::Honest);
    let bench = Bench::new(&url, Check::Unpinned);
    let installed = bench.fetch().unwrap();
    right(&installed.path);
    assert_eq!(installed.note.from, url);
    assert!(!installed.note.is_checked);
    assert_eq!(bench.fetch().unwrap(), installed);
    assert_eq!(asked.lock().unwrap().len(), 1);
}

#[test]
fn what_broke_off_goes_on_where_it_was() {
    let (url, asked) = serve(Manner::CutOnce);
    let bench = Bench::new(&url, Check::Unpinned);
    right(&bench.fetch().unwrap().path);
    let asked = asked.lock().unwrap();
    assert_eq!(*asked, [None, Some("bytes=35000-".to_owned())]);
}

#[test]
fn a_server_that_breaks_off_again_and_again_gets_there_as_long_as_something_comes() {
    let (url, asked) = serve(Manner::Pieces(25_000));
    let bench = Bench::new(&url, Check::Unpinned);
    right(&bench.fetch().unwrap().path);
    // Far more than the two tries that may bring nothing.
    assert_eq!(asked.lock().unwrap().len(), 8);
}

#[test]
fn a_server_that_never_comes_to_an_end_is_given_up() {
    let (url, asked) = serve(Manner::CutAlways);
    let bench = Bench::new(&url, Check::Unpinned);
    let message = bench.message();
    assert!(message.contains("M cannot be downloaded"), "{message}");
    assert_eq!(asked.lock().unwrap().len(), 12);
}

#[test]
fn a_wrong_checksum_puts_the_file_aside() {
    let (url, _) = serve(Manner::Honest);
    let bench = Bench::new(&url, Check::Sha256(SHA256.to_owned()));
    let message = bench.message();
    assert!(message.contains("its checksum is"), "{message}");
    assert_eq!(bench.files(), ["lock", "m.ckpt.bad"]);
}

#[test]
fn servers_that_lie_dawdle_or_lead_in_circles_are_given_up() {
    for (manner, word) in [
        (Manner::TooLong, "too many"),
        (Manner::Silent, "silent"),
        (Manner::RoundAndRound, "redirect"),
        (Manner::Broken, "404"),
        (Manner::Mute, "timeout"),
        (Manner::Drip, "too slow"),
        (Manner::ByteByByte, "m cannot be downloaded"),
        (Manner::NoRange, "elsewhere"),
    ] {
        let (url, asked) = serve(manner);
        let bench = Bench::new(&url, Check::Unpinned);
        let message = bench.message();
        assert!(message.to_lowercase().contains(word), "{message}");
        assert!(asked.lock().unwrap().len() < 20);
    }
}

#[test]
fn another_address_makes_up_for_a_wrong_one() {
    let (good, _) = serve(Manner::Honest);
    for manner in [Manner::Wrong, Manner::NoRange, Manner::Broken] {
        let (bad, _) = serve(manner);
        let mut bench = Bench::new(&bad, Check::Unpinned);
        bench.model.files[0].urls.push(good.clone());
        let installed = bench.fetch().unwrap();
        right(&installed.path);
        assert_eq!(bench.files(), [installed.note.sha256.as_str(), "lock"]);
    }
}

#[test]
fn a_server_that_does_not_answer_can_be_cancelled() {
    let (url, asked) = serve(Manner::Mute);
    let bench = Bench::new(&url, Check::Unpinned);
    let control = Control::default();
    std::thread::scope(|scope| {
        let under_way = scope.spawn(|| bench.fetch_with(&control, Duration::from_mins(10)));
        while asked.lock().unwrap().is_empty() {
            std::thread::yield_now();
        }
        control.cancel();
        let ended = under_way.join().unwrap();
        assert!(matches!(ended, Err(ShelfError::Cancelled(_))), "{ended:?}");
    });
}

#[test]
fn nobody_is_asked_before_the_terms_are_agreed_to() {
    let (url, asked) = serve(Manner::Honest);
    let mut bench = Bench::new(&url, Check::Unpinned);
    bench.model.is_free = false;
    assert_eq!(bench.fetch(), Err(ShelfError::NotAccepted("M".to_owned())));
    assert!(asked.lock().unwrap().is_empty());
}
