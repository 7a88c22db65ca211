//! The connection doctor: what was sent and heard, who is there, and what to try.

use crate::format;
use crate::notices::Notice;
use crate::outbox::Outbox;
use crate::theme::{self, icon};
use eframe::egui::{Align, Color32, Frame, Label, Layout, Margin, RichText, ScrollArea, Ui};
use std::fmt::Write as _;
use tonearm_core::decks::network::{AnnouncerView, ConnectionView, InterfaceView};
use tonearm_core::decks::{DecksState, DecksView};

/// Lines of each kind that are shown and reported.
const MOST: usize = 64;
const LETTERS: usize = 120;

pub(super) fn doctor_ui(ui: &mut Ui, decks: &DecksView, out: &mut Outbox) {
    let size = eframe::egui::vec2(ui.available_width(), theme::CONTROL);
    ui.allocate_ui_with_layout(size, Layout::right_to_left(Align::Center), |ui| {
        let copy = ui.button("Copy report");
        if copy
            .on_hover_text("Copies all of this as text, for a report or a question")
            .clicked()
        {
            out.copied = Some(report(decks));
            out.notices
                .push(Notice::good("The report is on the clipboard"));
        }
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            ui.add(
                Label::new(RichText::new("Connection doctor").font(theme::strong(16.0))).truncate(),
            );
        });
    });
    ScrollArea::vertical()
        .auto_shrink([false, false])
        .show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 4.0;
            advice_ui(ui, decks);
            let network = &decks.network;
            part_ui(
                ui,
                "Networks of this computer",
                network.interfaces.is_empty(),
            );
            for interface in network.interfaces.iter().take(MOST) {
                interface_ui(ui, interface);
            }
            part_ui(ui, "Players", network.connections.is_empty());
            for connection in network.connections.iter().take(MOST) {
                connection_ui(ui, connection);
            }
            part_ui(
                ui,
                "Everybody who announces themselves",
                network.announcers.is_empty(),
            );
            for announcer in announcers(decks) {
                announcer_ui(ui, announcer);
            }
            if let Some(refused) = refused(decks) {
                ui.add_space(8.0);
                ui.add(Label::new(RichText::new(refused).color(theme::TEXT_MUTED)).wrap());
            }
        });
}

/// Players first, then whoever is left alone.
fn announcers(decks: &DecksView) -> Vec<&AnnouncerView> {
    let mut sorted: Vec<&AnnouncerView> = decks.network.announcers.iter().collect();
    sorted.sort_by_key(|announcer| announcer.ignored.is_some());
    sorted.truncate(MOST);
    sorted
}

fn advice_ui(ui: &mut Ui, decks: &DecksView) {
    let advice: Vec<String> = match &decks.state {
        DecksState::Off => vec!["Nobody listens: press “Listen for decks”.".to_owned()],
        DecksState::Failed(failure) => vec![format!("{}. {}", failure.message, failure.remedy)],
        DecksState::Running => decks.network.advice.clone(),
    };
    if advice.is_empty() {
        let players = decks
            .network
            .connections
            .iter()
            .any(|it| it.stage == "ready");
        let words = if players {
            "All is well."
        } else {
            "Nothing is wrong; no player was heard yet."
        };
        card(ui, |ui| line_ui(ui, (icon::CHECK_CIRCLE, theme::OK), words));
    }
    for text in advice.iter().take(MOST) {
        let text = format::fit(text, 600);
        card(ui, |ui| line_ui(ui, (icon::WARNING, theme::WARN), &text));
    }
}

fn card(ui: &mut Ui, content: impl FnOnce(&mut Ui)) {
    Frame::new()
        .fill(theme::RAISED)
        .corner_radius(6)
        .inner_margin(Margin::symmetric(10, 7))
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.spacing_mut().item_spacing.y = 3.0;
            content(ui);
        });
}

fn line_ui(ui: &mut Ui, (sign, colour): (&str, Color32), text: &str) {
    ui.horizontal_top(|ui| {
        ui.label(RichText::new(sign).color(colour).size(15.0));
        ui.add(Label::new(text).wrap());
    });
}

fn part_ui(ui: &mut Ui, name: &str, is_empty: bool) {
    ui.add_space(8.0);
    ui.label(
        RichText::new(name)
            .font(theme::strong(13.0))
            .color(theme::ACCENT),
    );
    if is_empty {
        ui.label(RichText::new("None").color(theme::TEXT_FAINT));
    }
}

/// A name, how it stands in a word at the right edge, and small print.
fn entry_ui(ui: &mut Ui, name: &str, (word, colour): (&str, Color32), print: &[String]) {
    card(ui, |ui| {
        let size = eframe::egui::vec2(ui.available_width(), 18.0);
        ui.allocate_ui_with_layout(size, Layout::right_to_left(Align::Center), |ui| {
            ui.label(RichText::new(word).size(12.0).color(colour));
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                ui.add(Label::new(format::fit(name, LETTERS)).truncate());
            });
        });
        for text in print {
            let text = RichText::new(format::fit(text, 400))
                .size(12.0)
                .color(theme::TEXT_MUTED);
            ui.add(Label::new(text).wrap());
        }
    });
}

fn interface_ui(ui: &mut Ui, interface: &InterfaceView) {
    let (word, colour) = match (&interface.error, interface.is_up, interface.heard) {
        (Some(_), ..) => ("cannot send", theme::ERROR),
        (None, false, _) => ("down", theme::TEXT_FAINT),
        (None, true, 0) => ("silent", theme::WARN),
        (None, true, _) => ("heard", theme::OK),
    };
    let name = format!("{}  {}", interface.name, interface.address);
    entry_ui(ui, &name, (word, colour), &interface_words(interface));
}

