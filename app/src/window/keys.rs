//! Which keys of a frame are shortcuts, and what they ask for.

use crate::action::{Action, Entry, TABLE};
use crate::panels::Page;
use eframe::egui::{Context, Event, Id, Key, KeyboardShortcut, Modifiers, Popup};
use std::collections::HashSet;

/// Who else wants keys at this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) page: Page,
    /// Something lies above the page.
    pub(super) covered: bool,
    pub(super) focus: Focus,
    /// A popup, a menu, a field or a button: Escape leaves that and nothing else. As it was before this frame, whose
    /// beginning has taken the focus away already.
    pub(super) left_by_escape: bool,
}

/// Whether Escape has something to leave before it leaves a page. To be asked when all views have been drawn.
pub(super) fn is_left_by_escape(ctx: &Context, table: Option<Id>) -> bool {
    Popup::is_any_open(ctx) || Focus::of(ctx, table) != Focus::Nothing
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Focus {
    Nothing,
    /// A button or the like: Space, Enter and the arrows are its own.
    Widget,
    /// Letters are text, and so is what edits text.
    Text,
}

impl Focus {
    /// `table` is a widget that has the focus for the arrows' sake and leaves everything else to the shortcuts.
    pub(super) fn of(ctx: &Context, table: Option<Id>) -> Self {
        if ctx.text_edit_focused() {
            return Self::Text;
        }
        match ctx.memory(eframe::egui::Memory::focused) {
            Some(focused) if Some(focused) != table => Self::Widget,
            _ => Self::Nothing,
        }
    }
}

/// Frames within which a text field that was asked for has the focus.
const MOST_WAITING: u8 = 4;
/// Keys that are kept for it: more than anybody types in so few frames.
const MOST_KEPT: usize = 256;

/// What is typed after the shortcut of a text field is for that field, however slow the frames are.
#[derive(Debug, Default)]
pub(super) struct Typing {
    kept: Vec<Event>,
    frames: u8,
    /// Keys that are down, by their places. What a key is called changes with Shift: the toolkit, which knows them by name,
    /// takes `?` for held for ever where Shift is let go of first.
    down: HashSet<Key>,
}

impl Typing {
    /// Takes the shortcuts out of this frame's events.
    pub(super) fn pressed(&mut self, ctx: &Context, place: Place) -> Vec<Action> {
        let mut place = place;
        let mut actions = Vec::new();
        ctx.input_mut(|input| {
            // Before anything is kept for later: what is kept is not pressed again.
            for event in &mut input.events {
                self.note(event);
            }
            if self.frames > 0 {
                self.frames -= 1;
                if place.focus == Focus::Text || self.frames == 0 {
                    self.frames = 0;
                    input.events.splice(0..0, self.kept.drain(..));
                    place.focus = Focus::Text;
                }
            }
            let mut own_text = false;
            input.events.retain(|event| {
                if self.frames > 0 {
                    return !self.keep(event, std::mem::take(&mut own_text));
                }
                let Some((entry, is_held)) = asked(event, place) else {
                    return true;
                };
                if is_held && !entry.repeats {
                    // It is a shortcut all the same: no widget is to take it for a key of its own.
                    return false;
                }
                let action = entry.action;
                actions.push(action);
                if matches!(action, Action::Search | Action::AddByPath) {
                    self.frames = MOST_WAITING;
                    own_text = types(event);
                }
                false
            });
        });
        if self.frames > 0 {
            ctx.request_repaint();
        }
        actions
    }

    /// Says of a key that is pressed whether it was down before, as far as its place is known.
    fn note(&mut self, event: &mut Event) {
        match event {
            Event::Key {
                physical_key: Some(place),
                pressed: true,
                repeat,
                ..
            } => *repeat = !self.down.insert(*place),
            Event::Key {
                physical_key: Some(place),
                ..
            } => {
                self.down.remove(place);
            }
            Event::WindowFocused(false) => self.down.clear(),
            _ => {}
        }
    }

    /// Whether the event was taken. `is_own`: the shortcut's own letter is still to come, and is nobody's.
    fn keep(&mut self, event: &Event, is_own: bool) -> bool {
        match event {
            Event::Text(_) if is_own => true,
            Event::Text(_) | Event::Key { .. } => {
                if self.kept.len() < MOST_KEPT {
                    self.kept.push(event.clone());
                }
                true
            }
            _ => false,
        }
    }
}

/// Whether a key also makes a letter.
fn types(event: &Event) -> bool {
    matches!(event, Event::Key { modifiers, .. } if !modifiers.command && !modifiers.ctrl && !modifiers.alt)
}

/// What keys ask for that another window of ours had: no widget there wants any.
pub(super) fn actions(events: &[Event], place: Place) -> Vec<Action> {
    let shortcuts = events.iter().filter_map(|event| asked(event, place));
    let meant = shortcuts.filter(|(entry, is_held)| !is_held || entry.repeats);
    meant.map(|(entry, _)| entry.action).collect()
}

/// The shortcut that was pressed, and whether the key is still held from before.
fn asked(event: &Event, place: Place) -> Option<(&'static Entry, bool)> {
    let Event::Key {
        key,
        physical_key,
        pressed: true,
        repeat,
        modifiers,
    } = event
    else {
        return None;
    };
    if belongs_to_focus(*key, *modifiers, place.focus)
        || (*key == Key::Escape && place.left_by_escape)
    {
        return None;
    }
    // With shift, a digit is some sign; on some keyboards without.
    let digit = physical_key.filter(|key| is_digit(*key));
    let entry = entry(*key, *modifiers, place)
        .or_else(|| digit.and_then(|key| entry(key, *modifiers, place)))?;
    Some((entry, *repeat))
}

fn is_digit(key: Key) -> bool {
    (Key::Num0 as u8..=Key::Num9 as u8).contains(&(key as u8))
}

fn entry(key: Key, modifiers: Modifiers, place: Place) -> Option<&'static Entry> {
    TABLE.iter().find(|entry| {
        let counts = match entry.scope {
            Some(_) => entry.counts_on(place.page) && !place.covered,
            None => !place.covered || works_above(entry.action),
        };
        counts
            && entry
                .shortcuts()
                .any(|shortcut| fits(shortcut, key, modifiers))
    })
}

