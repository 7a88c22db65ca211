//! Tags as DJ programs write them, byte by byte, into tiny files.

use super::*;
use crate::harmony::Key;
use proptest::prelude::*;
use std::fs;
use std::path::PathBuf;
use tempfile::TempDir;

fn syncsafe(size: usize) -> [u8; 4] {
    [size >> 21, size >> 14, size >> 7, size].map(|byte| (byte & 0x7f) as u8)
}

fn id3v2(frames: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut body = Vec::new();
    for (id, content) in frames {
        body.extend_from_slice(id.as_bytes());
        body.extend_from_slice(&syncsafe(content.len()));
        body.extend_from_slice(&[0, 0]);
        body.extend_from_slice(content);
    }
    let mut tag = b"ID3\x04\x00\x00".to_vec();
    tag.extend_from_slice(&syncsafe(body.len()));
    tag.extend(body);
    tag
}

/// A text frame in UTF-8.
fn text(id: &'static str, text: &str) -> (&'static str, Vec<u8>) {
    (id, [&[3], text.as_bytes()].concat())
}

fn user_text(description: &str, content: &str) -> (&'static str, Vec<u8>) {
    text("TXXX", &format!("{description}\0{content}"))
}

fn comment(description: &str, content: &str) -> (&'static str, Vec<u8>) {
    let body = [
        b"\x03eng",
        description.as_bytes(),
        b"\0",
        content.as_bytes(),
    ];
    ("COMM", body.concat())
}

fn popm(writer: &str, value: u8) -> (&'static str, Vec<u8>) {
    (
        "POPM",
        [writer.as_bytes(), &[0, value, 0, 0, 0, 0]].concat(),
    )
}

/// Silence: 20 frames at 128 kbit/s, 44.1 kHz.
fn mpeg_frames() -> Vec<u8> {
    let mut frame = vec![0xff, 0xfb, 0x90, 0x64];
    frame.resize(417, 0);
    frame.repeat(20)
}

fn ape(items: &[(&str, &str)]) -> Vec<u8> {
    let mut body = Vec::new();
    for (key, value) in items {
        body.extend_from_slice(&(value.len() as u32).to_le_bytes());
        body.extend_from_slice(&0u32.to_le_bytes());
        body.extend_from_slice(key.as_bytes());
        body.push(0);
        body.extend_from_slice(value.as_bytes());
    }
    let edge = |flags: u32| {
        let mut edge = b"APETAGEX".to_vec();
        for number in [
            2000,
            body.len() as u32 + 32,
            items.len() as u32,
            flags,
            0,
            0,
        ] {
            edge.extend_from_slice(&number.to_le_bytes());
        }
        edge
    };
    [edge(0xa000_0000), body.clone(), edge(0x8000_0000)].concat()
}

fn id3v1(title: &str) -> Vec<u8> {
    let mut tag = b"TAG".to_vec();
    tag.extend_from_slice(title.as_bytes());
    tag.resize(33, 0);
    tag.resize(128, 0);
    tag[127] = 18; // Techno
    tag
}

fn flac(comments: &[(&str, &str)]) -> Vec<u8> {
    let mut body = 4u32.to_le_bytes().to_vec();
    body.extend_from_slice(b"test");
    body.extend_from_slice(&(comments.len() as u32).to_le_bytes());
    for (key, value) in comments {
        let text = format!("{key}={value}");
        body.extend_from_slice(&(text.len() as u32).to_le_bytes());
        body.extend_from_slice(text.as_bytes());
    }
    let block = |kind: u8, body: &[u8]| {
        let mut block = vec![kind];
        block.extend_from_slice(&(body.len() as u32).to_be_bytes()[1..]);
        block.extend_from_slice(body);
        block
    };
    // 4096-sample blocks; 44.1 kHz, 2 channels, 16 bits, 44,100 samples.
    let mut info = vec![
        0x10, 0, 0x10, 0, 0, 0, 0, 0, 0, 0, 0x0a, 0xc4, 0x42, 0xf0, 0, 0, 0xac, 0x44,
    ];
    info.resize(34, 0);
    [b"fLaC".to_vec(), block(0, &info), block(0x84, &body)].concat()
}