fn interface_words(interface: &InterfaceView) -> Vec<String> {
    let failed = match interface.failed {
        0 => String::new(),
        count => format!(", {count} not"),
    };
    let silent = match interface.silent_for {
        Some(secs) if secs > 3.0 => format!(", the last {secs:.0} s ago"),
        _ => String::new(),
    };
    let mut words = vec![format!(
        "{} announcements sent{failed}, {} heard{silent}",
        interface.sent, interface.heard
    )];
    words.extend(interface.error.clone());
    words
}

fn connection_ui(ui: &mut Ui, connection: &ConnectionView) {
    let colour = match connection.stage {
        "ready" => theme::OK,
        "resting" => theme::ERROR,
        _ => theme::WARN,
    };
    let name = format!("{}  {}", connection.name, connection.address);
    let word = (stage_words(connection.stage), colour);
    entry_ui(ui, &name, word, &connection_words(connection));
}

fn stage_words(stage: &'static str) -> &'static str {
    match stage {
        "calling" => "calling it",
        "waiting" => "waiting for its services",
        "ready" => "connected",
        "resting" => "trying again soon",
        other => other,
    }
}

fn connection_words(connection: &ConnectionView) -> Vec<String> {
    let round_trip = match connection.round_trip_ms {
        Some(ms) => format!("round trip {ms:.1} ms, "),
        None => String::new(),
    };
    let since = format::duration(tonearm_core::units::Secs(connection.since));
    let mut words = vec![match connection.calls {
        0 => format!("for {since}"),
        1 => format!("for {since}, called once"),
        calls => format!("for {since}, called {calls} times"),
    }];
    if connection.stage == "ready" {
        words.push(format!(
            "{round_trip}{:.0} positions a second, jitter {:.1} ms",
            connection.frames_per_sec, connection.jitter_ms
        ));
    }
    if !connection.services.is_empty() {
        words.push(connection.services.join(", "));
    }
    if connection.dropped > 0 {
        words.push(format!(
            "{} positions were left out: this computer is too busy",
            connection.dropped
        ));
    }
    if let Some(trouble) = &connection.trouble {
        words.push(format!("Last trouble: {trouble}"));
    }
    words
}

fn announcer_ui(ui: &mut Ui, announcer: &AnnouncerView) {
    let word = match announcer.ignored {
        None => ("a player", theme::OK),
        Some(_) => ("ignored", theme::TEXT_FAINT),
    };
    let name = format!("{}  {}", announcer.name, announcer.address);
    entry_ui(ui, &name, word, &announcer_words(announcer));
}

fn announcer_words(announcer: &AnnouncerView) -> Vec<String> {
    let mut words = vec![format!(
        "{} {}, {} times, the last {:.1} s ago",
        announcer.software, announcer.version, announcer.count, announcer.age
    )];
    if let Some(reason) = &announcer.ignored {
        words.push(format!("Not called: {reason}"));
    }
    if let Some(address) = &announcer.clash {
        words.push(format!("Clash: {address} says it is the same machine"));
    }
    words
}

fn refused(decks: &DecksView) -> Option<String> {
    let refused = decks.network.refused;
    let parts: Vec<String> = [
        (refused.malformed, "damaged"),
        (refused.flood, "too many in a second"),
        (refused.crowd, "from more devices than there is room for"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, why)| format!("{count} {why}"))
    .collect();
    (!parts.is_empty()).then(|| format!("Announcements not used: {}", parts.join(", ")))
}

/// All of it as text.
pub fn report(decks: &DecksView) -> String {
    let state = match &decks.state {
        DecksState::Off => "not listening".to_owned(),
        DecksState::Running => "listening".to_owned(),
        DecksState::Failed(failure) => format!("failed: {}", failure.message),
    };
    let mut text = format!(
        "Tonearm {} connection report\nState: {state}\n",
        env!("CARGO_PKG_VERSION")
    );
    if let Some(script) = &decks.simulated {
        let _infallible = writeln!(text, "Simulation: {script}");
    }
    let network = &decks.network;
    let mut section = |title: &str, entries: Vec<(String, Vec<String>)>| {
        let _infallible = writeln!(text, "\n{title}");
        if entries.is_empty() {
            text.push_str("  none\n");
        }
        for (name, words) in entries {
            let _infallible = writeln!(text, "  {}", format::fit(&name, LETTERS));
            for words in words {
                let _infallible = writeln!(text, "    {}", format::fit(&words, 600));
            }
        }
    };
    let advice = network.advice.iter().take(MOST);
    section(
        "What to try",
        advice.map(|advice| (advice.clone(), Vec::new())).collect(),
    );
    let interfaces = network.interfaces.iter().take(MOST);
    section(
        "Networks",
        interfaces
            .map(|it| {
                let up = if it.is_up { "up" } else { "down" };
                (
                    format!("{} {} ({up})", it.name, it.address),
                    interface_words(it),
                )
            })
            .collect(),
    );
    let connections = network.connections.iter().take(MOST);
    section(
        "Players",
        connections
            .map(|it| {
                let name = format!("{} {} ({})", it.name, it.address, stage_words(it.stage));
                (name, connection_words(it))
            })
            .collect(),
    );
    let announcers = announcers(decks).into_iter();
    section(
        "Announcers",
        announcers
            .map(|it| (format!("{} {}", it.name, it.address), announcer_words(it)))
            .collect(),
    );
    if let Some(refused) = refused(decks) {
        let _infallible = writeln!(text, "\n{refused}");
    }
    text
}
