//! The set-up of a running core: one thread while there is something to do, and the view of it.

use super::run::{self, SetupError, Told};
use super::{
    Building, EnvironmentView, InterpreterView, ModelState, Places, SetupCommand, SetupView, Step,
    Wish,
};
use crate::control::Control;
use crate::failure::{Failure, FailureKind};
use crate::models::{ShelfError, shelf};
use arc_swap::ArcSwap;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

/// Commands that may wait for the one in hand; none waits twice, so that there are never so many.
const MOST_WAITING: usize = 32;

/// Told when what can be done has changed.
pub(crate) type Changed = Arc<dyn Fn() + Send + Sync>;
/// Lets go of what keeps an environment from being replaced.
pub(crate) type LetGo = Arc<dyn Fn() + Send + Sync>;
type Wake = Arc<dyn Fn() + Send + Sync>;

/// Takes commands, never blocks. They are carried out one after the other.
pub(crate) struct SetupDesk {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// What is to be done. Whoever puts something in while nothing is in hand sees to it that there is a thread; the thread
/// ends when nothing is left, and says so in the same moment, so that nothing falls between two.
#[derive(Default)]
struct Line {
    /// With the way to stop it.
    in_hand: Option<(SetupCommand, Control)>,
    waiting: VecDeque<SetupCommand>,
}

impl Line {
    /// Whether there is more to see than a glance.
    fn is_busy(&self) -> bool {
        let in_hand = self.in_hand.iter().map(|(command, _)| command);
        in_hand
            .chain(&self.waiting)
            .any(|command| *command != SetupCommand::Glance)
    }

    /// Whether it was there already: a second press of the same button.
    fn put(&mut self, command: SetupCommand) -> bool {
        let is_under_way = matches!(
            (&self.in_hand, &command),
            (Some((SetupCommand::Start(mine), control)), SetupCommand::Start(wish))
                if mine == wish && control.check().is_ok()
        );
        if is_under_way {
            return true;
        }
        // The newest wish is the last that is carried out.
        self.waiting.retain(|waiting| *waiting != command);
        if self.waiting.len() >= MOST_WAITING {
            tracing::error!(?command, "too much waits for the set-up");
            return true;
        }
        self.waiting.push_back(command);
        false
    }
}

struct Shared {
    /// The Python among them is another when the user chooses one.
    places: ArcSwap<Places>,
    view: Arc<ArcSwap<SetupView>>,
    /// Held before `changing`.
    line: Mutex<Line>,
    /// One change of the view after the other.
    changing: Mutex<()>,
    wake: Wake,
    changed: Changed,
    let_go: LetGo,
}

impl std::fmt::Debug for SetupDesk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SetupDesk").finish_non_exhaustive()
    }
}

/// Reads what there is of the set-up, whoever has it in hand.
#[derive(Debug, Clone)]
pub struct SetupWatch(pub(crate) Arc<ArcSwap<SetupView>>);

impl SetupWatch {
    pub fn view(&self) -> Arc<SetupView> {
        self.0.load_full()
    }
}

impl SetupDesk {
    pub(crate) fn new(places: Places, wake: Wake, changed: Changed, let_go: LetGo) -> Self {
        let view = Arc::new(ArcSwap::from_pointee(run::survey(&places)));
        Self {
            shared: Arc::new(Shared {
                places: ArcSwap::from_pointee(places),
                view,
                line: Mutex::default(),
                changing: Mutex::new(()),
                wake,
                changed,
                let_go,
            }),
            thread: None,
        }
    }

    pub(crate) fn watch(&self) -> SetupWatch {
        SetupWatch(Arc::clone(&self.shared.view))
    }

    pub(crate) fn carry_out(&mut self, command: SetupCommand) {
        if command == SetupCommand::Cancel {
            return self.shared.cancel();
        }
        let mut line = self.shared.line();
        if line.put(command) || line.in_hand.is_some() {
            self.shared.show_busy(&line);
            return;
        }
        self.shared.take_next(&mut line);
        drop(line);
        // The one before has nothing to do any more.
        self.join();
        let shared = Arc::clone(&self.shared);
        let thread = std::thread::Builder::new()
            .name("set-up".to_owned())
            .spawn(move || shared.work());
        match thread {
            Ok(thread) => self.thread = Some(thread),
            Err(error) => {
                let mut line = self.shared.line();
                *line = Line::default();
                self.shared.show_busy(&line);
                drop(line);
                let trouble = Failure::from_io(&error);
                self.shared.change(|view| view.trouble = Some(trouble));
            }
        }
    }

    fn join(&mut self) {
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the set-up panicked");
        }
    }
}