fn chunk(id: &[u8], body: &[u8]) -> Vec<u8> {
    let mut chunk = id.to_vec();
    chunk.extend_from_slice(&(body.len() as u32).to_le_bytes());
    chunk.extend_from_slice(body);
    chunk.resize(chunk.len() + body.len() % 2, 0);
    chunk
}

fn wav(extra: &[u8]) -> Vec<u8> {
    let format = [1, 0, 2, 0, 0x44, 0xac, 0, 0, 0x10, 0xb1, 2, 0, 4, 0, 16, 0];
    let body = [
        b"WAVE".to_vec(),
        chunk(b"fmt ", &format),
        extra.to_vec(),
        chunk(b"data", &vec![0; 44_100]),
    ];
    chunk(b"RIFF", &body.concat())
}

fn atom(name: &[u8], body: &[u8]) -> Vec<u8> {
    let mut atom = (body.len() as u32 + 8).to_be_bytes().to_vec();
    atom.extend_from_slice(name);
    atom.extend_from_slice(body);
    atom
}

fn mp4(items: &[Vec<u8>]) -> Vec<u8> {
    let handler = atom(b"hdlr", b"\0\0\0\0\0\0\0\0mdirappl\0\0\0\0\0\0\0\0\0");
    let meta = [vec![0; 4], handler, atom(b"ilst", &items.concat())].concat();
    let moov = [
        atom(b"mvhd", &[0; 100]),
        atom(b"udta", &atom(b"meta", &meta)),
    ];
    [
        atom(b"ftyp", b"M4A \0\0\0\0M4A mp42"),
        atom(b"moov", &moov.concat()),
    ]
    .concat()
}

fn mp4_data(kind: u8, value: &[u8]) -> Vec<u8> {
    atom(b"data", &[&[0, 0, 0, kind, 0, 0, 0, 0], value].concat())
}

fn mp4_free(name: &str, value: &str) -> Vec<u8> {
    let body = [
        atom(b"mean", b"\0\0\0\0com.apple.iTunes"),
        atom(b"name", &[b"\0\0\0\0", name.as_bytes()].concat()),
        mp4_data(1, value.as_bytes()),
    ];
    atom(b"----", &body.concat())
}

fn file(dir: &TempDir, name: &str, bytes: &[u8]) -> PathBuf {
    let path = dir.path().join(name);
    fs::write(&path, bytes).unwrap();
    path
}

fn read_bytes(name: &str, bytes: &[u8]) -> TagsRead {
    let dir = tempfile::tempdir().unwrap();
    read(&file(&dir, name, bytes)).unwrap_or_else(|failure| panic!("{name}: {failure:?}"))
}

fn mp3(frames: &[(&str, Vec<u8>)]) -> Tags {
    read_bytes("x.mp3", &[id3v2(frames), mpeg_frames()].concat()).tags
}

#[test]
fn id3_frames_of_every_dj_program_are_read() {
    let tags = mp3(&[
        text("TIT2", " Title\0"),
        text("TPE1", "One\0Two"),
        text("TALB", "Album"),
        text("TCON", "(18)"),
        text("TPUB", "Label"),
        text("TPE4", "Remixer"),
        text("TCOM", "Composer"),
        text("TDRC", "1998-05-01"),
        text("TRCK", "3/12"),
        text("TBPM", "127.98"),
        text("TKEY", "Am"),
        comment("iTunNORM", "0000 0001"),
        comment("", "Nice"),
        popm("traktor@native-instruments.de", 204),
    ]);
    assert_eq!(
        tags,
        Tags {
            title: Some("Title".into()),
            artist: Some("One, Two".into()),
            album: Some("Album".into()),
            genre: Some("Techno".into()),
            comment: Some("Nice".into()),
            label: Some("Label".into()),
            remixer: Some("Remixer".into()),
            composer: Some("Composer".into()),
            year: Some(1998),
            track_number: Some(3),
            rating: Some(4),
            bpm: Some(127.98),
            key: Some("Am".into()),
            has_art: false,
        }
    );
}

