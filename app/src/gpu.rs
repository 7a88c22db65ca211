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

use eframe::egui_wgpu::{RenderState, WgpuSetup, WgpuSetupCreateNew};
use eframe::wgpu;
use std::collections::HashSet;
use std::pin::pin;
use std::sync::mpsc;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;
use tracing::subscriber::NoSubscriber;

/// What a driver may take to tell its cards.
const ANSWER: Duration = Duration::from_secs(5);

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
    Adapter::new(render_state.adapter.get_info())
}

impl Adapter {
    fn new(info: wgpu::AdapterInfo) -> Self {
        Self {
            name: info.name,
            backend: info.backend.to_string(),
            driver: format!("{} {}", info.driver, info.driver_info)
                .trim()
                .to_owned(),
            is_software: info.device_type == wgpu::DeviceType::Cpu,
        }
    }
}

fn adapters_of(backends: wgpu::Backends) -> Vec<wgpu::AdapterInfo> {
    let mut setup = WgpuSetupCreateNew::without_display_handle();
    setup.instance_descriptor.backends = backends;
    let instance = at_once(WgpuSetup::CreateNew(setup).new_instance());
    let adapters = instance.and_then(|instance| at_once(instance.enumerate_adapters(backends)));
    let adapters = adapters.unwrap_or_default();
    adapters.iter().map(wgpu::Adapter::get_info).collect()
}

/// What could draw a window on this machine, without opening one; cards before processors, and each once.
///
/// # Errors
///
/// A driver did not answer in time.
pub fn survey() -> Result<Vec<Adapter>, String> {
    let (say, heard) = mpsc::sync_channel(1);
    let ask = move || {
        // What drivers complain of while they are tried is nobody's trouble.
        let found = tracing::subscriber::with_default(NoSubscriber::default(), || {
            let best = adapters_of(wgpu::Backends::PRIMARY);
            // Without a screen, OpenGL writes complaints of its own: only where nothing else draws.
            if best.is_empty() {
                adapters_of(wgpu::Backends::GL)
            } else {
                best
            }
        });
        say.send(found)
    };
    let thread = thread::Builder::new().name("graphics drivers".to_owned());
    thread.spawn(ask).map_err(|error| error.to_string())?;
    let found: Vec<wgpu::AdapterInfo> = heard
        .recv_timeout(ANSWER)
        .map_err(|_late| "a graphics driver does not answer".to_owned())?;
    let mut adapters: Vec<Adapter> = found.into_iter().map(Adapter::new).collect();
    adapters.sort_by_key(|adapter| adapter.is_software);
    // A card is there once for each of its drivers.
    let mut names = HashSet::new();
    adapters.retain(|adapter| names.insert(adapter.name.clone()));
    Ok(adapters)
}

/// What `future` gives without waiting: everywhere but in browsers the card answers at once.
fn at_once<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => Some(answer),
        Poll::Pending => None,
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
        if let Some(Some(error)) = at_once(scope.pop()) {
            tracing::warn!(%error, "graphics card");
            refused = true;
        }
    }
    (!refused).then_some(made)
}
