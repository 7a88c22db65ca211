//! Ids for new tracks.

use crate::track::TrackId;

/// Track ids without an order that anybody could lean on (splitmix64, Steele et al. 2014).
#[derive(Debug)]
pub(super) struct IdSource(pub(super) u64);

impl IdSource {
    pub(super) fn next(&mut self, taken: impl Fn(TrackId) -> bool) -> TrackId {
        loop {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut mixed = self.0;
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            let id = TrackId(mixed ^ (mixed >> 31));
            if !taken(id) {
                return id;
            }
        }
    }
}
