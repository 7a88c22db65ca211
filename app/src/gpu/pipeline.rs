//! The shader and what it is fed with.

use crate::theme;
use eframe::egui::Color32;
use eframe::wgpu;
use std::num::NonZeroU64;

/// The numbers of one drawing, laid out as in the shader.
#[repr(C)]
#[derive(Debug, Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
pub(super) struct Numbers {
    pub size: [f32; 4],
    pub look: [f32; 4],
    pub law: [f32; 4],
    pub fine: [i32; 4],
    pub fine_reach: [f32; 4],
    pub coarse: [i32; 4],
    pub coarse_reach: [f32; 4],
    pub raw: [i32; 4],
    pub raw_reach: [f32; 4],
    pub colours: [[f32; 4]; 10],
}

/// Everything that is the same for all waveforms.
#[derive(Debug)]
pub(super) struct Pipelines {
    pub strips: wgpu::RenderPipeline,
    pub ground: wgpu::RenderPipeline,
    layout: wgpu::BindGroupLayout,
    /// The target stores light, not the numbers of colours.
    pub linear: bool,
}

impl Pipelines {
    pub(super) fn new(device: &wgpu::Device, format: wgpu::TextureFormat) -> Option<Self> {
        super::checked(device, || Self::build(device, format))
    }

    fn build(device: &wgpu::Device, format: wgpu::TextureFormat) -> Self {
        let source = include_str!("../../../assets/shaders/waveform.wgsl");
        let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label: Some("waveform"),
            source: wgpu::ShaderSource::Wgsl(source.into()),
        });
        let layout = bind_group_layout(device);
        let pipeline_layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: Some("waveform"),
            bind_group_layouts: &[Some(&layout)],
            immediate_size: 0,
        });
        let pipeline = |vertex: &str, fragment: &str| {
            device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
                label: Some(vertex),
                layout: Some(&pipeline_layout),
                vertex: wgpu::VertexState {
                    module: &module,
                    entry_point: Some(vertex),
                    compilation_options: wgpu::PipelineCompilationOptions::default(),
                    buffers: &[],
                },
                primitive: wgpu::PrimitiveState {
                    topology: wgpu::PrimitiveTopology::TriangleStrip,
                    ..wgpu::PrimitiveState::default()
                },
                depth_stencil: None,
                multisample: wgpu::MultisampleState::default(),
                fragment: Some(wgpu::FragmentState {
                    module: &module,
                    entry_point: Some(fragment),
                    compilation_options: wgpu::PipelineCompilationOptions::default(),
                    targets: &[Some(format.into())],
                }),
                multiview_mask: None,
                cache: None,
            })
        };
        Self {
            strips: pipeline("vs_strip", "fs_strip"),
            ground: pipeline("vs_ground", "fs_ground"),
            layout,
            linear: format.is_srgb(),
        }
    }

    pub(super) fn bind_group(
        &self,
        device: &wgpu::Device,
        numbers: &wgpu::Buffer,
        columns: &wgpu::TextureView,
        samples: &wgpu::TextureView,
    ) -> wgpu::BindGroup {
        device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("waveform"),
            layout: &self.layout,
            entries: &[
                wgpu::BindGroupEntry {
                    binding: 0,
                    resource: numbers.as_entire_binding(),
                },
                wgpu::BindGroupEntry {
                    binding: 1,
                    resource: wgpu::BindingResource::TextureView(columns),
                },
                wgpu::BindGroupEntry {
                    binding: 2,
                    resource: wgpu::BindingResource::TextureView(samples),
                },
            ],
        })
    }
}

fn bind_group_layout(device: &wgpu::Device) -> wgpu::BindGroupLayout {
    let texture = |binding, sample_type, view_dimension| wgpu::BindGroupLayoutEntry {
        binding,
        visibility: wgpu::ShaderStages::VERTEX,
        ty: wgpu::BindingType::Texture {
            sample_type,
            view_dimension,
            multisampled: false,
        },
        count: None,
    };
    let samples = wgpu::TextureSampleType::Float { filterable: false };
    device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
        label: Some("waveform"),
        entries: &[
            wgpu::BindGroupLayoutEntry {
                binding: 0,
                visibility: wgpu::ShaderStages::VERTEX_FRAGMENT,
                ty: wgpu::BindingType::Buffer {
                    ty: wgpu::BufferBindingType::Uniform,
                    has_dynamic_offset: false,
                    min_binding_size: NonZeroU64::new(size_of::<Numbers>() as u64),
                },
                count: None,
            },
            texture(
                1,
                wgpu::TextureSampleType::Uint,
                wgpu::TextureViewDimension::D2Array,
            ),
            texture(2, samples, wgpu::TextureViewDimension::D2),
        ],
    })
}

/// The colours in the shader's order.
pub(super) fn colours(bands: [Color32; 7], ground: Color32) -> [[f32; 4]; 10] {
    let mut colours = [[0.0; 4]; 10];
    let others = [ground, theme::CENTRE_LINE, theme::SAMPLES];
    let all = bands.into_iter().chain(others);
    for (slot, colour) in colours.iter_mut().zip(all) {
        let [r, g, b, a] = colour.to_srgba_unmultiplied().map(f32::from);
        *slot = [r / 255.0, g / 255.0, b / 255.0, a / 255.0];
    }
    colours
}
