//! Everything that a view may read while it draws one frame.

use crate::settings::Settings;
use crate::shelf::Shelf;
use tonearm_core::core_loop::view::View;
use tonearm_core::playback::{PlayerView, Playhead};
use tonearm_core::setup::SetupView;
use tonearm_core::units::Secs;

#[derive(Debug, Clone, Copy)]
pub struct Scene<'a> {
    pub view: &'a View,
    pub sound: &'a PlayerView,
    /// What is heard at the moment when this frame is drawn.
    pub playhead: Option<Playhead>,
    /// A place that was asked for and is not at the ear yet: steps go on from there.
    pub sought: Option<Secs>,
    pub shelf: &'a Shelf,
    pub settings: &'a Settings,
    /// What there is for analysis by models.
    pub setup: &'a SetupView,
    /// False until the library has been read.
    pub ready: bool,
}
