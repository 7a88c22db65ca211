//! Drawing on the graphics card: waveforms.
//!
//! A view adds a [`Wave`] to what it draws; everything else happens while the frame is sent to the card. What the
//! card cannot do, the processor draws from the next frame on: see [`Health`].

mod layout;
mod pipeline;
pub mod plan;
pub mod reduce;
mod resident;
mod stage;

pub use stage::{Health, Source, Wave};

use eframe::egui_wgpu::RenderState;
use eframe::wgpu;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// What draws the window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adapter {
    pub name: String,
    /// Vulkan, Metal, …
    pub backend: String,
    pub driver: String,
    /// A processor that pretends to be a graphics card: slow.
    pub is_software: bool,
}

/// Makes the card ready to draw waveforms. Called once, when the window opens.
pub fn install(render_state: &RenderState) -> Adapter {
    let adapter = adapter(render_state);
    // The default is to end the program: a waveform less is no reason for that.
    render_state
        .device
        .on_uncaptured_error(std::sync::Arc::new(|error| {
            tracing::error!(%error, "graphics card");
        }));
    let stage = stage::Stage::new(&render_state.device, render_state.target_format);
    if let Some(stage) = stage {
        let resources = &mut render_state.renderer.write().callback_resources;
        resources.insert(stage);
    } else {
        tracing::warn!(?adapter, "the graphics card cannot draw waveforms");
    }
    adapter
}

/// What draws the window.
pub fn adapter(render_state: &RenderState) -> Adapter {
    let info = render_state.adapter.get_info();
    Adapter {
        name: info.name,
        backend: info.backend.to_string(),
        driver: format!("{} {}", info.driver, info.driver_info)
            .trim()
            .to_owned(),
        is_software: info.device_type == wgpu::DeviceType::Cpu,
    }
}

/// Makes something on the card; `None` when the card refuses or has no room left.
fn checked<T>(device: &wgpu::Device, make: impl FnOnce() -> T) -> Option<T> {
    let scopes = [
        wgpu::ErrorFilter::Validation,
        wgpu::ErrorFilter::OutOfMemory,
        wgpu::ErrorFilter::Internal,
    ]
    .map(|filter| device.push_error_scope(filter));
    let made = make();
    let mut refused = false;
    for scope in scopes.into_iter().rev() {
        let mut context = Context::from_waker(Waker::noop());
        // Everywhere but in browsers the answer is there at once.
        if let Poll::Ready(Some(error)) = pin!(scope.pop()).poll(&mut context) {
            tracing::warn!(%error, "graphics card");
            refused = true;
        }
    }
    (!refused).then_some(made)
}
