//! The row that makes sound: steps, play, cue, volume, output.

use super::header::named;
use super::{Page, TrackPanel, fader, made};
use crate::action::Action;
use crate::outbox::Outbox;
use crate::theme;
use eframe::egui::{
    self, Align, Color32, ComboBox, CornerRadius, Layout, Rect, Response, RichText, Sense, Shape,
    Stroke, Ui, pos2, vec2,
};
use tonearm_core::artifact::Artifact;
use tonearm_core::playback::{OutputState, PlayerCommand};
use tonearm_core::row::ArtifactState;
use tonearm_core::units::Secs;

/// Points across from which nothing is left out that is not needed all the time.
const WIDE: f32 = 840.0;
/// Points across that are needed for what stands in the row besides steps and play.
const WITH_CUE: f32 = 270.0;
const WITH_FOLLOW: f32 = 340.0;
const WITH_VOLUME: f32 = 450.0;
const WITH_OUTPUT: f32 = 580.0;

/// What a button shows.
#[derive(Clone, Copy)]
enum Face {
    Play,
    Pause,
    BeatBack,
    BeatForward,
    BarBack,
    BarForward,
    Start,
}

pub(super) fn transport_ui(ui: &mut Ui, page: &Page<'_>, panel: &mut TrackPanel, out: &mut Outbox) {
    ui.spacing_mut().item_spacing.x = 4.0;
    let width = ui.available_width();
    let steps_back = [
        (Face::Start, Action::ToStart, "To the start"),
        (Face::BarBack, Action::BarBack, "Back a bar"),
        (Face::BeatBack, Action::BeatBack, "Back a beat"),
    ];
    let wide = width > WIDE;
    for (face, action, name) in steps_back.into_iter().skip(usize::from(!wide)) {
        button(ui, face, action, name, out);
    }
    play_ui(ui, page, out);
    let steps_on = [
        (Face::BeatForward, Action::BeatForward, "On a beat"),
        (Face::BarForward, Action::BarForward, "On a bar"),
    ];
    for (face, action, name) in steps_on {
        button(ui, face, action, name, out);
    }
    if width >= WITH_CUE {
        ui.add_space(8.0);
        text_button(ui, "Cue", "Back to the cue point", Action::ToCue, out);
    }
    if wide {
        set_cue_ui(ui, page, out);
    }
    if width >= WITH_FOLLOW {
        ui.add_space(8.0);
        let toggle = ui.toggle_value(&mut panel.follow, "Follow");
        if toggle.changed() {
            panel.kept.followed = None;
        }
        let text = "Keep the playhead in the middle";
        toggle.on_hover_text(hint(text, Action::ToggleFollow, ui));
    }
    if width > 1000.0 {
        zoom_ui(ui, out);
    }
    if wide {
        stems_ui(ui, page, out);
    }
    if width > 1000.0 {
        ui.add_space(8.0);
        made::made_ui(ui, page, out);
    }
    if width < WITH_VOLUME {
        return;
    }
    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
        if width >= WITH_OUTPUT {
            output_ui(ui, page, width, out);
            ui.add_space(8.0);
        }
        fader::volume_ui(ui, page, out);
        if wide {
            ui.label(RichText::new("Volume").size(11.0).color(theme::TEXT_MUTED));
        }
    });
}

/// The way to stems, where there are none.
fn stems_ui(ui: &mut Ui, page: &Page<'_>, out: &mut Outbox) {
    let words = match page.row.artifacts[Artifact::Stems as usize] {
        ArtifactState::Absent => "Make stems",
        ArtifactState::Due | ArtifactState::Waiting => "Stems are waiting",
        ArtifactState::Running | ArtifactState::Done | ArtifactState::Failed => return,
    };
    ui.add_space(8.0);
    let possible = page.row.artifacts[Artifact::Stems as usize] == ArtifactState::Absent;
    let size = vec2(0.0, theme::CONTROL);
    let response = ui.add_enabled(possible, egui::Button::new(words).min_size(size));
    let hint = hint("Take the track apart into four", Action::MakeStems, ui);
    if response.on_hover_text(hint).clicked() {
        out.act(Action::MakeStems);
    }
}

