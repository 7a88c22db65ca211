//! What the user changed by hand: kept apart from what analysis found, and above it for ever.

use crate::harmony::Key;

/// One change by hand to one track. It is made to what is shown now, and stays whatever later analysis finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edit {
    /// Every second beat goes.
    HalveTempo,
    /// A beat more between each two.
    DoubleTempo,
    /// The best other tempo that analysis offers; asked again, the next, and after the last the first.
    NextTempo,
    /// The downbeat moves by this many beats, later for positive numbers.
    ShiftDownbeat(i8),
    /// The best other key that analysis offers; asked again, the next, and after the last the first.
    NextKey,
    SetKey(Key),
    /// Back to what analysis finds, for beats.
    ForgetBeats,
    /// Back to what analysis finds, for the key.
    ForgetKey,
}
