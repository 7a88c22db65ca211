//! Looks into the running window and acts in it as a user would: by what it tells assistive technology.
#![expect(
    clippy::expect_used,
    reason = "a driver that cannot drive fails the test that called it"
)]

use crate::card::Card;
use crate::program::{Ended, Program, Running};
use crate::screen::Screen;
use egui::accesskit::{Action, ActionRequest, Node, NodeId, Role, TreeId, TreeUpdate};
use egui::{Event, Key, Modifiers, PointerButton, Pos2};
use egui_inspection::protocol::{Request, Response, read_handshake, read_message, write_message};
use std::collections::HashMap;
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

/// Whatever takes longer hangs. Nothing is measured with it.
const DEADLINE: Duration = Duration::from_secs(100);
/// Between two looks.
const MOMENT: Duration = Duration::from_millis(30);

/// A widget as a screen reader meets it.
#[derive(Debug, Clone, PartialEq)]
pub struct Widget {
    pub id: NodeId,
    pub role: Role,
    pub name: String,
    pub value: String,
    /// Its middle.
    pub place: Pos2,
}

/// All widgets of one frame.
#[derive(Debug, Clone, Default)]
pub struct Seen(Vec<Widget>);

impl Seen {
    fn of(update: &TreeUpdate) -> Self {
        let nodes: HashMap<NodeId, &Node> =
            update.nodes.iter().map(|(id, node)| (*id, node)).collect();
        let name = |node: &Node| {
            let own = node.label().or(node.value()).map(str::to_owned);
            own.unwrap_or_else(|| {
                let others = node.labelled_by().iter();
                others
                    .filter_map(|id| nodes.get(id).and_then(|by| by.value().or(by.label())))
                    .collect()
            })
        };
        let widgets = update.nodes.iter().filter_map(|(id, node)| {
            let bounds = node.bounds()?;
            let middle = (
                f64::midpoint(bounds.x0, bounds.x1),
                f64::midpoint(bounds.y0, bounds.y1),
            );
            Some(Widget {
                id: *id,
                role: node.role(),
                name: name(node),
                value: node.value().unwrap_or_default().to_owned(),
                place: Pos2::new(middle.0 as f32, middle.1 as f32),
            })
        });
        Self(widgets.collect())
    }

    pub fn named(&self, name: &str) -> Option<&Widget> {
        self.0.iter().find(|widget| widget.name == name)
    }

    /// The first whose name has `part` in it.
    pub fn with(&self, part: &str) -> Option<&Widget> {
        self.0.iter().find(|widget| widget.name.contains(part))
    }

    /// The rows of tables and lists.
    pub fn rows(&self) -> impl Iterator<Item = &Widget> {
        self.0.iter().filter(|widget| widget.role == Role::Row)
    }

    /// All names, for messages.
    pub fn names(&self) -> String {
        let told = self.0.iter().filter(|widget| !widget.name.is_empty());
        let told = told.map(|widget| match widget.value.as_str() {
            "" => widget.name.clone(),
            value if value == widget.name => value.to_owned(),
            value => format!("{} = {value}", widget.name),
        });
        told.collect::<Vec<_>>().join(" | ")
    }
}

fn free_address() -> String {
    let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = free.local_addr().expect("its number").port();
    format!("127.0.0.1:{port}")
}

/// Waits until the window can be looked into.
fn look_into(running: &mut Running, address: &str) -> TcpStream {
    let began = Instant::now();
    loop {
        if let Ok(stream) = TcpStream::connect(address) {
            stream
                .set_read_timeout(Some(DEADLINE))
                .expect("a time limit");
            // One that is about to end still takes callers.
            if read_handshake(&stream).is_ok() {
                return stream;
            }
        }
        if matches!(running.poll_line(MOMENT), Ok(None)) {
            let said = running.errors();
            panic!("the window did not open: {said}");
        }
        assert!(began.elapsed() < DEADLINE, "the window does not open");
    }
}

/// The window under way.
#[derive(Debug)]
pub struct Window {
    running: Running,
    stream: TcpStream,
    address: String,
}

impl Window {
    pub fn open(program: &Program, screen: &Screen) -> Self {
        Self::open_with(program, screen, &[])
    }

    /// With files and folders named on its command line.
    pub fn open_with(program: &Program, screen: &Screen, paths: &[PathBuf]) -> Self {
        let address = free_address();
        Self::start(screen.command(program, paths, &address), address)
    }

    /// Drawing with a card that can be lost.
    pub fn open_on(program: &Program, screen: &Screen, card: &Card) -> Self {
        let address = free_address();
        let mut command = screen.command(program, &[], &address);
        card.here(&mut command);
        Self::start(command, address)
    }

