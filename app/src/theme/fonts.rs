//! The fonts of the window: bundled for Latin, Greek and Cyrillic, the system's for every other script.

use eframe::egui::{Context, FontData, FontDefinitions, FontFamily, FontId, FontTweak};
use std::sync::Arc;

const REGULAR: &[u8] = include_bytes!("../../../assets/fonts/inter-regular.otf");
const STRONG: &[u8] = include_bytes!("../../../assets/fonts/inter-semibold.otf");
const MONO: &[u8] = include_bytes!("../../../assets/fonts/jetbrains-mono-regular.ttf");
const ICONS: &[u8] = include_bytes!("../../../assets/icons/phosphor.ttf");
const SOLID_ICONS: &[u8] = include_bytes!("../../../assets/icons/phosphor-fill.ttf");

/// Name of the family of headings.
const STRONG_FAMILY: &str = "strong";

/// A heading's font. Only for windows that have the fonts of `install`.
pub fn strong(size: f32) -> FontId {
    FontId::new(size, FontFamily::Name(STRONG_FAMILY.into()))
}

pub(super) fn install(ctx: &Context) {
    let mut fonts = FontDefinitions::default();
    let icon_tweak = FontTweak {
        // The icons' box is centred on capitals, not on the line.
        y_offset_factor: 0.06,
        ..FontTweak::default()
    };
    for (name, bytes, tweak) in [
        ("inter", REGULAR, FontTweak::default()),
        ("inter strong", STRONG, FontTweak::default()),
        ("jetbrains mono", MONO, FontTweak::default()),
        ("icons", ICONS, icon_tweak.clone()),
        ("solid icons", SOLID_ICONS, icon_tweak),
    ] {
        let data = FontData::from_static(bytes).tweak(tweak);
        fonts.font_data.insert(name.to_owned(), Arc::new(data));
    }
    let fallback = fonts
        .families
        .get(&FontFamily::Proportional)
        .cloned()
        .unwrap_or_default();
    for (family, first) in [
        (FontFamily::Proportional, "inter"),
        (FontFamily::Monospace, "jetbrains mono"),
        (FontFamily::Name(STRONG_FAMILY.into()), "inter strong"),
    ] {
        let names = [first, "icons", "solid icons"].map(str::to_owned);
        let chain = names.into_iter().chain(fallback.clone()).collect();
        fonts.families.insert(family, chain);
    }
    ctx.set_fonts(fonts);
}
