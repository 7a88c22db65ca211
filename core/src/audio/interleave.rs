//! From a decoder's planes to interleaved samples, with everything that is no sound made silence.

use symphonia::core::audio::{Audio as _, AudioBuffer, GenericAudioBufferRef};

/// Samples beyond this are no sound: 60 dB above full scale.
const LOUDEST: f32 = 1000.0;
/// Samples below this only slow the arithmetic down: −600 dB.
const FAINTEST: f32 = 1e-30;

/// Replaces `out` by the frames of `buffer`. Tells how many samples were no numbers or beyond all reason.
pub(super) fn copy(buffer: &GenericAudioBufferRef<'_>, out: &mut Vec<f32>) -> u64 {
    // Full scale of integer formats is a power of two: these conversions lose nothing up to 24 bits.
    match buffer {
        GenericAudioBufferRef::F32(buffer) => {
            planes(buffer, out, sound);
            return buffer.iter_planes().map(count_bad).sum();
        }
        GenericAudioBufferRef::S16(buffer) => {
            planes(buffer, out, |sample| f32::from(sample) / 32_768.0);
        }
        GenericAudioBufferRef::S24(buffer) => {
            planes(buffer, out, |sample| sample.inner() as f32 / 8_388_608.0);
        }
        GenericAudioBufferRef::S32(buffer) => {
            planes(buffer, out, |sample| sample as f32 / 2_147_483_648.0);
        }
        other => {
            other.copy_to_vec_interleaved(out);
            let bad = count_bad(out);
            for sample in out {
                *sample = sound(*sample);
            }
            return bad;
        }
    }
    0
}

/// A pass of its own, so that both are done many samples at a time.
fn count_bad(samples: &[f32]) -> u64 {
    let bad = samples.iter().map(|it| u64::from(is_bad(*it)));
    bad.sum()
}

#[inline]
fn is_bad(sample: f32) -> bool {
    // What is no number is in no range.
    !(0.0..=LOUDEST).contains(&sample.abs())
}

/// The sample itself, unless it is not a number, out of all reason, or so faint that it only costs time.
#[inline]
fn sound(sample: f32) -> f32 {
    let level = sample.abs();
    if (FAINTEST..=LOUDEST).contains(&level) {
        sample
    } else {
        0.0
    }
}

#[inline]
fn planes<S: symphonia::core::audio::sample::Sample>(
    buffer: &AudioBuffer<S>,
    out: &mut Vec<f32>,
    convert: impl Fn(S) -> f32,
) {
    out.resize(buffer.frames() * buffer.num_planes(), 0.0);
    match (buffer.num_planes(), buffer.plane(0), buffer.plane(1)) {
        (1, Some(only), _) => {
            for (place, &sample) in out.iter_mut().zip(only) {
                *place = convert(sample);
            }
        }
        (2, Some(left), Some(right)) => {
            let places = out.as_chunks_mut::<2>().0.iter_mut();
            for ((place, &left), &right) in places.zip(left).zip(right) {
                *place = [convert(left), convert(right)];
            }
        }
        (count, ..) => {
            for (channel, plane) in buffer.iter_planes().enumerate() {
                let places = out.iter_mut().skip(channel).step_by(count.max(1));
                for (place, &sample) in places.zip(plane) {
                    *place = convert(sample);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_sound_becomes_silence() {
        for garbage in [
            f32::NAN,
            f32::INFINITY,
            f32::NEG_INFINITY,
            1e30,
            -1e30,
            1e-40,
        ] {
            assert_eq!(sound(garbage), 0.0, "{garbage}");
            assert_eq!(is_bad(garbage), garbage != 1e-40, "{garbage}");
        }
        for honest in [0.0, 1.0, -1.0, 3.5, 1e-9] {
            assert_eq!(sound(honest), honest);
            assert!(!is_bad(honest), "{honest}");
        }
    }
}
