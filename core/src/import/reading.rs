//! What a file is: its tags, and its format by whoever can tell.

use crate::audio::Decoder;
use crate::failure::Failure;
use crate::import::borrow;
use crate::import::tags::{self, TagsRead};
use crate::track::Track;
use std::path::Path;

/// Raised when the same file would be described otherwise.
pub const VERSION: u32 = 1;

/// Tags and format of the file at `path`. Fails when neither the tag reader nor a decoder finds music in it;
/// then the decoder's reason is the one to tell.
pub fn read(path: &Path) -> Result<TagsRead, Failure> {
    let read = tags::read(path);
    if let Ok(TagsRead {
        format: Some(_), ..
    }) = read
    {
        return read;
    }
    match Decoder::open(path) {
        Ok(decoder) => {
            let TagsRead { tags, .. } = read.unwrap_or_default();
            Ok(TagsRead {
                tags,
                format: Some(decoder.format().clone()),
            })
        }
        Err(error) => Err(Failure::from(&error)),
    }
}

/// Takes what was read into the track. What another library told and the file does not stays.
pub fn describe(track: &mut Track, read: TagsRead) {
    borrow::describe(&mut track.tags, &mut track.borrowed, read.tags);
    // What decoding showed of the same file is better than what its header says.
    if track.format.is_none() {
        track.format = read.format;
    }
}
