//! The settings sheet. It changes a draft; the window takes over what is different.

use crate::format;
use crate::outbox::Outbox;
use crate::scene::Scene;
use crate::settings::{
    KeyNotation, OPACITY_MIN, SCALE_MAX, SCALE_MIN, SCALE_STEP, Settings, fader_from_gain,
    gain_from_fader,
};
use crate::theme;
use eframe::egui::{ComboBox, Grid, Id, Label, RichText, ScrollArea, Slider, Ui, WidgetText};
use std::path::PathBuf;
use std::sync::OnceLock;
use tonearm_core::core_loop::command::Command;
use tonearm_core::playback::{DeviceId, OutputState, PlayerCommand};
use tonearm_core::stems::room;

/// What the program is and runs on, as far as people want to know.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct About {
    pub version: &'static str,
    /// Graphics adapter and how it is driven.
    pub adapter: String,
    /// The adapter is the processor itself.
    pub software: bool,
    pub library: PathBuf,
    /// Where settings are kept.
    pub settings: Option<PathBuf>,
}

/// What is asked for of the library as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct SettingsPanel {
    pub back_up: bool,
    /// A copy is being made.
    pub backing_up: bool,
    /// Bytes of all stems, and when they were added up.
    taken: Option<(u64, f64)>,
}

/// Seconds between two looks through the whole library.
const LOOK_EVERY: f64 = 1.0;

/// However narrow the window is.
const NARROWEST: f32 = 120.0;
/// Width of long values, in points.
const VALUE: f32 = 420.0;

pub fn settings_ui(
    ui: &mut Ui,
    scene: &Scene<'_>,
    about: &About,
    panel: &mut SettingsPanel,
    draft: (&mut Settings, &mut Outbox),
) {
    let (settings, out) = draft;
    ScrollArea::vertical()
        .auto_shrink([false, true])
        .show(ui, |ui| {
            part_ui(ui, "General", |ui| {
                general_ui(ui, settings);
                stems_ui(ui, scene, panel, out);
            });
            part_ui(ui, "Audio", |ui| audio_ui(ui, scene, settings, out));
            part_ui(ui, "Decks", |ui| decks_ui(ui, about, settings));
            part_ui(ui, "Library", |ui| library_ui(ui, scene, about, panel));
            part_ui(ui, "About", |ui| about_ui(ui, about));
        });
}

fn part_ui(ui: &mut Ui, name: &'static str, content: impl FnOnce(&mut Ui)) {
    ui.label(
        RichText::new(name)
            .font(theme::strong(13.0))
            .color(theme::ACCENT),
    );
    Grid::new(name)
        .num_columns(2)
        .spacing([16.0, 8.0])
        .min_col_width(150.0)
        .min_row_height(theme::CONTROL)
        .show(ui, content);
    ui.add_space(12.0);
}

/// The name of a line; the control of the line is labelled by it.
fn name_ui(ui: &mut Ui, name: impl Into<WidgetText>) -> Id {
    ui.label(name).id
}

fn decks_ui(ui: &mut Ui, about: &About, settings: &mut Settings) {
    ui.label("Players");
    ui.checkbox(
        &mut settings.listen_for_decks,
        "Listen for decks from the start on",
    )
    .on_hover_text("Otherwise when the decks or the overlay are first looked at");
    ui.end_row();

    let label = name_ui(ui, "Opacity of the overlay");
    ui.horizontal(|ui| {
        let slider = Slider::new(&mut settings.overlay_opacity, OPACITY_MIN..=1.0)
            .step_by(0.05)
            .show_value(false);
        // Drivers that draw with the processor have shown nothing at all of such windows.
        ui.add_enabled(!about.software, slider)
            .labelled_by(label)
            .on_hover_text("Other windows shine through, from the next start on")
            .on_disabled_hover_text("Needs a graphics card");
        ui.label(format!("{:.0} %", settings.overlay_opacity * 100.0));
    });
    ui.end_row();
}