impl Drop for SetupDesk {
    fn drop(&mut self) {
        self.shared.cancel();
        self.join();
    }
}

impl Shared {
    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes nobody where nothing is another.
    fn change(&self, change: impl FnOnce(&mut SetupView)) {
        let one_at_a_time = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.view.load_full();
        let mut view = (*before).clone();
        change(&mut view);
        let is_another = view != *before;
        if is_another {
            self.view.store(Arc::new(view));
        }
        drop(one_at_a_time);
        if is_another {
            (self.wake)();
        }
    }

    fn show_busy(&self, line: &Line) {
        self.change(|view| view.is_busy = line.is_busy());
    }

    /// Stops what is in hand; what waits is not begun.
    fn cancel(&self) {
        let mut line = self.line();
        line.waiting.clear();
        if let Some((_, control)) = &line.in_hand {
            control.cancel();
        }
    }

    /// Takes the next in hand; `None` when there is none.
    fn take_next(&self, line: &mut Line) -> Option<(SetupCommand, Control)> {
        let next = line.waiting.pop_front();
        line.in_hand = next.map(|command| (command, Control::default()));
        let forgets = !matches!(line.in_hand, None | Some((SetupCommand::Glance, _)));
        self.change(|view| {
            view.is_busy = line.is_busy();
            if forgets {
                view.trouble = None;
            }
        });
        line.in_hand.clone()
    }

    /// Does what is in hand, and all that waits.
    fn work(&self) {
        let mut next = self.line().in_hand.clone();
        while let Some((command, control)) = next {
            if catch_unwind(AssertUnwindSafe(|| self.carry_out(command, &control))).is_err() {
                let trouble = Failure::new(
                    FailureKind::Bug,
                    "the set-up broke down",
                    "Please report it, with the log",
                );
                self.change(|view| view.trouble = Some(trouble));
            }
            (self.changed)();
            next = self.take_next(&mut self.line());
        }
    }

    fn carry_out(&self, command: SetupCommand, control: &Control) {
        match command {
            SetupCommand::Start(wish) => self.set_up(&wish, control),
            SetupCommand::Check => {
                let view = run::check(&self.places.load_full(), None, control);
                self.show(view);
            }
            SetupCommand::Glance => self.glance(),
            SetupCommand::UsePython(python) => self.use_python(python, control),
            SetupCommand::RemoveModel(id) => self.remove(&id, control),
            SetupCommand::Cancel => {}
        }
    }

    /// All that was found out.
    fn show(&self, view: SetupView) {
        self.change(|shown| {
            let is_busy = shown.is_busy;
            *shown = SetupView { is_busy, ..view };
        });
    }

    /// What others have done to environment and models since, and what models ran on.
    fn glance(&self) {
        let fresh = run::survey(&self.places.load_full());
        self.change(|shown| {
            let seen = as_seen(fresh, shown);
            *shown = seen;
        });
    }

    fn set_up(&self, wish: &Wish, control: &Control) {
        let ended = run::run(
            &self.places.load_full(),
            wish,
            control,
            &mut |told: Told| {
                if let Told::Environment(EnvironmentView::Building(Building {
                    step: Step::Waiting | Step::Preparing,
                    ..
                })) = &told
                {
                    (self.let_go)();
                }
                self.change(|view| view.take(told));
            },
        );
        if let Err(SetupError::Failed(failure)) = ended {
            self.change(|view| view.trouble = Some(failure));
        }
    }

    /// From now on only this Python will do; one that does not is refused, and that of before stays.
    fn use_python(&self, python: Option<PathBuf>, control: &Control) {
        let before = self.places.load_full();
        let after = Places {
            python,
            ..(*before).clone()
        };
        let mut view = run::check(&after, None, control);
        // Whoever is stopped while it answers has not taken it.
        if after.python.is_some() && control.check().is_err() {
            return;
        }
        match (&view.interpreter, &after.python) {
            (InterpreterView::Missing { reason, .. }, Some(path)) => {
                let refused = Failure::new(
                    FailureKind::Unsupported,
                    format!("{} was not taken: {reason}", path.display()),
                    "Choose the program of a Python 3.12. The choice of before stays",
                );
                view = run::check(&before, None, control);
                view.trouble = Some(refused);
            }
            _ => self.places.store(Arc::new(after)),
        }
        self.show(view);
    }

    fn remove(&self, id: &str, control: &Control) {
        let places = self.places.load();
        let models = places.models().ok();
        let removed = models
            .as_ref()
            .and_then(|models| models.get(id))
            .map(|model| shelf::remove(&places.cache, model, control));
        let trouble = match removed {
            Some(Ok(()) | Err(ShelfError::Cancelled(_))) | None => None,
            Some(Err(error)) => Some(Failure::new(
                FailureKind::Storage,
                format!("the model cannot be removed: {error}"),
                "Close other programs that use it, then try again",
            )),
        };
        let fresh = run::survey(&places).models;
        self.change(|view| {
            view.models = fresh;
            view.trouble = trouble;
        });
    }
}

