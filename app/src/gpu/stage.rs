//! One frame on the card: what is uploaded, what is dropped, what is drawn.

use super::layout::{LAYER_BYTES, Layout, lengths};
use super::pipeline::{Numbers, Pipelines, colours};
use super::plan::{MOST_FRAMES_PER_PIXEL, Plan, Reach, View};
use super::resident::{Stretch, Track};
use crate::shelf::Samples;
use eframe::egui::{self, Color32, PaintCallbackInfo};
use eframe::egui_wgpu::{CallbackResources, CallbackTrait, ScreenDescriptor};
use eframe::wgpu;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tonearm_core::waveform::Waveform;

/// Bytes sent to the card in one frame, at most.
const BYTES_PER_FRAME: usize = 4 << 20;
/// What is kept on the card of tracks that are not in view.
const MOST_TRACKS: usize = 20;
const MOST_BYTES: usize = 128 << 20;
/// Places in the window where waveforms are drawn.
const MOST_SLOTS: usize = 24;

/// Whether the card draws. Shared by a window and what it sends to its card.
#[derive(Debug, Default)]
pub struct Health {
    failed: AtomicBool,
}

impl Health {
    pub fn is_good(&self) -> bool {
        !self.failed.load(Ordering::Relaxed)
    }

    fn fail(&self, ctx: &egui::Context) {
        if !self.failed.swap(true, Ordering::Relaxed) {
            ctx.request_repaint();
        }
    }
}

/// A waveform that is drawn.
#[derive(Debug, Clone)]
pub struct Source {
    /// The same pair means the same columns, but for those that were added at the end.
    pub track: u64,
    pub edition: u64,
    pub waveform: Arc<Waveform>,
    /// Columns of the finest level when it will be complete.
    pub expected: usize,
}

/// One waveform in one frame.
#[derive(Debug)]
pub struct Wave {
    /// Names the place in the window.
    pub slot: u64,
    pub source: Source,
    pub view: View,
    /// Pixels: height of what is visible, the centre line from its top, half the height of a full wave.
    pub height: f32,
    pub centre: f32,
    pub half: f32,
    pub gain: f32,
    /// Pixels.
    pub line: f32,
    pub ground: Color32,
    /// As of [`crate::theme::BANDS`].
    pub bands: [Color32; 7],
    /// Samples around the view, and how much of them is to be seen, 0 to 1.
    pub samples: Option<(Arc<Samples>, f32)>,
    /// Another number for each picture of each window.
    pub frame: u64,
    pub health: Arc<Health>,
    pub ctx: egui::Context,
}

type Key = (u64, u64);

/// Everything of ours that lies on the card.
#[derive(Debug)]
pub(super) struct Stage {
    pipelines: Pipelines,
    tracks: HashMap<Key, Track>,
    slots: HashMap<u64, Slot>,
    /// Where no samples are drawn.
    nothing: Stretch,
    most_layers: usize,
    /// Counts pictures, of all windows together.
    frame: u64,
    /// What the window calls its picture.
    picture: u64,
    budget: usize,
    serial: u64,
}

/// One place in the window.
#[derive(Debug)]
struct Slot {
    numbers: wgpu::Buffer,
    samples: Option<Stretch>,
    /// Made for these serial numbers of columns and samples.
    bound: Option<(u64, u64, wgpu::BindGroup)>,
    /// Strips to draw in this frame.
    pixels: u32,
    seen: u64,
}

impl Stage {
    pub(super) fn new(device: &wgpu::Device, format: wgpu::TextureFormat) -> Option<Self> {
        let limits = device.limits();
        if limits.max_texture_dimension_2d < 2048 {
            return None;
        }
        let by_bytes = MOST_BYTES / LAYER_BYTES;
        Some(Self {
            pipelines: Pipelines::new(device, format)?,
            tracks: HashMap::new(),
            slots: HashMap::new(),
            nothing: Stretch::new(device, 1, 0)?,
            most_layers: by_bytes.min(limits.max_texture_array_layers as usize),
            frame: 0,
            picture: 0,
            budget: BYTES_PER_FRAME,
            serial: 0,
        })
    }

    fn next_serial(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }

    fn begin_frame(&mut self, picture: u64) {
        if picture != self.picture {
            self.picture = picture;
            self.frame += 1;
            self.budget = BYTES_PER_FRAME;
        }
    }

