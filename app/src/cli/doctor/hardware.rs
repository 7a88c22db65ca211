//! What draws the window and what plays.

use super::Finding;
use crate::gpu::{self, Adapter};
use tonearm_core::playback::{self, Device};

/// Of many devices, those that come first.
const MOST_NAMED: usize = 4;

pub(super) fn graphics() -> Finding {
    of_adapters(gpu::survey())
}

pub(super) fn sound() -> Finding {
    of_devices(playback::devices())
}

fn of_adapters(found: Result<Vec<Adapter>, String>) -> Finding {
    let name = "graphics";
    let install = "Install the driver of the graphics card; the command line works without";
    let adapters = match found {
        Ok(adapters) => adapters,
        Err(reason) => return Finding::trouble(name, "warning", reason, install),
    };
    let Some(best) = adapters.first() else {
        let reason = "nothing can draw the window".to_owned();
        return Finding::trouble(name, "warning", reason, install);
    };
    if best.is_software {
        let reason = format!("the processor draws the window, slowly: {}", words(best));
        let remedy = "Install the driver of the graphics card, if there is one";
        return Finding::trouble(name, "warning", reason, remedy);
    }
    let cards = adapters.iter().filter(|adapter| !adapter.is_software);
    Finding::ok(name, cards.map(words).collect::<Vec<_>>().join(", "))
}

fn words(adapter: &Adapter) -> String {
    let driver = [adapter.backend.as_str(), adapter.driver.as_str()];
    let known: Vec<&str> = driver.into_iter().filter(|word| !word.is_empty()).collect();
    format!("{} ({})", adapter.name, known.join(", "))
}

fn of_devices(found: Result<Vec<Device>, String>) -> Finding {
    let name = "sound";
    let remedy = "Connect a device, or start the sound server; tonearm play --render needs none";
    let devices = match found {
        Ok(devices) => devices,
        Err(reason) => return Finding::trouble(name, "warning", reason, remedy),
    };
    if devices.is_empty() {
        let reason = "no device to play on".to_owned();
        return Finding::trouble(name, "warning", reason, remedy);
    }
    let named = devices.iter().map(|device| {
        if device.is_default {
            format!("{} (used unless another is chosen)", device.name)
        } else {
            device.name.clone()
        }
    });
    let words = named.take(MOST_NAMED).collect::<Vec<_>>().join(", ");
    let words = match devices.len().saturating_sub(MOST_NAMED) {
        0 => words,
        more => format!("{words} and {more} more"),
    };
    if devices.iter().any(|device| device.is_default) {
        Finding::ok(name, words)
    } else {
        let reason = format!("none that the system plays on by itself, but {words}");
        Finding::trouble(name, "warning", reason, remedy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tonearm_core::playback::DeviceId;

    fn adapter(name: &str, is_software: bool) -> Adapter {
        Adapter {
            name: name.to_owned(),
            backend: "vulkan".to_owned(),
            driver: String::new(),
            is_software,
        }
    }

    #[test]
    fn a_card_is_named_and_a_processor_that_draws_is_a_warning() {
        let card = of_adapters(Ok(vec![adapter("Card", false), adapter("Chip", true)]));
        assert_eq!((card.state, card.reason.as_str()), ("ok", "Card (vulkan)"));
        let chip = of_adapters(Ok(vec![adapter("Chip", true)]));
        assert_eq!(chip.state, "warning");
        assert!(chip.reason.contains("Chip (vulkan)"), "{chip:?}");
        for none in [Ok(Vec::new()), Err("it hangs".to_owned())] {
            let found = of_adapters(none);
            assert!(
                found.state == "warning" && found.remedy.is_some(),
                "{found:?}"
            );
        }
    }

    #[test]
    fn devices_are_named_and_to_have_none_is_a_warning() {
        let device = |name: &str, is_default| Device {
            id: DeviceId(name.to_owned()),
            name: name.to_owned(),
            is_default,
        };
        let found = of_devices(Ok(vec![device("Booth", true), device("Headphones", false)]));
        assert_eq!(found.state, "ok");
        let words = "Booth (used unless another is chosen), Headphones";
        assert_eq!(found.reason, words);
        let many: Vec<Device> = (0..6).map(|_| device("Plugin", false)).collect();
        let found = of_devices(Ok(many));
        assert_eq!(found.state, "warning");
        assert!(found.reason.ends_with("Plugin and 2 more"), "{found:?}");
        for none in [Ok(Vec::new()), Err("it hangs".to_owned())] {
            let found = of_devices(none);
            assert!(
                found.state == "warning" && found.remedy.is_some(),
                "{found:?}"
            );
        }
    }
}