    fn start(command: Command, address: String) -> Self {
        let mut running = Running::start(command);
        let stream = look_into(&mut running, &address);
        Self {
            running,
            stream,
            address,
        }
    }

    /// Takes its card away, and has it draw until it meets the loss and is gone.
    pub fn lose(&self, card: &Card) {
        card.lose();
        let began = Instant::now();
        loop {
            assert!(began.elapsed() < DEADLINE, "nothing is drawn");
            let events = vec![Event::PointerMoved(Pos2::new(1.0, 1.0))];
            let asked = write_message(&self.stream, &Request::ApplyEvents { events });
            let answered = asked.and_then(|()| read_message::<_, Response>(&self.stream));
            if answered.is_err() && card.is_lost() {
                return;
            }
            std::thread::sleep(MOMENT);
        }
    }

    /// Looks into the program that took the place of this one.
    pub fn follow(&mut self) {
        self.stream = look_into(&mut self.running, &self.address);
    }

    pub fn id(&self) -> u32 {
        self.running.id()
    }

    /// Waits for an end that nobody asked for.
    pub fn end(self) -> Ended {
        self.running.end()
    }

    fn ask(&mut self, request: &Request) -> Response {
        let answer = write_message(&self.stream, request).and_then(|()| read_message(&self.stream));
        match answer {
            Ok(Response::Error { message }) => panic!("the window cannot: {message}"),
            Ok(response) => response,
            Err(error) => {
                self.running.kill();
                let said = self.running.errors();
                panic!("the window does not answer: {error}\n{said}")
            }
        }
    }

    /// What is to be seen now.
    pub fn look(&mut self) -> Seen {
        match self.ask(&Request::GetTree) {
            Response::Tree { accesskit, .. } => {
                accesskit.as_ref().map(Seen::of).unwrap_or_default()
            }
            other => panic!("not a tree: {other:?}"),
        }
    }

    /// Looks until `found` gives something.
    pub fn wait_for<T>(&mut self, what: &str, mut found: impl FnMut(&Seen) -> Option<T>) -> T {
        let began = Instant::now();
        loop {
            let seen = self.look();
            if let Some(it) = found(&seen) {
                return it;
            }
            assert!(
                began.elapsed() < DEADLINE,
                "{what} does not come; there is: {}",
                seen.names()
            );
            assert!(
                !matches!(self.running.poll_line(MOMENT), Ok(None)),
                "the window is gone while waiting for {what}"
            );
        }
    }

    /// Waits for a widget of this name.
    pub fn wait(&mut self, name: &str) -> Widget {
        self.wait_for(name, |seen| seen.named(name).cloned())
    }

    /// Clicks on the widget of this name as soon as it is there, as assistive technology does.
    pub fn click(&mut self, name: &str) {
        let target_node = self.wait(name).id;
        self.apply(vec![Event::AccessKitActionRequest(ActionRequest {
            action: Action::Click,
            target_tree: TreeId::ROOT,
            target_node,
            data: None,
        })]);
    }

    pub fn click_at(&mut self, pos: Pos2) {
        let button = |pressed| Event::PointerButton {
            pos,
            button: PointerButton::Primary,
            pressed,
            modifiers: Modifiers::NONE,
        };
        self.apply(vec![Event::PointerMoved(pos)]);
        self.apply(vec![button(true)]);
        self.apply(vec![button(false)]);
    }

    pub fn press(&mut self, modifiers: Modifiers, key: Key) {
        for pressed in [true, false] {
            self.apply(vec![Event::Key {
                key,
                physical_key: None,
                pressed,
                repeat: false,
                modifiers,
            }]);
        }
    }

    pub fn write(&mut self, text: &str) {
        self.apply(vec![Event::Text(text.to_owned())]);
    }

    fn apply(&mut self, events: Vec<Event>) {
        self.ask(&Request::ApplyEvents { events });
    }

    /// The picture as PNG.
    pub fn picture(&mut self) -> Vec<u8> {
        let request = Request::GetScreenshot {
            pixels_per_point: None,
        };
        match self.ask(&request) {
            Response::Screenshot(png) => png.bytes,
            other => panic!("not a picture: {other:?}"),
        }
    }

    /// Ends it as a power cut would.
    pub fn kill(mut self) {
        self.running.kill();
        self.running.end();
    }

    /// Quits by its key, and waits for the end.
    pub fn quit(self) -> Ended {
        for pressed in [true, false] {
            let event = Event::Key {
                key: Key::Q,
                physical_key: None,
                pressed,
                repeat: false,
                modifiers: Modifiers::COMMAND,
            };
            let events = vec![event];
            // It may be gone before it answers.
            if write_message(&self.stream, &Request::ApplyEvents { events }).is_err()
                || read_message::<_, Response>(&self.stream).is_err()
            {
                break;
            }
        }
        self.running.end()
    }
}