    /// The track of `source` with as much of it as may be sent in this frame; whether that is all.
    fn track(
        &mut self,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        source: &Source,
    ) -> Option<bool> {
        let key = (source.track, source.edition);
        let lengths = lengths(&source.waveform, source.expected);
        let fits = |track: &Track| track.layout.holds(&lengths);
        if !self.tracks.get(&key).is_some_and(fits) {
            self.tracks.remove(&key);
            let layout = Layout::new(&lengths, self.most_layers)?;
            self.make_room(layout.bytes());
            let serial = self.next_serial();
            let track = Track::new(device, layout, serial)?;
            self.tracks.insert(key, track);
        }
        let track = self.tracks.get_mut(&key)?;
        track.seen = self.frame;
        Some(track.upload(queue, &source.waveform, &mut self.budget))
    }

    /// Drops what was not seen for longest, but nothing of this frame.
    fn make_room(&mut self, wanted: usize) {
        loop {
            let bytes: usize = self.tracks.values().map(|it| it.layout.bytes()).sum();
            if self.tracks.len() < MOST_TRACKS && bytes + wanted <= MOST_BYTES {
                return;
            }
            let oldest = self
                .tracks
                .iter()
                .filter(|(_, track)| track.seen != self.frame)
                .min_by_key(|(_, track)| track.seen)
                .map(|(key, _)| *key);
            let Some(oldest) = oldest else { return };
            self.tracks.remove(&oldest);
        }
    }

    fn slot(&mut self, device: &wgpu::Device, name: u64) -> &mut Slot {
        if self.slots.len() >= MOST_SLOTS && !self.slots.contains_key(&name) {
            let oldest = self.slots.iter().min_by_key(|(_, slot)| slot.seen);
            if let Some(oldest) = oldest.map(|(name, _)| *name) {
                self.slots.remove(&oldest);
            }
        }
        let slot = self.slots.entry(name).or_insert_with(|| Slot {
            numbers: device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("waveform"),
                size: size_of::<Numbers>() as u64,
                usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
                mapped_at_creation: false,
            }),
            samples: None,
            bound: None,
            pixels: 0,
            seen: 0,
        });
        slot.seen = self.frame;
        slot
    }

    /// Brings everything for `wave` to the card. `None`: the card cannot.
    fn prepare(&mut self, device: &wgpu::Device, queue: &wgpu::Queue, wave: &Wave) -> Option<bool> {
        self.begin_frame(wave.frame);
        let complete = self.track(device, queue, &wave.source)?;
        let serial = self.next_serial();
        self.slot(device, wave.slot).pixels = 0;
        let Self {
            tracks,
            slots,
            pipelines,
            nothing,
            ..
        } = self;
        let track = tracks.get(&(wave.source.track, wave.source.edition))?;
        let slot = slots.get_mut(&wave.slot)?;
        let waveform = &*wave.source.waveform;
        let finest = track.finest(waveform);
        let rate = f64::from(waveform.rate.hz());
        let Some(plan) = Plan::new(wave.view, waveform.levels.len(), finest, rate) else {
            // Nothing to draw is no failure.
            return Some(true);
        };
        let mut numbers = wave.numbers(&plan, &track.layout, pipelines.linear);
        if let Some((samples, share)) = &wave.samples
            && plan.samples * share > 0.0
        {
            if slot.samples.is_none() {
                slot.samples = Stretch::full(device, serial);
            }
            let shown = slot
                .samples
                .as_mut()
                .is_some_and(|stretch| wave.show_samples(queue, samples, stretch, &mut numbers));
            if shown {
                numbers.look[3] = plan.samples * share;
            }
        }
        let samples = slot.samples.as_ref().unwrap_or(nothing);
        let serials = (track.serial, samples.serial);
        if slot.bound.as_ref().map(|it| (it.0, it.1)) != Some(serials) {
            let group = pipelines.bind_group(device, &slot.numbers, &track.view, &samples.view);
            slot.bound = Some((serials.0, serials.1, group));
        }
        queue.write_buffer(&slot.numbers, 0, bytemuck::bytes_of(&numbers));
        slot.pixels = plan.pixels;
        Some(complete)
    }
}

impl Wave {
    fn numbers(&self, plan: &Plan, layout: &Layout, linear: bool) -> Numbers {
        let level = |reach: &Reach| {
            let row = layout.levels.get(reach.level).map_or(0, |level| level.0);
            let columns = self.source.waveform.levels.get(reach.level);
            let count = columns.map_or(0, Vec::len);
            [row as i32, count as i32, reach.base, 0]
        };
        Numbers {
            size: [plan.pixels as f32, self.height, self.centre, self.half],
            look: [self.gain, plan.shift, plan.fade, 0.0],
            law: [plan.law, f32::from(u8::from(linear)), self.line, 0.0],
            fine: level(&plan.fine),
            fine_reach: [plan.fine.rest, plan.fine.per_pixel, 0.0, 0.0],
            coarse: level(&plan.coarse),
            coarse_reach: [plan.coarse.rest, plan.coarse.per_pixel, 0.0, 0.0],
            raw: [0; 4],
            raw_reach: [0.0; 4],
            colours: colours(self.bands, self.ground),
        }
    }