fn general_ui(ui: &mut Ui, settings: &mut Settings) {
    let label = name_ui(ui, "Keys are written as");
    ComboBox::from_id_salt("key notation")
        .selected_text(notation_name(settings.key_notation))
        .width(220.0)
        .show_ui(ui, |ui| {
            for notation in [
                KeyNotation::Camelot,
                KeyNotation::OpenKey,
                KeyNotation::Musical,
            ] {
                let name = notation_name(notation);
                ui.selectable_value(&mut settings.key_notation, notation, name);
            }
        })
        .response
        .labelled_by(label);
    ui.end_row();

    let label = name_ui(ui, "Size of everything");
    ui.horizontal(|ui| {
        let mut scale = settings.scale;
        let slider = Slider::new(&mut scale, SCALE_MIN..=SCALE_MAX)
            .step_by(f64::from(SCALE_STEP))
            .show_value(false);
        let response = ui.add(slider).labelled_by(label);
        ui.label(format!("{:.0} %", scale * 100.0));
        // While dragged, the slider would run away under the pointer.
        let dragged = response.dragged();
        let held = Id::unique("scale while dragged");
        if dragged {
            ui.data_mut(|data| data.insert_temp(held, scale));
        } else if let Some(scale) = ui.data_mut(|data| data.remove_temp::<f32>(held)) {
            settings.scale = scale;
        } else if response.changed() {
            settings.scale = scale;
        }
    });
    ui.end_row();

    ui.label("New music");
    // Its own words say more than the name of the line.
    ui.checkbox(&mut settings.analyze_on_import, "Analyse at once")
        .on_hover_text("Waveform, beats, key, chords and loudness are made when tracks come in");
    ui.end_row();

    let label = name_ui(ui, "Tracks at a time");
    let cores = cores();
    let all = format!("One per core ({cores})");
    let chosen = settings.jobs.map_or(all.clone(), |jobs| jobs.to_string());
    ui.horizontal(|ui| {
        ComboBox::from_id_salt("jobs")
            .selected_text(chosen)
            .show_ui(ui, |ui| {
                ui.selectable_value(&mut settings.jobs, None, all);
                for jobs in 1..=cores {
                    ui.selectable_value(&mut settings.jobs, Some(jobs), jobs.to_string());
                }
            })
            .response
            .labelled_by(label);
        ui.label(RichText::new("from the next start on").color(theme::TEXT_FAINT));
    });
    ui.end_row();
}

/// Asked once: the system looks into files for it.
fn cores() -> usize {
    static CORES: OnceLock<usize> = OnceLock::new();
    *CORES.get_or_init(|| std::thread::available_parallelism().map_or(1, usize::from))
}

fn notation_name(notation: KeyNotation) -> &'static str {
    match notation {
        KeyNotation::Camelot => "Camelot (8A)",
        KeyNotation::OpenKey => "Open Key (1m)",
        KeyNotation::Musical => "Musical (A minor)",
    }
}

fn audio_ui(ui: &mut Ui, scene: &Scene<'_>, settings: &mut Settings, out: &mut Outbox) {
    let sound = scene.sound;
    let label = name_ui(ui, "Output");
    let named = |id: &DeviceId| {
        let device = sound.devices.iter().find(|device| device.id == *id);
        match device {
            Some(device) => device.name.clone(),
            None if sound.devices_known => format!("{} (not there)", id.0),
            None => id.0.clone(),
        }
    };
    let chosen = settings.output.clone().map(DeviceId);
    let text = chosen.as_ref().map_or("System default".to_owned(), named);
    let combo = ComboBox::from_id_salt("output")
        .selected_text(text)
        .width(280.0)
        .show_ui(ui, |ui| {
            let mut offer = |id: Option<DeviceId>, name: &str| {
                if ui.selectable_label(chosen == id, name).clicked() {
                    settings.output = id.as_ref().map(|id| id.0.clone());
                    out.sound.push(PlayerCommand::SetDevice(id));
                }
            };
            offer(None, "System default");
            for device in &sound.devices {
                offer(Some(device.id.clone()), &device.name);
            }
        });
    if combo.response.labelled_by(label).clicked() {
        out.sound.push(PlayerCommand::FindDevices);
    }
    ui.end_row();

    ui.label("");
    ui.label(RichText::new(output_words(&sound.output)).color(theme::TEXT_MUTED));
    ui.end_row();

    let label = name_ui(ui, "Volume");
    ui.horizontal(|ui| {
        let mut fader = fader_from_gain(sound.volume);
        let slider = Slider::new(&mut fader, 0.0..=1.0).show_value(false);
        if ui.add(slider).labelled_by(label).changed() {
            out.sound
                .push(PlayerCommand::SetVolume(gain_from_fader(fader)));
        }
        ui.label(format!("{:.0} %", fader * 100.0));
    });
    ui.end_row();
}

