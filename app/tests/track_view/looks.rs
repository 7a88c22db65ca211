//! Pictures of the track page: zooms, scales, states.

use crate::scenes::{Made, harness, hear, look, plain_harness, take_apart};
use egui_kittest::{Harness, SnapshotResults};
use tonearm_core::playback::StemMix;
use tonearm_core::stems::Stem;

const SIZE: [f32; 2] = [640.0, 400.0];

fn zoomed(per_point: f64) -> Made {
    let mut made = Made::analyzed();
    look(&mut made, per_point);
    made
}

fn settled(mut harness: Harness<'static, Made>) -> Harness<'static, Made> {
    // What is sent to the card, and whether it could be, shows with the pictures.
    for _frame in 0..3 {
        harness.run_steps(2);
        assert!(harness.render().is_ok());
    }
    // What fades in has faded in.
    harness.run_steps(20);
    harness
}

#[test]
fn the_page_looks_as_it_should_at_every_zoom_and_scale() {
    let mut results = SnapshotResults::new();
    for (name, per_point) in [
        ("track_whole", 1.0),
        ("track_page", 0.0125),
        ("track_samples", 2e-5),
    ] {
        let mut harness = settled(harness(zoomed(per_point), SIZE));
        results.add(harness.try_snapshot(name));
    }
    let mut narrow = settled(harness(zoomed(0.0125), [320.0, 400.0]));
    results.add(narrow.try_snapshot("track_narrow"));
    let mut twice = harness(zoomed(0.0125), [640.0, 600.0]);
    twice.set_pixels_per_point(2.0);
    let mut twice = settled(twice);
    results.add(twice.try_snapshot("track_twice"));
}

#[test]
fn stems_look_as_they_should() {
    let mut made = zoomed(0.0125);
    let mix = StemMix::default()
        .toggled(Stem::Vocals)
        .with_volume(Stem::Bass, 0.3);
    take_apart(&mut made, false, Some(mix));
    let mut stems = settled(harness(made, [900.0, 620.0]));
    SnapshotResults::new().add(stems.try_snapshot("track_stems"));
}

#[test]
fn the_page_looks_as_it_should_in_the_making_and_without_a_card() {
    let mut results = SnapshotResults::new();
    let mut made = Made::growing();
    hear(&mut made, None);
    look(&mut made, 0.16);
    let mut growing = settled(harness(made, SIZE));
    results.add(growing.try_snapshot("track_growing"));
    let mut plain = settled(plain_harness(zoomed(0.0125), SIZE));
    results.add(plain.try_snapshot("track_without_card"));
}
