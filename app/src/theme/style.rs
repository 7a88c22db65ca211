//! The look of egui's own widgets, built once from the colours and sizes of the theme.

use super::{
    ACCENT, ACCENT_BACK, APP, CONTROL, ERROR, HOVER, LINE, PANEL, RADIUS, RAISED, SHADOW, TEXT,
    TEXT_FAINT, TEXT_MUTED, WARN, fonts,
};
use eframe::egui::epaint::Shadow;
use eframe::egui::style::{ScrollStyle, Selection, WidgetVisuals, Widgets};
use eframe::egui::{
    Context, CornerRadius, FontId, Margin, Stroke, Style, TextStyle, Theme, Vec2, Visuals,
};

/// Fonts and style; once for each window.
pub fn install(ctx: &Context) {
    fonts::install(ctx);
    ctx.set_theme(Theme::Dark);
    ctx.set_style_of(Theme::Dark, style());
    // The program has a scale of its own, which is kept between runs.
    ctx.options_mut(|options| options.zoom_with_keyboard = false);
}

pub fn style() -> Style {
    let mut style = Style {
        visuals: visuals(),
        animation_time: 0.1,
        ..Style::default()
    };
    style.text_styles = [
        (TextStyle::Small, FontId::proportional(11.0)),
        (TextStyle::Body, FontId::proportional(13.0)),
        (TextStyle::Button, FontId::proportional(13.0)),
        (TextStyle::Heading, fonts::strong(16.0)),
        (TextStyle::Monospace, FontId::monospace(12.0)),
    ]
    .into();
    let spacing = &mut style.spacing;
    spacing.item_spacing = Vec2::new(8.0, 8.0);
    spacing.button_padding = Vec2::new(10.0, 5.0);
    spacing.interact_size = Vec2::new(36.0, CONTROL);
    spacing.menu_margin = Margin::same(6);
    spacing.window_margin = Margin::same(16);
    spacing.slider_width = 160.0;
    spacing.combo_width = 120.0;
    spacing.tooltip_width = 360.0;
    spacing.icon_width = 16.0;
    spacing.icon_width_inner = 9.0;
    spacing.scroll = ScrollStyle::thin();
    style
}

fn visuals() -> Visuals {
    let mut visuals = Visuals::dark();
    visuals.weak_text_color = Some(TEXT_MUTED);
    visuals.widgets = widgets();
    visuals.selection = Selection {
        bg_fill: ACCENT_BACK,
        stroke: Stroke::new(1.0, ACCENT),
    };
    visuals.hyperlink_color = ACCENT;
    visuals.faint_bg_color = PANEL;
    visuals.extreme_bg_color = RAISED;
    visuals.text_edit_bg_color = Some(RAISED);
    visuals.code_bg_color = RAISED;
    visuals.warn_fg_color = WARN;
    visuals.error_fg_color = ERROR;
    visuals.window_fill = PANEL;
    visuals.panel_fill = APP;
    visuals.window_stroke = Stroke::new(1.0, LINE);
    visuals.window_corner_radius = CornerRadius::same(10);
    visuals.menu_corner_radius = CornerRadius::same(8);
    let shadow = Shadow {
        offset: [0, 6],
        blur: 24,
        spread: 0,
        color: SHADOW,
    };
    visuals.window_shadow = shadow;
    visuals.popup_shadow = shadow;
    visuals.slider_trailing_fill = true;
    visuals.disabled_alpha = 0.45;
    visuals
}

fn widgets() -> Widgets {
    let radius = CornerRadius::same(RADIUS as u8);
    let state = |fill, line, text| WidgetVisuals {
        bg_fill: fill,
        weak_bg_fill: fill,
        bg_stroke: Stroke::new(1.0, line),
        corner_radius: radius,
        fg_stroke: Stroke::new(1.0, text),
        expansion: 0.0,
    };
    let mut widgets = Widgets {
        noninteractive: state(PANEL, LINE, TEXT),
        inactive: state(RAISED, LINE, TEXT),
        hovered: state(HOVER, TEXT_FAINT, TEXT),
        active: state(ACCENT_BACK, ACCENT, TEXT),
        open: state(HOVER, LINE, TEXT),
    };
    // The rail of a slider and the box of a tick have to be seen on panels and on cards alike.
    widgets.inactive.bg_fill = HOVER;
    widgets.active.fg_stroke.width = 1.5;
    widgets
}