#[test]
fn free_text_frames_serve_where_the_proper_ones_are_absent_or_blank() {
    let tags = mp3(&[
        text("TKEY", " "),
        text("TBPM", "0"),
        user_text("InitialKey", "8A"),
        user_text("bpm", "174"),
        user_text("LABEL", "Label"),
        popm("Windows Media Player 9 Series", 196),
    ]);
    assert_eq!(tags.key.as_deref(), Some("8A"));
    assert_eq!(tags.bpm, Some(174.0));
    assert_eq!(tags.label.as_deref(), Some("Label"));
    assert_eq!(tags.rating, Some(4));
    let tags = mp3(&[
        text("TBPM", "128"),
        user_text("BPM", "127.98"),
        user_text("initialkey", "1m"),
        text("TKEY", "Cm"),
    ]);
    assert_eq!(tags.bpm, Some(127.98), "the exact one of two that agree");
    assert_eq!(tags.key.as_deref(), Some("Cm"), "the proper frame first");
}

#[test]
fn several_tags_in_one_file_complete_each_other() {
    let bytes = [
        id3v2(&[text("TIT2", "From ID3v2")]),
        mpeg_frames(),
        ape(&[
            ("Title", "From APE"),
            ("BPM", "140.5"),
            ("initialkey", "Ebm"),
        ]),
        id3v1("From ID3v1"),
    ]
    .concat();
    let read = read_bytes("x.mp3", &bytes);
    assert_eq!(read.tags.title.as_deref(), Some("From ID3v2"));
    assert_eq!(read.tags.bpm, Some(140.5));
    assert_eq!(read.tags.key.as_deref(), Some("Ebm"));
    assert_eq!(read.tags.genre.as_deref(), Some("Techno"));
    let format = read.format.unwrap();
    assert_eq!(
        (
            format.codec.as_str(),
            format.sample_rate.hz(),
            format.channels
        ),
        ("mp3", 44_100, 2)
    );
}

#[test]
fn vorbis_comments_are_read_whatever_their_case() {
    let read = read_bytes(
        "x.flac",
        &flac(&[
            ("title", "Title"),
            ("ARTIST", "One"),
            ("Artist", "Two"),
            ("Initial Key", "F♯ min"),
            ("BPM", "174.00"),
            ("RATING", "80"),
            ("DATE", "0000"),
            ("YEAR", "2001"),
            ("ORGANIZATION", "Label"),
            ("DESCRIPTION", "Words"),
        ]),
    );
    let tags = read.tags;
    assert_eq!(tags.artist.as_deref(), Some("One, Two"));
    assert_eq!(Key::parse(tags.key.as_deref().unwrap()), Key::parse("F#m"));
    assert_eq!(
        (tags.bpm, tags.rating, tags.year),
        (Some(174.0), Some(4), Some(2001))
    );
    assert_eq!(tags.label.as_deref(), Some("Label"));
    assert_eq!(tags.comment.as_deref(), Some("Words"));
    let format = read.format.unwrap();
    assert_eq!(
        (format.codec.as_str(), format.duration),
        ("flac", Secs(1.0))
    );
}

#[test]
fn a_wave_file_with_nothing_but_riff_info_has_tags() {
    let info = [
        b"INFO".to_vec(),
        chunk(b"INAM", b"Title"),
        chunk(b"IART", b"Artist"),
        chunk(b"ICRD", b"2001-02-03"),
    ];
    let read = read_bytes("x.wav", &wav(&chunk(b"LIST", &info.concat())));
    assert_eq!(read.tags.title.as_deref(), Some("Title"));
    assert_eq!(read.tags.artist.as_deref(), Some("Artist"));
    assert_eq!(read.tags.year, Some(2001));
    let format = read.format.unwrap();
    assert_eq!(
        (format.codec.as_str(), format.duration),
        ("wav", Secs(0.25))
    );

    let both = [
        chunk(b"LIST", &info.concat()),
        chunk(b"id3 ", &id3v2(&[text("TIT2", "Better")])),
    ];
    let read = read_bytes("x.wav", &wav(&both.concat()));
    assert_eq!(read.tags.title.as_deref(), Some("Better"));
    assert_eq!(read.tags.artist.as_deref(), Some("Artist"));
}