fn zoom_ui(ui: &mut Ui, out: &mut Outbox) {
    ui.add_space(8.0);
    for (face, name, action) in [
        ("\u{2212}", "Zoom out", Action::ZoomOut),
        ("+", "Zoom in", Action::ZoomIn),
        ("All", "Zoom to the whole track", Action::ZoomWhole),
        ("1:1", "Zoom to single samples", Action::ZoomSamples),
    ] {
        text_button(ui, face, name, action, out);
    }
}

pub(super) fn hint(text: &str, action: Action, ui: &Ui) -> String {
    let shortcut = action.entry().and_then(|entry| entry.shortcut);
    match shortcut {
        Some(shortcut) => format!("{text} ({})", ui.ctx().format_shortcut(&shortcut)),
        None => text.to_owned(),
    }
}

fn text_button(ui: &mut Ui, face: &str, name: &str, action: Action, out: &mut Outbox) {
    let response = ui.add(egui::Button::new(face).min_size(vec2(theme::CONTROL, theme::CONTROL)));
    response.widget_info(|| named(name));
    if response.on_hover_text(hint(name, action, ui)).clicked() {
        out.act(action);
    }
}

/// Sets it also while the track plays, when its key goes back to it as on a player.
fn set_cue_ui(ui: &mut Ui, page: &Page<'_>, out: &mut Outbox) {
    const NAME: &str = "Set the cue point here";
    let size = vec2(theme::CONTROL, theme::CONTROL);
    let response = ui.add_enabled(page.loaded, egui::Button::new("Set cue").min_size(size));
    response.widget_info(|| named(NAME));
    let words = if page.playing {
        NAME.to_owned()
    } else {
        hint(NAME, Action::SetCue, ui)
    };
    if response.on_hover_text(words).clicked() {
        out.sound.push(PlayerCommand::SetCue(Secs(page.at)));
    }
}

pub(super) fn play_ui(ui: &mut Ui, page: &Page<'_>, out: &mut Outbox) {
    let (face, name) = if page.playing {
        (Face::Pause, "Pause")
    } else {
        (Face::Play, "Play")
    };
    let (rect, response) = ui.allocate_exact_size(vec2(52.0, 36.0), Sense::click());
    response.widget_info(|| named(name));
    let fill = if page.playing {
        theme::ACCENT
    } else if response.hovered() {
        theme::HOVER
    } else {
        theme::RAISED
    };
    paint_button(ui, rect, &response, fill);
    let ink = if page.playing {
        theme::ON_CHIP
    } else {
        theme::TEXT
    };
    face.paint(ui, rect, ink);
    if !response
        .on_hover_text(hint(name, Action::PlayPause, ui))
        .clicked()
    {
        return;
    }
    if page.loaded {
        out.sound.push(PlayerCommand::Toggle);
    } else {
        super::jump::seek(page, page.at, true, out);
    }
}

fn button(ui: &mut Ui, face: Face, action: Action, name: &str, out: &mut Outbox) {
    let (rect, response) = ui.allocate_exact_size(vec2(32.0, theme::CONTROL), Sense::click());
    response.widget_info(|| named(name));
    let fill = if response.hovered() {
        theme::HOVER
    } else {
        theme::RAISED
    };
    paint_button(ui, rect, &response, fill);
    face.paint(ui, rect, theme::TEXT);
    if response.on_hover_text(hint(name, action, ui)).clicked() {
        out.act(action);
    }
}

fn paint_button(ui: &Ui, rect: Rect, response: &Response, fill: Color32) {
    let radius = CornerRadius::same(theme::RADIUS as u8);
    ui.painter().rect_filled(rect, radius, fill);
    if response.has_focus() {
        let stroke = Stroke::new(1.5, theme::ACCENT);
        ui.painter()
            .rect_stroke(rect, radius, stroke, egui::StrokeKind::Inside);
    }
}

