//! What lies on the graphics card: columns of tracks and stretches of samples, uploaded bit by bit.

use super::layout::{COLUMNS_PER_ROW, Layout, ROWS_PER_LAYER, TEXELS_PER_COLUMN, column_bytes};
use crate::shelf::Samples;
use eframe::wgpu;
use std::ops::Range;
use std::sync::Arc;
use tonearm_core::waveform::{Column, Waveform};

/// The columns of one track.
#[derive(Debug)]
pub(super) struct Track {
    pub layout: Layout,
    pub view: wgpu::TextureView,
    texture: wgpu::Texture,
    /// Columns of each level that are there.
    uploaded: Vec<usize>,
    /// The frame in which it was last drawn.
    pub seen: u64,
    /// Another number for every texture: bind groups know by it that theirs is gone.
    pub serial: u64,
}

impl Track {
    pub(super) fn new(device: &wgpu::Device, layout: Layout, serial: u64) -> Option<Self> {
        let size = wgpu::Extent3d {
            width: (COLUMNS_PER_ROW * TEXELS_PER_COLUMN) as u32,
            height: ROWS_PER_LAYER as u32,
            depth_or_array_layers: layout.layers as u32,
        };
        let texture = texture(device, "waveform", size, wgpu::TextureFormat::R16Uint)?;
        let view = texture.create_view(&wgpu::TextureViewDescriptor {
            dimension: Some(wgpu::TextureViewDimension::D2Array),
            ..wgpu::TextureViewDescriptor::default()
        });
        let uploaded = vec![0; layout.levels.len()];
        Some(Self {
            layout,
            view,
            texture,
            uploaded,
            seen: 0,
            serial,
        })
    }

    /// Sends what is new, coarse levels first, and takes its bytes from `budget`. Returns whether all is there.
    pub(super) fn upload(
        &mut self,
        queue: &wgpu::Queue,
        waveform: &Waveform,
        budget: &mut usize,
    ) -> bool {
        let levels = waveform.levels.iter().enumerate().zip(&mut self.uploaded);
        for ((level, columns), uploaded) in levels.rev() {
            if *uploaded > columns.len() {
                // It began anew.
                *uploaded = 0;
            }
            let most = *budget / size_of::<Column>();
            while let Some(block) = self.layout.block(level, *uploaded, columns.len(), most) {
                let bytes = column_bytes(block.columns.len());
                if bytes > *budget {
                    return false;
                }
                *budget -= bytes;
                let Some(source) = columns.get(block.columns.clone()) else {
                    return true;
                };
                let target = wgpu::TexelCopyTextureInfo {
                    origin: wgpu::Origin3d {
                        x: 0,
                        y: block.row as u32,
                        z: block.layer as u32,
                    },
                    ..self.texture.as_image_copy()
                };
                let rows = wgpu::TexelCopyBufferLayout {
                    offset: 0,
                    bytes_per_row: Some(column_bytes(block.width) as u32),
                    rows_per_image: Some(block.rows as u32),
                };
                let size = wgpu::Extent3d {
                    width: (block.width * TEXELS_PER_COLUMN) as u32,
                    height: block.rows as u32,
                    depth_or_array_layers: 1,
                };
                queue.write_texture(target, bytemuck::cast_slice(source), rows, size);
                *uploaded = block.columns.end;
            }
        }
        true
    }

    /// The finest level that is there as far as the waveform is.
    pub(super) fn finest(&self, waveform: &Waveform) -> usize {
        let levels = waveform.levels.iter().zip(&self.uploaded).enumerate();
        let missing = levels
            .filter(|(_, (columns, uploaded))| columns.len() > **uploaded)
            .map(|(level, _)| level + 1)
            .max();
        missing.unwrap_or(0).max(self.layout.finest)
    }
}