#[test]
fn mp4_atoms_are_read_with_the_free_ones() {
    let tags = read_bytes(
        "x.m4a",
        &mp4(&[
            atom(b"\xa9nam", &mp4_data(1, b"Title")),
            atom(b"\xa9day", &mp4_data(1, b"1998-01-01T08:00:00Z")),
            atom(b"trkn", &mp4_data(0, &[0, 0, 0, 7, 0, 12, 0, 0])),
            atom(b"tmpo", &mp4_data(21, &[0, 128])),
            atom(b"rate", &mp4_data(1, b"80")),
            mp4_free("BPM", "127.98"),
            mp4_free("INITIALKEY", "8A"),
            mp4_free("LABEL", "Label"),
        ]),
    )
    .tags;
    assert_eq!(tags.title.as_deref(), Some("Title"));
    assert_eq!(
        (tags.year, tags.track_number, tags.rating),
        (Some(1998), Some(7), Some(4))
    );
    assert_eq!(tags.bpm, Some(127.98));
    assert_eq!(tags.key.as_deref(), Some("8A"));
    assert_eq!(tags.label.as_deref(), Some("Label"));
}

#[test]
fn covers_are_found_and_their_type_is_that_of_their_bytes() {
    let picture = |kind: u8, bytes: &[u8]| {
        let head = [&b"\x00image/png\0"[..], &[kind], b"\0"].concat();
        ("APIC", [head, bytes.to_vec()].concat())
    };
    let dir = tempfile::tempdir().unwrap();
    let jpeg = b"\xff\xd8\xff\xe0 front";
    let bytes = [
        id3v2(&[picture(4, b"\x89PNG back"), picture(3, jpeg)]),
        mpeg_frames(),
    ];
    let path = file(&dir, "x.mp3", &bytes.concat());
    assert!(read(&path).unwrap().tags.has_art);
    assert_eq!(art(&path), Some(("image/jpeg".to_owned(), jpeg.to_vec())));
    let path = file(&dir, "y.mp3", &mpeg_frames());
    assert!(!read(&path).unwrap().tags.has_art);
    assert_eq!(art(&path), None);
}

#[test]
fn endless_text_is_cut() {
    let tags = mp3(&[
        text("TIT2", &"x".repeat(100_000)),
        comment("", &"y".repeat(100_000)),
    ]);
    assert!(tags.title.unwrap().len() < 2_000);
    assert!(tags.comment.unwrap().len() < 20_000);
}

#[test]
fn what_cannot_be_read_says_why() {
    let dir = tempfile::tempdir().unwrap();
    for (name, bytes, kind) in [
        ("x.txt", &b"no sound at all"[..], FailureKind::Unsupported),
        ("empty.xyz", b"", FailureKind::Unsupported),
        ("x.flac", b"fLaC", FailureKind::Damaged),
    ] {
        let failure = read(&file(&dir, name, bytes)).unwrap_err();
        assert_eq!(failure.kind, kind, "{name}: {failure:?}");
    }
    let absent = read(&dir.path().join("absent.mp3")).unwrap_err();
    assert_eq!(absent.kind, FailureKind::Missing);
    assert!(read(dir.path()).is_err());
}

#[test]
fn tags_are_read_even_where_the_sound_is_broken() {
    let bytes = [id3v2(&[text("TIT2", "Title")]), vec![0x20; 3000]].concat();
    assert_eq!(
        read_bytes("x.mp3", &bytes).tags.title.as_deref(),
        Some("Title")
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn damaged_files_never_end_the_program(
        which in 0usize..4,
        hits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        cut in any::<prop::sample::Index>(),
        is_cut in any::<bool>(),
    ) {
        let (name, mut bytes) = match which {
            0 => ("x.mp3", [id3v2(&[text("TIT2", "Title"), popm("a", 9)]), mpeg_frames(), ape(&[("BPM", "1")])].concat()),
            1 => ("x.flac", flac(&[("TITLE", "Title")])),
            2 => ("x.wav", wav(&chunk(b"id3 ", &id3v2(&[text("TIT2", "Better")])))),
            _ => ("x.m4a", mp4(&[mp4_free("BPM", "127.98")])),
        };
        // Headers are where it hurts.
        let reach = bytes.len().min(400);
        for (place, value) in hits {
            bytes[place.index(reach)] = value;
        }
        if is_cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let dir = tempfile::tempdir().unwrap();
        let path = file(&dir, name, &bytes);
        drop(read(&path));
        drop(art(&path));
    }
}
