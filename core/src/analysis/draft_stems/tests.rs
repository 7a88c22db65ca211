//! Sounds whose parts are known, taken apart and put together again.

use super::Draft;
use std::convert::Infallible;

fn taken_apart(mix: &[f32], piece: usize) -> (Vec<f32>, [Vec<f32>; 4]) {
    let (mut whole, mut stems) = (Vec::new(), <[Vec<f32>; 4]>::default());
    let mut sink = |mix: &[f32], parts: [&[f32]; 4]| {
        whole.extend_from_slice(mix);
        for (stem, part) in stems.iter_mut().zip(parts) {
            stem.extend_from_slice(part);
        }
        Ok::<(), Infallible>(())
    };
    let mut draft = Draft::default();
    for piece in mix.chunks(2 * piece) {
        draft.push(piece, &mut sink).unwrap();
    }
    draft.finish(&mut sink).unwrap();
    (whole, stems)
}

fn power(samples: impl IntoIterator<Item = f32>) -> f64 {
    samples.into_iter().map(|it| f64::from(it * it)).sum()
}

/// A kick of noise and sine every half second, a low tone, a high chord to the left.
fn music(seconds: f32) -> Vec<f32> {
    let mut seed = 1_u32;
    let tone = |at: f32, hz: f32| (at * hz * std::f32::consts::TAU).sin();
    (0..(seconds * 44_100.0) as usize)
        .flat_map(|frame| {
            let at = frame as f32 / 44_100.0;
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let hiss = (seed >> 8) as f32 / 8_388_608.0 - 1.0;
            let blow = hiss * (-40.0 * (at % 0.5)).exp() * 0.5;
            let low = tone(at, 65.4) * 0.3;
            let chord = (tone(at, 523.3) + tone(at, 659.3)) * 0.1;
            [blow + low + chord, blow + low + chord * 0.2]
        })
        .collect()
}

#[test]
fn the_four_add_up_to_the_mix_whatever_the_length_and_the_pieces() {
    let music = music(3.0);
    for frames in [0, 1, 1_023, 1_024, 1_025, 4_096, 30_000, 132_300] {
        let mix = &music[..2 * frames];
        let (whole, stems) = taken_apart(mix, 777);
        assert_eq!(whole, mix, "{frames}");
        let [drums, bass, other, vocals] = &stems;
        assert!(stems.iter().all(|stem| stem.len() == mix.len()), "{frames}");
        let sums = drums.iter().zip(bass).zip(other).zip(vocals);
        let rest = sums
            .zip(mix)
            .map(|((((drums, bass), other), vocals), mix)| mix - drums - bass - other - vocals);
        let residual = 10.0 * (power(rest) / power(mix.iter().copied()).max(1e-9)).log10();
        assert!(residual < -120.0, "{frames}: {residual} dB");
        if frames > 100_000 {
            assert_eq!(
                taken_apart(mix, 5_000).1,
                stems,
                "pieces make no difference"
            );
        }
    }
}

#[test]
fn blows_low_tones_and_the_rest_go_where_they_belong() {
    let mix = music(6.0);
    let (_, [drums, bass, other, _]) = taken_apart(&mix, 4_000);
    let at = |stem: &[f32], hz: f32| {
        // The middle two seconds of the left side against a tone.
        let (mut re, mut im) = (0.0_f64, 0.0_f64);
        for (frame, pair) in stem.as_chunks::<2>().0[88_200..176_400].iter().enumerate() {
            let angle = f64::from(hz) * frame as f64 / 44_100.0 * std::f64::consts::TAU;
            re += f64::from(pair[0]) * angle.cos();
            im += f64::from(pair[0]) * angle.sin();
        }
        re.hypot(im) / 44_100.0
    };
    assert!(at(&bass, 65.4) > 0.26 && at(&drums, 65.4) < 0.05 && at(&other, 65.4) < 0.05);
    assert!(at(&bass, 523.3) < 0.01 && at(&drums, 523.3) < 0.02);
    // Most of a blow's power is in the drums; hardly any between blows.
    let within = |stem: &[f32], from: f32, to: f32| {
        let of = |secs: f32| (secs * 44_100.0) as usize;
        power(
            stem.as_chunks::<2>().0[of(from)..of(to)]
                .iter()
                .map(|pair| pair[0] - pair[1] * 0.0),
        )
    };
    assert!(within(&drums, 3.0, 3.05) > 10.0 * within(&drums, 3.3, 3.45));
}

#[test]
fn silence_stays_silent_and_what_is_no_number_spoils_nothing() {
    let (_, stems) = taken_apart(&vec![0.0; 50_000], 1_000);
    assert!(stems.iter().flatten().all(|sample| *sample == 0.0));
    let mut mix = music(1.0);
    mix[20_000] = f32::NAN;
    mix[40_001] = f32::INFINITY;
    let (whole, stems) = taken_apart(&mix, 1_000);
    assert!(
        stems
            .iter()
            .flatten()
            .chain(&whole)
            .all(|sample| sample.is_finite())
    );
    assert!(power(whole.iter().copied()) > 1.0);
}
