//! Pictures of decks: two that mix, four with trouble, the overlay.

use crate::scenes::{Made, harness, sleeve, stale};
use egui_kittest::{Harness, SnapshotResults};

fn settled(mut harness: Harness<'static, Made>) -> Harness<'static, Made> {
    // What is sent to the card shows with the pictures.
    for _frame in 0..3 {
        harness.run_steps(2);
        assert!(harness.render().is_ok());
    }
    harness
}

#[test]
fn decks_look_as_they_should() {
    let mut results = SnapshotResults::new();
    let mut mixing = settled(harness(Made::mixing(), [640.0, 400.0]));
    results.add(mixing.try_snapshot("decks_mixing"));
    let mut four = Made::four();
    let now = four.now;
    four.decks.simulated = Some("mixing".into());
    four.first(|deck| stale(deck, now));
    let mut four = settled(harness(four, [640.0, 400.0]));
    results.add(four.try_snapshot("decks_four"));
    let mut overlay = Made::mixing();
    overlay.overlay = true;
    let art = sleeve(&overlay.shelf);
    overlay.first(|deck| deck.art = Some(art));
    let mut overlay = settled(harness(overlay, [520.0, 180.0]));
    results.add(overlay.try_snapshot("decks_overlay"));
}
