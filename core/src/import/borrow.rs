//! Tags that another library tells of a track whose file does not tell them. Pure.

use crate::track::{TagField, TagFields, Tags};

/// Does the same for every field that may be borrowed.
macro_rules! each_field {
    ($apply:ident) => {
        $apply!(title, Title);
        $apply!(artist, Artist);
        $apply!(album, Album);
        $apply!(genre, Genre);
        $apply!(comment, Comment);
        $apply!(label, Label);
        $apply!(remixer, Remixer);
        $apply!(composer, Composer);
        $apply!(year, Year);
        $apply!(track_number, TrackNumber);
        $apply!(rating, Rating);
        $apply!(bpm, Bpm);
        $apply!(key, Key);
    };
}

/// Takes what the library tells where the file tells nothing, in the place of what was borrowed before. What the
/// library does not tell any more stays: another one may have told it.
pub(crate) fn fill(tags: &mut Tags, borrowed: &mut TagFields, told: &Tags) {
    macro_rules! fill {
        ($field:ident, $name:ident) => {
            if told.$field.is_some()
                && (tags.$field.is_none() || borrowed.contains(TagField::$name))
            {
                tags.$field.clone_from(&told.$field);
                borrowed.set(TagField::$name, true);
            }
        };
    }
    each_field!(fill);
}

/// Puts the tags of the file, read anew, in the place of `tags`; what it does not tell stays borrowed.
pub(crate) fn describe(tags: &mut Tags, borrowed: &mut TagFields, mut read: Tags) {
    macro_rules! keep {
        ($field:ident, $name:ident) => {
            if read.$field.is_some() {
                borrowed.set(TagField::$name, false);
            } else if borrowed.contains(TagField::$name) {
                read.$field = tags.$field.take();
            }
        };
    }
    each_field!(keep);
    *tags = read;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(title: Option<&str>, rating: Option<u8>) -> Tags {
        Tags {
            title: title.map(Into::into),
            rating,
            ..Tags::default()
        }
    }

    #[test]
    fn the_file_outranks_the_library_and_the_library_fills_what_is_empty() {
        let mut shown = tags(Some("of the file"), None);
        let mut borrowed = TagFields::default();
        fill(&mut shown, &mut borrowed, &tags(Some("of Engine"), Some(4)));
        assert_eq!(shown, tags(Some("of the file"), Some(4)));
        fill(&mut shown, &mut borrowed, &tags(Some("other"), Some(2)));
        assert_eq!(shown, tags(Some("of the file"), Some(2)));
        fill(&mut shown, &mut borrowed, &tags(None, None));
        assert_eq!(shown.rating, Some(2));

        // The file is written to: it lost its title and got stars.
        describe(&mut shown, &mut borrowed, tags(None, Some(5)));
        assert_eq!(shown, tags(None, Some(5)));
        fill(&mut shown, &mut borrowed, &tags(Some("of Engine"), Some(1)));
        assert_eq!(shown, tags(Some("of Engine"), Some(5)));
        describe(&mut shown, &mut borrowed, tags(None, None));
        assert_eq!(shown, tags(Some("of Engine"), None));
    }
}