/// Samples on the card: 5.4 seconds at 48 kHz, 1 MB.
const SAMPLES_PER_ROW: usize = 2048;
const SAMPLE_ROWS: usize = 128;
const SAMPLES: usize = SAMPLES_PER_ROW * SAMPLE_ROWS;

/// A stretch of single samples.
#[derive(Debug)]
pub(super) struct Stretch {
    pub view: wgpu::TextureView,
    texture: wgpu::Texture,
    /// What of which samples is there; a pointer that is held cannot come to mean others.
    held: Option<(Arc<Samples>, Range<usize>)>,
    pub serial: u64,
}

impl Stretch {
    pub(super) fn new(device: &wgpu::Device, rows: usize, serial: u64) -> Option<Self> {
        let size = wgpu::Extent3d {
            width: SAMPLES_PER_ROW as u32,
            height: rows as u32,
            depth_or_array_layers: 1,
        };
        let texture = texture(device, "samples", size, wgpu::TextureFormat::R32Float)?;
        let view = texture.create_view(&wgpu::TextureViewDescriptor::default());
        Some(Self {
            view,
            texture,
            held: None,
            serial,
        })
    }

    pub(super) fn full(device: &wgpu::Device, serial: u64) -> Option<Self> {
        Self::new(device, SAMPLE_ROWS, serial)
    }

    /// Sees to it that `wanted` (indices into `samples`) is there. Returns what is there, within `samples`;
    /// `None` when it is more than there is room for.
    pub(super) fn hold(
        &mut self,
        queue: &wgpu::Queue,
        samples: &Arc<Samples>,
        wanted: Range<usize>,
    ) -> Option<Range<usize>> {
        let wanted = wanted.start.min(samples.mono.len())..wanted.end.min(samples.mono.len());
        if let Some((held, range)) = &self.held
            && Arc::ptr_eq(held, samples)
            && range.start <= wanted.start
            && wanted.end <= range.end
        {
            return Some(range.clone());
        }
        if wanted.is_empty() || wanted.len() > SAMPLES {
            return None;
        }
        // As much before as after.
        let spare = (SAMPLES - wanted.len()) / 2;
        let last_start = samples.mono.len().saturating_sub(SAMPLES);
        let start = wanted.start.saturating_sub(spare).min(last_start);
        let end = (start + SAMPLES).min(samples.mono.len());
        let whole_rows = (end - start) / SAMPLES_PER_ROW;
        let split = start + whole_rows * SAMPLES_PER_ROW;
        for (from, to, row, rows) in [(start, split, 0, whole_rows), (split, end, whole_rows, 1)] {
            let source = samples.mono.get(from..to).unwrap_or_default();
            if source.is_empty() {
                continue;
            }
            let width = source.len() / rows.max(1);
            let target = wgpu::TexelCopyTextureInfo {
                origin: wgpu::Origin3d {
                    x: 0,
                    y: row as u32,
                    z: 0,
                },
                ..self.texture.as_image_copy()
            };
            let layout = wgpu::TexelCopyBufferLayout {
                offset: 0,
                bytes_per_row: Some((width * size_of::<f32>()) as u32),
                rows_per_image: Some(rows as u32),
            };
            let size = wgpu::Extent3d {
                width: width as u32,
                height: rows as u32,
                depth_or_array_layers: 1,
            };
            queue.write_texture(target, bytemuck::cast_slice(source), layout, size);
        }
        self.held = Some((Arc::clone(samples), start..end));
        Some(start..end)
    }
}

/// A texture, or `None` when the card has no room for it.
fn texture(
    device: &wgpu::Device,
    label: &str,
    size: wgpu::Extent3d,
    format: wgpu::TextureFormat,
) -> Option<wgpu::Texture> {
    super::checked(device, || {
        device.create_texture(&wgpu::TextureDescriptor {
            label: Some(label),
            size,
            mip_level_count: 1,
            sample_count: 1,
            dimension: wgpu::TextureDimension::D2,
            format,
            usage: wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::COPY_DST,
            view_formats: &[],
        })
    })
}
