//! The law of the volume fader.

/// What the fader at `place` (0 to 1) does to the sound: the cube, 18 dB less at the middle.
pub fn gain(place: f32) -> f32 {
    place.clamp(0.0, 1.0).powi(3)
}

/// Where the fader stands for `gain`.
pub fn place(gain: f32) -> f32 {
    gain.clamp(0.0, 1.0).cbrt()
}

/// `−18.1 dB`, or silence.
pub fn decibels(gain: f32) -> String {
    if gain < 1e-5 {
        return "silent".to_owned();
    }
    let decibels = 20.0 * gain.log10();
    if decibels.abs() < 0.05 {
        return "0 dB".to_owned();
    }
    format!("{decibels:.1} dB").replace('-', "\u{2212}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fader_comes_back_to_where_it_was_put() {
        for step in 0..=20_u8 {
            let at = f32::from(step) / 20.0;
            assert!((place(gain(at)) - at).abs() < 1e-5);
        }
        assert_eq!((gain(-1.0), gain(2.0), place(1.5)), (0.0, 1.0, 1.0));
    }

    #[test]
    fn levels_read_as_engineers_write_them() {
        assert_eq!(decibels(gain(0.5)), "\u{2212}18.1 dB");
        assert_eq!(decibels(1.0), "0 dB");
        assert_eq!(decibels(0.0), "silent");
    }
}