    /// Uploads the samples under the view; whether they are there.
    fn show_samples(
        &self,
        queue: &wgpu::Queue,
        samples: &Arc<Samples>,
        stretch: &mut Stretch,
        numbers: &mut Numbers,
    ) -> bool {
        let rate = f64::from(samples.rate.hz());
        let per_pixel = self.view.per_pixel * rate;
        let (start, _) = self.view.grid();
        let first = start * rate - samples.start.0 as f64;
        let last = first + (f64::from(self.view.pixels) + 2.0) * per_pixel;
        if per_pixel > MOST_FRAMES_PER_PIXEL || last <= 0.0 {
            return false;
        }
        let wanted = (first.max(0.0) as usize)..(last.ceil() as usize);
        let Some(held) = stretch.hold(queue, samples, wanted) else {
            return false;
        };
        let place = first - held.start as f64;
        let base = place.floor();
        numbers.raw = [held.len() as i32, base as i32, 0, 0];
        numbers.raw_reach = [(place - base) as f32, per_pixel as f32, 0.0, 0.0];
        true
    }
}

impl CallbackTrait for Wave {
    fn prepare(
        &self,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        _screen: &ScreenDescriptor,
        _encoder: &mut wgpu::CommandEncoder,
        resources: &mut CallbackResources,
    ) -> Vec<wgpu::CommandBuffer> {
        let prepared = resources
            .get_mut::<Stage>()
            .and_then(|stage| stage.prepare(device, queue, self));
        match prepared {
            Some(true) => {}
            Some(false) => self.ctx.request_repaint(),
            None => self.health.fail(&self.ctx),
        }
        Vec::new()
    }

    fn paint(
        &self,
        _info: PaintCallbackInfo,
        pass: &mut wgpu::RenderPass<'static>,
        resources: &CallbackResources,
    ) {
        let Some(stage) = resources.get::<Stage>() else {
            return;
        };
        let Some(slot) = stage.slots.get(&self.slot).filter(|slot| slot.pixels > 0) else {
            return;
        };
        let Some((_, _, group)) = &slot.bound else {
            return;
        };
        pass.set_bind_group(0, group, &[]);
        pass.set_pipeline(&stage.pipelines.ground);
        pass.draw(0..4, 0..1);
        pass.set_pipeline(&stage.pipelines.strips);
        pass.draw(0..4, 0..slot.pixels);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use eframe::egui_wgpu::RendererOptions;
    use egui_kittest::wgpu::{create_render_state, default_wgpu_setup};
    use tonearm_core::units::SampleRate;
    use tonearm_core::waveform::Column;

    const THREE_HOURS: usize = 3 * 3600 * 300;

    #[test]
    fn three_hours_come_to_the_card_bit_by_bit_and_whole() {
        let rate = SampleRate::new(48_000).unwrap();
        let columns = vec![Column::default(); THREE_HOURS];
        let frames = THREE_HOURS as u64 * 160;
        let waveform = Arc::new(Waveform::from_columns(rate, frames, columns));
        let whole: usize = waveform.levels.iter().map(Vec::len).sum();
        let source = Source {
            track: 1,
            edition: 1,
            waveform,
            expected: 0,
        };
        let state = create_render_state(default_wgpu_setup(), RendererOptions::PREDICTABLE);
        let mut stage = Stage::new(&state.device, state.target_format).unwrap();
        let mut sent = 0;
        let mut finest = usize::MAX;
        for frame in 1..100 {
            stage.begin_frame(frame);
            let complete = stage.track(&state.device, &state.queue, &source).unwrap();
            // What is left of the budget cannot be below nothing.
            sent += BYTES_PER_FRAME - stage.budget;
            let seen = stage.tracks[&(1, 1)].finest(&source.waveform);
            assert!(seen <= finest, "it grows finer, never coarser");
            finest = seen;
            if complete {
                let needed = whole * size_of::<Column>();
                assert!(frame as usize >= needed / BYTES_PER_FRAME, "{frame}");
                assert!((needed..needed + 100_000).contains(&sent), "{sent}");
                assert_eq!(finest, 0);
                return;
            }
        }
        panic!("it never comes to an end");
    }
}