/// What can be done while a sheet lies above the page.
fn works_above(action: Action) -> bool {
    matches!(
        action,
        Action::Help
            | Action::Settings
            | Action::Setup
            | Action::Log
            | Action::LargerScale
            | Action::SmallerScale
            | Action::NormalScale
            | Action::VolumeUp
            | Action::VolumeDown
            | Action::FullScreen
            | Action::Quit
    )
}

/// Letters, digits and named keys want exactly their modifiers; signs stand on other keys with every keyboard, so
/// that shift does not count for them.
fn fits(shortcut: KeyboardShortcut, key: Key, modifiers: Modifiers) -> bool {
    let sign = matches!(
        key,
        Key::Questionmark
            | Key::Slash
            | Key::Plus
            | Key::Minus
            | Key::Equals
            | Key::OpenBracket
            | Key::CloseBracket
            | Key::Comma
    );
    let wanted = shortcut.modifiers;
    shortcut.logical_key == key
        && wanted.command == (modifiers.command || modifiers.ctrl)
        && wanted.alt == modifiers.alt
        && (sign || wanted.shift == modifiers.shift)
}

fn belongs_to_focus(key: Key, modifiers: Modifiers, focus: Focus) -> bool {
    let command = modifiers.command || modifiers.ctrl;
    let moves = matches!(
        key,
        Key::ArrowLeft | Key::ArrowRight | Key::ArrowUp | Key::ArrowDown | Key::Home | Key::End
    );
    match focus {
        Focus::Nothing => false,
        Focus::Widget => !command && (moves || matches!(key, Key::Space | Key::Enter)),
        Focus::Text => {
            let edits = matches!(key, Key::A | Key::C | Key::V | Key::X | Key::Y | Key::Z);
            let function = matches!(key, Key::F1 | Key::F11);
            !function && (!command || edits || moves)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use eframe::egui::{RawInput, Ui};

    const TRACK: Place = Place {
        page: Page::Track,
        covered: false,
        focus: Focus::Nothing,
        left_by_escape: false,
    };

    const LIBRARY: Place = Place {
        page: Page::Library,
        ..TRACK
    };

    fn key(key: Key, modifiers: Modifiers) -> Event {
        Event::Key {
            key,
            physical_key: None,
            pressed: true,
            repeat: false,
            modifiers,
        }
    }

    /// One frame with these events; what is left of them for the views.
    fn frame(
        ctx: &Context,
        typing: &mut Typing,
        focus: Focus,
        events: Vec<Event>,
    ) -> (Vec<Action>, Vec<Event>) {
        let place = Place { focus, ..LIBRARY };
        ctx.input_mut(|input| input.events = events);
        let actions = typing.pressed(ctx, place);
        (actions, ctx.input(|input| input.events.clone()))
    }

    /// What a key asks for.
    fn asked(event: &Event, place: Place) -> Option<Action> {
        let (entry, is_held) = super::asked(event, place)?;
        (!is_held || entry.repeats).then_some(entry.action)
    }

    #[test]
    fn what_is_typed_right_after_the_shortcut_is_for_the_field() {
        let (ctx, mut typing) = (Context::default(), Typing::default());
        let text = |text: &str| Event::Text(text.to_owned());
        let plain = |it| key(it, Modifiers::NONE);
        for shortcut in [
            vec![key(Key::F, Modifiers::COMMAND)],
            vec![plain(Key::Slash), text("/")],
        ] {
            let first = [shortcut, vec![plain(Key::I), text("i")]].concat();
            let asked = frame(&ctx, &mut typing, Focus::Nothing, first);
            assert_eq!(asked, (vec![Action::Search], vec![]));
            let second = vec![plain(Key::H), text("h")];
            let waiting = frame(&ctx, &mut typing, Focus::Nothing, second);
            assert_eq!(waiting, (vec![], vec![]));
            let last = frame(&ctx, &mut typing, Focus::Text, vec![text("!")]);
            let typed = vec![
                plain(Key::I),
                text("i"),
                plain(Key::H),
                text("h"),
                text("!"),
            ];
            assert_eq!(last, (vec![], typed));
            let later = frame(&ctx, &mut typing, Focus::Nothing, vec![plain(Key::Space)]);
            assert_eq!(later, (vec![Action::PlayPause], vec![]));
        }
    }

    #[test]
    fn a_sign_counts_again_where_shift_was_let_go_of_first() {
        let event = |name, pressed, repeat| Event::Key {
            key: name,
            physical_key: Some(Key::Slash),
            pressed,
            repeat,
            modifiers: Modifiers::NONE,
        };
        let (ctx, mut typing) = (Context::default(), Typing::default());
        for repeat in [false, true] {
            let press = vec![event(Key::Questionmark, true, repeat)];
            let asked = frame(&ctx, &mut typing, Focus::Nothing, press);
            assert_eq!(asked.0, [Action::Help], "{repeat}");
            let held = vec![event(Key::Questionmark, true, true)];
            let asked = frame(&ctx, &mut typing, Focus::Nothing, held);
            assert_eq!(asked.0, []);
            let release = vec![event(Key::Slash, false, false)];
            frame(&ctx, &mut typing, Focus::Nothing, release);
        }
    }

    #[test]
    fn a_shortcut_right_after_that_of_a_field_is_pressed_once_and_counts() {
        let placed = |it| Event::Key {
            key: it,
            physical_key: Some(it),
            pressed: true,
            repeat: false,
            modifiers: Modifiers::COMMAND,
        };
        let (ctx, mut typing) = (Context::default(), Typing::default());
        let both = vec![placed(Key::F), placed(Key::O)];
        let asked = frame(&ctx, &mut typing, Focus::Nothing, both);
        assert_eq!(asked.0, [Action::Search]);
        let asked = frame(&ctx, &mut typing, Focus::Text, Vec::new());
        assert_eq!(asked.0, [Action::AddFiles]);
    }

    #[test]
    fn a_key_means_what_its_page_says() {
        let plain = Modifiers::NONE;
        for (place, event, action) in [
            (TRACK, key(Key::ArrowLeft, plain), Some(Action::BeatBack)),
            (LIBRARY, key(Key::ArrowLeft, plain), None),
            (
                TRACK,
                key(Key::ArrowLeft, Modifiers::SHIFT),
                Some(Action::BarBack),
            ),
            (LIBRARY, key(Key::Enter, plain), Some(Action::OpenTrack)),
            (TRACK, key(Key::C, plain), Some(Action::SetCue)),
            (TRACK, key(Key::C, Modifiers::SHIFT), Some(Action::ToCue)),
            (
                TRACK,
                key(Key::Questionmark, Modifiers::SHIFT),
                Some(Action::Help),
            ),
            (LIBRARY, key(Key::Z, Modifiers::COMMAND), Some(Action::Undo)),
        ] {
            assert_eq!(asked(&event, place), action, "{event:?} on {place:?}");
        }
    }

    #[test]
    fn typing_is_typing() {
        let text = Place {
            focus: Focus::Text,
            ..TRACK
        };
        for typed in [Key::H, Key::Space, Key::Slash] {
            assert_eq!(asked(&key(typed, Modifiers::NONE), text), None, "{typed:?}");
        }
        for edited in [Key::Z, Key::A] {
            assert_eq!(
                asked(&key(edited, Modifiers::COMMAND), text),
                None,
                "{edited:?}"
            );
        }
        let open = key(Key::O, Modifiers::COMMAND);
        assert_eq!(asked(&open, text), Some(Action::AddFiles));
    }

    #[test]
    fn a_button_with_the_focus_is_pressed_by_space() {
        let button = Place {
            focus: Focus::Widget,
            ..TRACK
        };
        assert_eq!(asked(&key(Key::Space, Modifiers::NONE), button), None);
        let half = key(Key::H, Modifiers::NONE);
        assert_eq!(asked(&half, button), Some(Action::HalveTempo));
    }

    /// Draws `draw` and then, in a frame that begins with Escape, says what that asks for on the track page.
    fn escaped(draw: impl Fn(&mut Ui)) -> Vec<Action> {
        let ctx = Context::default();
        for _ in 0..2 {
            let mut drawn = ctx.run_ui(RawInput::default(), |ui| draw(ui));
            drawn.textures_delta.clear();
        }
        let left_by_escape = is_left_by_escape(&ctx, None);
        let events = vec![key(Key::Escape, Modifiers::NONE)];
        let input = RawInput {
            events,
            ..RawInput::default()
        };
        let mut actions = Vec::new();
        let mut drawn = ctx.run_ui(input, |ui| {
            let place = Place {
                focus: Focus::of(&ctx, None),
                left_by_escape,
                ..TRACK
            };
            actions = Typing::default().pressed(&ctx, place);
            let seen = ui.input(|input| input.key_pressed(Key::Escape));
            assert_eq!(seen, actions.is_empty(), "whoever is left sees the key");
            draw(ui);
        });
        drawn.textures_delta.clear();
        actions
    }

    #[test]
    fn escape_leaves_what_is_open_before_it_leaves_the_page() {
        assert_eq!(escaped(|_| {}), [Action::BackToLibrary]);
        let button = |ui: &mut Ui| ui.button("Play").request_focus();
        assert_eq!(escaped(button), []);
        let field = |ui: &mut Ui| ui.text_edit_singleline(&mut String::new()).request_focus();
        assert_eq!(escaped(field), []);
        let list = |ui: &mut Ui| {
            let button = ui.button("Output");
            Popup::open_id(ui.ctx(), Popup::default_response_id(&button));
            Popup::menu(&button).show(|ui| ui.label("Booth"));
        };
        assert_eq!(escaped(list), []);
    }

    #[test]
    fn nothing_below_a_sheet_is_reached() {
        let covered = Place {
            covered: true,
            ..TRACK
        };
        assert_eq!(asked(&key(Key::H, Modifiers::NONE), covered), None);
        let quit = key(Key::Q, Modifiers::COMMAND);
        assert_eq!(asked(&quit, covered), Some(Action::Quit));
    }

    #[test]
    fn holding_a_key_moves_on_but_does_not_toggle() {
        let held = |held| Event::Key {
            key: held,
            physical_key: None,
            pressed: true,
            repeat: true,
            modifiers: Modifiers::NONE,
        };
        assert_eq!(
            asked(&held(Key::ArrowRight), TRACK),
            Some(Action::BeatForward)
        );
        assert_eq!(asked(&held(Key::Space), TRACK), None);
        let both = [held(Key::ArrowRight), held(Key::Space)];
        assert_eq!(actions(&both, TRACK), [Action::BeatForward]);
        // Nor is it left to a widget, which would take it for a click.
        let (ctx, mut typing) = (Context::default(), Typing::default());
        let events = vec![held(Key::Space), held(Key::F35)];
        let left = frame(&ctx, &mut typing, Focus::Nothing, events);
        assert_eq!(left, (vec![], vec![held(Key::F35)]));
    }
}