/// A survey, with what of the view before no survey tells.
fn as_seen(fresh: SetupView, shown: &SetupView) -> SetupView {
    let mut seen = SetupView {
        is_busy: shown.is_busy,
        ..fresh
    };
    if seen.interpreter == InterpreterView::Unknown {
        seen.interpreter = shown.interpreter.clone();
    }
    for model in &mut seen.models {
        let before = shown.models.iter().find(|it| it.id == model.id);
        let why = before.map(|it| &it.state);
        if let (ModelState::Absent, Some(ModelState::Failed(_) | ModelState::NotAccepted)) =
            (&model.state, why)
        {
            model.state = why.cloned().unwrap_or(ModelState::Absent);
        }
    }
    // Where somebody else has got on, it says nothing any more.
    let is_as_before = seen.environment == shown.environment && seen.models == shown.models;
    if is_as_before && seen.trouble.is_none() {
        seen.trouble.clone_from(&shown.trouble);
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::python::fingerprint::{Variant, fingerprint};
    use crate::python::interpreter::Interpreter;
    use crate::python::resources;
    use std::fs;
    use std::time::UNIX_EPOCH;

    struct Bench {
        folder: tempfile::TempDir,
        desk: SetupDesk,
    }

    impl Bench {
        /// `changed` is called at the end of each command.
        fn new(changed: impl Fn() + Send + Sync + 'static) -> Self {
            let folder = tempfile::tempdir().unwrap();
            let places = Places {
                cache: folder.path().join("cache"),
                python: Some(folder.path().join("first")),
                ..Places::default()
            };
            let nothing = || Arc::new(|| ());
            let desk = SetupDesk::new(places, nothing(), Arc::new(changed), nothing());
            Self { folder, desk }
        }

        /// An environment that looks whole, made with a Python of its own.
        fn make_ready(&self) {
            let path = self.folder.path().join("base");
            fs::write(&path, "").unwrap();
            let metadata = fs::metadata(&path).unwrap();
            let changed = metadata.modified().unwrap();
            let changed = changed.duration_since(UNIX_EPOCH).unwrap().as_nanos() as i64;
            let interpreter = Interpreter {
                path,
                version: (3, 12, 1),
                platform: String::new(),
            };
            let locks = resources::locks(Variant::Cpu).unwrap();
            let print = fingerprint(&locks, &interpreter, Variant::Cpu);
            let marker = serde_json::json!({"fingerprint": print, "variant": "cpu", "interpreter": interpreter,
                "stamp": [0, changed], "versions": {}, "built": "2026-01-01T00:00:00Z"});
            let root = self.folder.path().join("cache/python");
            let (program, notes) = (root.join(&print), marker.to_string());
            let python = program.join(if cfg!(windows) {
                "Scripts/python.exe"
            } else {
                "bin/python"
            });
            fs::create_dir_all(python.parent().unwrap()).unwrap();
            fs::write(python, "").unwrap();
            fs::write(program.join("ready.json"), &notes).unwrap();
            fs::write(root.join("current.json"), notes).unwrap();
        }

        /// What is to be seen when all is done.
        fn seen(&mut self) -> SetupView {
            self.desk.join();
            (*self.desk.watch().view()).clone()
        }

        fn seen_after(&mut self, command: SetupCommand) -> SetupView {
            self.desk.carry_out(command);
            self.seen()
        }
    }

    #[test]
    fn a_python_that_is_none_is_refused_and_the_choice_of_before_stays() {
        let mut bench = Bench::new(|| ());
        let name = |name| bench.folder.path().join(name);
        let (first, second) = (name("first"), name("second"));
        let view = bench.seen_after(SetupCommand::UsePython(Some(second.clone())));
        assert_eq!(view.python.as_ref(), Some(&first));
        let told = view.trouble.unwrap().message;
        assert!(told.contains(&*second.to_string_lossy()), "{told}");
        let view = bench.seen_after(SetupCommand::Check);
        assert_eq!(view.python, Some(first));
        let view = bench.seen_after(SetupCommand::UsePython(None));
        assert_eq!((view.python, view.trouble), (None, None));
    }

    #[test]
    fn a_python_that_is_none_is_refused_also_where_an_environment_is_ready() {
        let mut bench = Bench::new(|| ());
        bench.make_ready();
        let name = |name| bench.folder.path().join(name);
        let (first, second) = (name("first"), name("second"));
        let view = bench.seen_after(SetupCommand::UsePython(Some(second.clone())));
        assert!(
            matches!(view.environment, EnvironmentView::Ready { .. }),
            "{view:?}"
        );
        assert_eq!(view.python, Some(first));
        let told = view.trouble.unwrap().message;
        assert!(told.contains(&*second.to_string_lossy()), "{told}");
    }

    #[test]
    fn the_newest_wish_is_the_last_that_is_carried_out() {
        let python = |name: &str| SetupCommand::UsePython(Some(name.into()));
        let mut line = Line::default();
        for name in ["a", "b", "a"] {
            assert!(!line.put(python(name)));
        }
        assert_eq!(line.waiting, [python("b"), python("a")]);
    }

    #[test]
    fn a_set_up_that_was_stopped_can_be_asked_for_again_at_once() {
        let start = SetupCommand::Start(Wish::default());
        let control = Control::default();
        let mut line = Line {
            in_hand: Some((start.clone(), control.clone())),
            ..Line::default()
        };
        assert!(line.put(start.clone()), "it is under way");
        control.cancel();
        assert!(!line.put(start));
    }

    #[test]
    fn what_is_asked_while_the_set_up_comes_to_its_end_is_done_after_it() {
        let (at_the_end, ends) = std::sync::mpsc::channel();
        let (go_on, goes_on) = std::sync::mpsc::sync_channel(0);
        let goes_on = Mutex::new(goes_on);
        let mut bench = Bench::new(move || {
            at_the_end.send(()).unwrap();
            // The last one is let go by the end of the test.
            let _let_go = goes_on.lock().unwrap().recv();
        });
        bench.desk.carry_out(SetupCommand::Check);
        ends.recv().unwrap();
        for python in [None, None] {
            bench.desk.carry_out(SetupCommand::UsePython(python));
        }
        assert!(bench.desk.watch().view().is_busy);
        go_on.send(()).unwrap();
        ends.recv().unwrap();
        drop(go_on);
        let view = bench.seen();
        assert_eq!((view.python, view.is_busy), (None, false));
        assert_eq!(
            ends.try_iter().count(),
            0,
            "what waits already does not wait twice"
        );
    }

    #[test]
    fn what_waits_is_not_begun_after_a_cancel() {
        let mut bench = Bench::new(|| ());
        let held = bench.desk.shared.line().put(SetupCommand::UsePython(None));
        assert!(!held);
        bench.desk.carry_out(SetupCommand::Cancel);
        let view = bench.seen_after(SetupCommand::Check);
        assert!(view.python.is_some());
    }

    #[test]
    fn a_glance_sees_what_others_have_done_and_keeps_what_it_cannot_know() {
        let mut bench = Bench::new(|| ());
        let list = r#"{"models": [{"id": "m", "family": "beats", "title": "M", "is_for": "tests", "code_licence": "MIT",
            "weight_licence": "MIT", "is_free": true, "notice": null, "link": "", "files": [{"name": "m.ckpt", "also": [],
            "urls": [], "about_bytes": 4, "most_bytes": 100, "check": "unpinned"}]}]}"#;
        let manifest = bench.folder.path().join("models.json");
        std::fs::write(&manifest, list).unwrap();
        let places = (*bench.desk.shared.places.load_full()).clone();
        let places = Places {
            manifest: Some(manifest),
            ..places
        };
        bench.desk.shared.places.store(Arc::new(places.clone()));
        let trouble = Failure::new(FailureKind::Unreadable, "no net", "");
        let failed = || ModelState::Failed(trouble.clone());
        bench.seen_after(SetupCommand::Check);
        bench.desk.shared.change(|view| {
            view.models[0].state = failed();
            view.trouble = Some(trouble.clone());
        });
        let before = bench.desk.watch().view();
        assert_eq!(bench.seen_after(SetupCommand::Glance), *before);
        assert!(matches!(
            before.interpreter,
            InterpreterView::Missing { .. }
        ));
        // Another program gets the model.
        let from = bench.folder.path().join("from");
        std::fs::create_dir(&from).unwrap();
        std::fs::write(from.join("m.ckpt"), "PK\u{3}\u{4}m").unwrap();
        let models = places.models().unwrap();
        let wanted = (&models.models[0], false);
        shelf::import(&places.cache, &from, wanted, &Control::default()).unwrap();
        let view = bench.seen_after(SetupCommand::Glance);
        assert!(matches!(view.models[0].state, ModelState::Ready { .. }));
        assert_eq!((view.trouble, view.is_busy), (None, false));
        assert!(matches!(view.interpreter, InterpreterView::Missing { .. }));
    }
}
