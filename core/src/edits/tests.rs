//! What edits make of beats and keys.