impl Face {
    fn paint(self, ui: &Ui, rect: Rect, ink: Color32) {
        let painter = ui.painter();
        let centre = rect.center();
        let bar = |x: f32, wide: f32| {
            let place = Rect::from_center_size(pos2(centre.x + x, centre.y), vec2(wide, 12.0));
            painter.rect_filled(place, 1.0, ink);
        };
        let triangle = |x: f32, size: f32| {
            let tip = pos2(centre.x + x + size, centre.y);
            let back = centre.x + x - size * 0.7;
            let corners = vec![
                tip,
                pos2(back, centre.y + size),
                pos2(back, centre.y - size),
            ];
            painter.add(Shape::convex_polygon(corners, ink, Stroke::NONE));
        };
        let mirrored = |x: f32, size: f32| {
            let tip = pos2(centre.x + x - size, centre.y);
            let back = centre.x + x + size * 0.7;
            let corners = vec![
                tip,
                pos2(back, centre.y - size),
                pos2(back, centre.y + size),
            ];
            painter.add(Shape::convex_polygon(corners, ink, Stroke::NONE));
        };
        match self {
            Self::Play => triangle(-1.0, 8.0),
            Self::Pause => {
                bar(-4.0, 4.0);
                bar(4.0, 4.0);
            }
            Self::BeatForward => triangle(0.0, 5.0),
            Self::BeatBack => mirrored(0.0, 5.0),
            Self::BarForward => {
                triangle(-4.0, 5.0);
                triangle(4.0, 5.0);
            }
            Self::BarBack => {
                mirrored(-4.0, 5.0);
                mirrored(4.0, 5.0);
            }
            Self::Start => {
                bar(-6.0, 2.0);
                mirrored(2.0, 5.0);
            }
        }
    }
}

/// Where the sound goes, and how that is.
fn output_ui(ui: &mut Ui, page: &Page<'_>, width: f32, out: &mut Outbox) {
    let sound = page.scene.sound;
    let wanted = sound.wanted_device.as_ref();
    let name = |id| sound.devices.iter().find(|device| Some(&device.id) == id);
    let chosen = match wanted {
        None => "System output".to_owned(),
        Some(id) => match name(Some(id)) {
            Some(device) => device.name.clone(),
            None if sound.devices_known => "Output is gone".to_owned(),
            None => "Chosen output".to_owned(),
        },
    };
    let shown = crate::format::fit(&chosen, 24);
    let combo = ComboBox::from_id_salt("output")
        .width(if width > 900.0 { 150.0 } else { 110.0 })
        .selected_text(shown)
        .truncate();
    let response = combo.show_ui(ui, |ui| {
        let mut choose = |choice: Option<_>| {
            out.sound.push(PlayerCommand::SetDevice(choice));
        };
        if ui
            .selectable_label(wanted.is_none(), "System output")
            .clicked()
        {
            choose(None);
        }
        for device in &sound.devices {
            let is_wanted = wanted == Some(&device.id);
            let name = crate::format::fit(&device.name, 60);
            if ui.selectable_label(is_wanted, name).clicked() {
                choose(Some(device.id.clone()));
            }
        }
        ui.separator();
        if ui.button("Look again").clicked() {
            out.sound.push(PlayerCommand::FindDevices);
        }
    });
    if response.response.clicked() {
        out.sound.push(PlayerCommand::FindDevices);
    }
    let label = format!("Output: {chosen}");
    let kind = egui::Role::ComboBox;
    response
        .response
        .widget_info(|| egui::WidgetInfo::labeled(kind, true, &label));
    let (text, colour, more) = output_words(&sound.output);
    let trouble = colour == theme::ERROR;
    if !text.is_empty() && (trouble || width > WIDE) {
        let label = ui.label(RichText::new(text).size(11.0).color(colour));
        if !more.is_empty() {
            label.on_hover_text(more);
        }
    }
}

/// In a few words, and more of them.
pub(super) fn output_words(output: &OutputState) -> (String, Color32, String) {
    match output {
        OutputState::Closed => (String::new(), theme::TEXT_MUTED, String::new()),
        OutputState::Opening => ("Opening…".to_owned(), theme::TEXT_MUTED, String::new()),
        OutputState::Open {
            name,
            rate,
            channels,
            latency_ms,
        } => {
            let latency = latency_ms.map_or_else(String::new, |ms| format!(", {ms} ms to the ear"));
            let more = format!("{name}: {rate} Hz, {channels} channels{latency}");
            let text = format!("{:.1} kHz", f64::from(*rate) / 1000.0);
            (text, theme::TEXT_MUTED, more)
        }
        OutputState::Lost { reason } => {
            let text = "Output lost: looking for it".to_owned();
            (text, theme::ERROR, reason.clone())
        }
        OutputState::Absent { reason } => {
            let text = "No sound output".to_owned();
            (text, theme::ERROR, reason.clone())
        }
    }
}
