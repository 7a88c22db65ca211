//! Every tag format's own names → one list of fields. The names are those that DJ programs write.

use lofty::ape::ApeTag;
use lofty::id3::v1::{GENRES, Id3v1Tag};
use lofty::id3::v2::{Frame, Id3v2Tag};
use lofty::iff::aiff::AiffTextChunks;
use lofty::iff::wav::RiffInfoList;
use lofty::mp4::{AtomData, AtomIdent, Ilst};
use lofty::ogg::OggPictureStorage as _;
use lofty::ogg::tag::VorbisComments;
use lofty::picture::Picture;
use lofty::tag::ItemValue;

/// What a field of a tag means to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Title,
    Artist,
    Album,
    Genre,
    Comment,
    Label,
    Remixer,
    Composer,
    Year,
    TrackNumber,
    Bpm,
    Key,
    /// As text, on a scale that the text itself tells.
    Rating,
}

/// The fields of all tags of a file: of several for one field, the first that makes sense counts.
#[derive(Debug, Default)]
pub(super) struct Fields {
    pub(super) texts: Vec<(Field, String)>,
    /// ID3 popularimeters: who wrote it, and its value.
    pub(super) popularimeters: Vec<(String, u8)>,
    pub(super) pictures: Vec<Picture>,
}

impl Fields {
    fn push(&mut self, field: Option<Field>, text: &str) {
        if let Some(field) = field
            && !text.trim().is_empty()
        {
            self.texts.push((field, text.to_owned()));
        }
    }

    pub(super) fn id3v2(&mut self, tag: &Id3v2Tag) {
        let mut described_comment = None;
        let mut free = Vec::new();
        for frame in tag {
            match frame {
                Frame::Text(text) if text.id().as_str() == "TCON" => {
                    let genres: Vec<&str> = tag.genres().into_iter().flatten().collect();
                    self.push(Some(Field::Genre), &genres.join(", "));
                }
                Frame::Text(text) => self.push(id3v2_field(text.id().as_str()), &text.value),
                Frame::Timestamp(date) => {
                    let is_release = matches!(date.id().as_str(), "TDRC" | "TDRL");
                    let year = is_release.then_some(Field::Year);
                    self.push(year, &format!("{:04}", date.timestamp.year));
                }
                Frame::UserText(text) => {
                    free.push((free_field(&text.description), text.content.as_ref()));
                }
                Frame::Comment(comment) if comment.description.trim().is_empty() => {
                    self.push(Some(Field::Comment), &comment.content);
                }
                Frame::Comment(comment) if is_for_people(&comment.description) => {
                    described_comment.get_or_insert(comment.content.as_ref());
                }
                Frame::Popularimeter(rating) => self
                    .popularimeters
                    .push((rating.email.to_string(), rating.rating)),
                Frame::Picture(frame) => self.pictures.push(frame.picture.as_ref().clone()),
                _ => {}
            }
        }
        // Frames with names of their own come before free text of the same meaning.
        for (field, text) in free {
            self.push(field, text);
        }
        self.push(Some(Field::Comment), described_comment.unwrap_or_default());
    }

    pub(super) fn id3v1(&mut self, tag: &Id3v1Tag) {
        for (field, text) in [
            (Field::Title, &tag.title),
            (Field::Artist, &tag.artist),
            (Field::Album, &tag.album),
            (Field::Comment, &tag.comment),
        ] {
            self.push(Some(field), text.as_deref().unwrap_or_default());
        }
        if let Some(year) = tag.year {
            self.push(Some(Field::Year), &year.to_string());
        }
        if let Some(number) = tag.track_number {
            self.push(Some(Field::TrackNumber), &number.to_string());
        }
        let genre = tag.genre.and_then(|genre| GENRES.get(usize::from(genre)));
        self.push(Some(Field::Genre), genre.copied().unwrap_or_default());
    }

    pub(super) fn ape(&mut self, tag: &ApeTag) {
        for item in tag {
            match item.value() {
                ItemValue::Text(text) | ItemValue::Locator(text) => {
                    self.push(free_field(item.key()), text);
                }
                ItemValue::Binary(bytes) => {
                    if starts_with_ignoring_case(item.key(), "cover art")
                        && let Ok(picture) = Picture::from_ape_bytes(item.key(), bytes)
                    {
                        self.pictures.push(picture);
                    }
                }
            }
        }
    }

    pub(super) fn vorbis(&mut self, tag: &VorbisComments) {
        let mut joined: Vec<(Field, String)> = Vec::new();
        for (name, text) in tag.items() {
            let Some(field) = free_field(name) else {
                continue;
            };
            // Several artists are several fields of the same name.
            let is_list = matches!(
                field,
                Field::Artist | Field::Genre | Field::Composer | Field::Remixer
            );
            match joined
                .iter_mut()
                .find(|(known, _)| is_list && *known == field)
            {
                Some((_, list)) if !text.trim().is_empty() => {
                    list.push('\0');
                    list.push_str(text);
                }
                Some(_) => {}
                None => joined.push((field, text.to_owned())),
            }
        }
        for (field, text) in joined {
            self.push(Some(field), &text);
        }
        self.pictures
            .extend(tag.pictures().iter().map(|(picture, _)| picture.clone()));
    }