fn output_words(output: &OutputState) -> String {
    match output {
        OutputState::Closed => "Opened when something is played".to_owned(),
        OutputState::Opening => "Opening…".to_owned(),
        OutputState::Open {
            name,
            rate,
            channels,
            latency_ms,
        } => {
            let latency = latency_ms.map_or(String::new(), |ms| format!(", {ms} ms"));
            format!("{name}: {rate} Hz, {channels} channels{latency}")
        }
        OutputState::Lost { reason } => format!("Gone, looked for again: {reason}"),
        OutputState::Absent { reason } => format!("No output: {reason}"),
    }
}

fn library_ui(ui: &mut Ui, scene: &Scene<'_>, about: &About, panel: &mut SettingsPanel) {
    ui.label("Place");
    long_ui(
        ui,
        RichText::new(about.library.display().to_string()).color(theme::TEXT_MUTED),
    );
    ui.end_row();
    ui.label("Tracks");
    ui.label(scene.view.rows.len().to_string());
    ui.end_row();
    ui.label("Copy");
    let name = if panel.backing_up {
        "Backing up…"
    } else {
        "Back up now"
    };
    let button = eframe::egui::Button::new(name);
    let response = ui
        .add_enabled(scene.ready && !panel.backing_up, button)
        .on_hover_text(
            "Puts a consistent copy of the library beside it; your music is not part of it",
        );
    if response.clicked() {
        panel.back_up = true;
    }
    ui.end_row();
}

/// Room for stems that is offered, in GB.
const STEM_ROOMS: [u64; 8] = [2, 5, 10, 20, 50, 100, 200, 500];

/// How much all stems may take.
fn stems_ui(ui: &mut Ui, scene: &Scene<'_>, panel: &mut SettingsPanel, out: &mut Outbox) {
    const GIGABYTE: u64 = 1_000_000_000;
    let room = scene.view.stem_room;
    let label = name_ui(ui, "Room for stems");
    let chosen = room.is_chosen.then_some(room.bytes);
    let fitting = "As fits the drive";
    let text = match chosen {
        Some(bytes) => format::bytes(bytes),
        None => format!("{fitting} ({})", format::bytes(room.bytes)),
    };
    ui.horizontal(|ui| {
        let combo = ComboBox::from_id_salt("room for stems")
            .selected_text(text)
            .width(220.0)
            .show_ui(ui, |ui| {
                let rooms = STEM_ROOMS.map(|room| Some(room * GIGABYTE));
                for offered in std::iter::once(None).chain(rooms) {
                    let name = offered.map_or(fitting.to_owned(), format::bytes);
                    if ui.selectable_label(chosen == offered, name).clicked() && chosen != offered {
                        out.commands.push(Command::LimitStems(offered));
                    }
                }
            });
        combo
            .response
            .labelled_by(label)
            .on_hover_text("The least recently used go when others are made");
        let now = ui.input(|input| input.time);
        let known = panel
            .taken
            .filter(|(_, at)| (0.0..LOOK_EVERY).contains(&(now - at)));
        let (taken, _) = *panel.taken.insert(known.unwrap_or_else(|| {
            let sets = scene.view.rows.iter();
            let taken = room::taken(sets.filter_map(|row| row.knowledge.stems.as_deref()));
            (taken, now)
        }));
        let text = format!("{} taken", format::bytes(taken));
        ui.label(RichText::new(text).color(theme::TEXT_FAINT));
    });
    ui.end_row();
}

/// What may be too long for a line goes on in the next.
fn long_ui(ui: &mut Ui, text: RichText) {
    ui.scope(|ui| {
        ui.set_max_width(ui.available_width().clamp(NARROWEST, VALUE));
        ui.add(Label::new(text).wrap());
    });
}

fn about_ui(ui: &mut Ui, about: &About) {
    for (name, value) in [
        ("Tonearm", about.version.to_owned()),
        ("Graphics", about.adapter.clone()),
        (
            "Settings",
            about
                .settings
                .as_ref()
                .map_or("not kept".to_owned(), |path| path.display().to_string()),
        ),
    ] {
        ui.label(name);
        long_ui(ui, RichText::new(value).color(theme::TEXT_MUTED));
        ui.end_row();
    }
}