    pub(super) fn mp4(&mut self, tag: &Ilst) {
        let mut free = Vec::new();
        for atom in tag {
            match atom.ident() {
                AtomIdent::Fourcc(code) => {
                    let field = mp4_field(*code);
                    for data in atom.data() {
                        self.push(field, &mp4_text(*code, data));
                    }
                }
                AtomIdent::Freeform { name, .. } => {
                    for data in atom.data() {
                        free.push((free_field(name), mp4_text(*b"----", data)));
                    }
                }
            }
        }
        for (field, text) in free {
            self.push(field, &text);
        }
        self.pictures
            .extend(tag.pictures().into_iter().flatten().cloned());
    }

    pub(super) fn riff(&mut self, tag: &RiffInfoList) {
        for (name, text) in tag {
            let field = match name.as_str() {
                "INAM" => Field::Title,
                "IART" => Field::Artist,
                "IPRD" => Field::Album,
                "IGNR" => Field::Genre,
                "ICMT" => Field::Comment,
                "IPUB" => Field::Label,
                "IMUS" => Field::Composer,
                "ICRD" => Field::Year,
                "IPRT" | "ITRK" => Field::TrackNumber,
                "IBPM" => Field::Bpm,
                "IRTD" => Field::Rating,
                _ => continue,
            };
            self.push(Some(field), text);
        }
    }

    pub(super) fn aiff(&mut self, tag: &AiffTextChunks) {
        self.push(Some(Field::Title), tag.name.as_deref().unwrap_or_default());
        self.push(
            Some(Field::Artist),
            tag.author.as_deref().unwrap_or_default(),
        );
        let comments = tag.comments.iter().flatten().map(|comment| &comment.text);
        for text in tag.annotations.iter().flatten().chain(comments) {
            self.push(Some(Field::Comment), text);
        }
    }
}

fn starts_with_ignoring_case(text: &str, prefix: &str) -> bool {
    text.get(..prefix.len())
        .is_some_and(|head| head.eq_ignore_ascii_case(prefix))
}

/// Programs keep figures of their own in comments with such descriptions.
fn is_for_people(description: &str) -> bool {
    !["itun", "songs-db", "musicmatch", "id3v1"]
        .iter()
        .any(|program| starts_with_ignoring_case(description.trim(), program))
}

fn id3v2_field(frame: &str) -> Option<Field> {
    Some(match frame {
        "TIT2" => Field::Title,
        "TPE1" => Field::Artist,
        "TALB" => Field::Album,
        "TPUB" => Field::Label,
        "TPE4" => Field::Remixer,
        "TCOM" => Field::Composer,
        "TDRC" | "TYER" | "TDRL" => Field::Year,
        "TRCK" => Field::TrackNumber,
        "TBPM" => Field::Bpm,
        "TKEY" => Field::Key,
        _ => return None,
    })
}

/// Names that people and programs choose themselves: Vorbis comments, APE items, `TXXX`, free
/// MP4 atoms. Case does not matter, nor do blanks and underscores.
fn free_field(name: &str) -> Option<Field> {
    let plain: String = name
        .chars()
        .take(40)
        .filter(|c| !matches!(c, ' ' | '_' | '-'))
        .flat_map(char::to_uppercase)
        .collect();
    Some(match plain.as_str() {
        "TITLE" => Field::Title,
        "ARTIST" => Field::Artist,
        "ALBUM" => Field::Album,
        "GENRE" => Field::Genre,
        "COMMENT" | "DESCRIPTION" => Field::Comment,
        "LABEL" | "PUBLISHER" | "ORGANIZATION" | "RECORDLABEL" => Field::Label,
        "REMIXER" | "MIXARTIST" => Field::Remixer,
        "COMPOSER" => Field::Composer,
        "DATE" | "YEAR" | "RELEASEDATE" => Field::Year,
        "TRACKNUMBER" | "TRACK" => Field::TrackNumber,
        "BPM" | "TBPM" | "TEMPO" | "FBPM" => Field::Bpm,
        "INITIALKEY" | "KEY" | "TKEY" => Field::Key,
        "RATING" | "RATINGWMP" | "FMPSRATING" => Field::Rating,
        // Quod Libet names the user: `RATING:someone@example`.
        other if other.starts_with("RATING:") => Field::Rating,
        _ => return None,
    })
}

fn mp4_field(code: [u8; 4]) -> Option<Field> {
    Some(match &code {
        b"\xa9nam" => Field::Title,
        b"\xa9ART" => Field::Artist,
        b"\xa9alb" => Field::Album,
        b"\xa9gen" => Field::Genre,
        b"\xa9cmt" => Field::Comment,
        b"\xa9wrt" => Field::Composer,
        b"\xa9day" => Field::Year,
        b"trkn" => Field::TrackNumber,
        b"tmpo" => Field::Bpm,
        b"rate" => Field::Rating,
        _ => return None,
    })
}

fn mp4_text(code: [u8; 4], data: &AtomData) -> String {
    match data {
        AtomData::UTF8(text) | AtomData::UTF16(text) => text.clone(),
        AtomData::SignedInteger(number) => number.to_string(),
        AtomData::UnsignedInteger(number) => number.to_string(),
        // Two bytes of nothing, the number, the total.
        AtomData::Unknown { data, .. } if code == *b"trkn" => match data.as_slice() {
            [_, _, high, low, ..] => u16::from_be_bytes([*high, *low]).to_string(),
            _ => String::new(),
        },
        _ => String::new(),
    }
}
