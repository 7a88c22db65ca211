//! The set-up of a running core: one thread while there is something to do, and the view of it.

use super::run::{self, SetupError, Told};
use super::{
    Building, EnvironmentView, InterpreterView, Places, SetupCommand, SetupView, Step, Wish,
};
use crate::control::Control;
use crate::failure::{Failure, FailureKind};
use crate::models::{ShelfError, shelf};
use arc_swap::ArcSwap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

/// Told when what can be done has changed.
pub(crate) type Changed = Arc<dyn Fn() + Send + Sync>;
/// Lets go of what keeps an environment from being replaced.
pub(crate) type LetGo = Arc<dyn Fn() + Send + Sync>;
type Wake = Arc<dyn Fn() + Send + Sync>;

/// Takes commands, never blocks.
pub(crate) struct SetupDesk {
    shared: Arc<Shared>,
    /// The set-up under way or ended, with the way to stop it.
    under_way: Option<(JoinHandle<()>, Control)>,
}

struct Shared {
    /// The Python among them is another when the user chooses one.
    places: ArcSwap<Places>,
    view: Arc<ArcSwap<SetupView>>,
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
                changing: Mutex::new(()),
                wake,
                changed,
                let_go,
            }),
            under_way: None,
        }
    }

    pub(crate) fn watch(&self) -> SetupWatch {
        SetupWatch(Arc::clone(&self.shared.view))
    }

    pub(crate) fn carry_out(&mut self, command: SetupCommand) {
        match command {
            SetupCommand::Start(wish) => self.start("set-up", move |shared, control| {
                shared.set_up(&wish, control);
            }),
            SetupCommand::Check => self.look(),
            SetupCommand::UsePython(python) => {
                self.start("set-up check", move |shared, control| {
                    shared.use_python(python, control);
                });
            }
            SetupCommand::Cancel => {
                if let Some((_, control)) = &self.under_way {
                    control.cancel();
                }
            }
            SetupCommand::RemoveModel(id) => {
                self.start("remove model", move |shared, control| {
                    shared.remove(&id, control);
                });
            }
        }
    }

    fn look(&mut self) {
        self.start("set-up check", |shared, control| {
            let mut view = run::check(&shared.places.load_full(), None, control);
            view.is_busy = true;
            shared.change(|shown| *shown = view);
        });
    }

    fn start(&mut self, name: &str, work: impl FnOnce(&Shared, &Control) + Send + 'static) {
        if self
            .under_way
            .as_ref()
            .is_some_and(|(thread, _)| !thread.is_finished())
        {
            return;
        }
        let control = Control::default();
        let (shared, mine) = (Arc::clone(&self.shared), control.clone());
        self.shared.change(|view| {
            view.is_busy = true;
            view.trouble = None;
        });
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                work(&shared, &mine);
                shared.change(|view| view.is_busy = false);
                (shared.changed)();
            });
        match thread {
            Ok(thread) => self.under_way = Some((thread, control)),
            Err(error) => self.shared.change(|view| {
                view.is_busy = false;
                view.trouble = Some(Failure::from_io(&error));
            }),
        }
    }
}

impl Drop for SetupDesk {
    fn drop(&mut self) {
        if let Some((thread, control)) = self.under_way.take() {
            control.cancel();
            if thread.join().is_err() {
                tracing::error!("the set-up panicked");
            }
        }
    }
}

impl Shared {
    fn change(&self, change: impl FnOnce(&mut SetupView)) {
        let one_at_a_time = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut view = (*self.view.load_full()).clone();
        change(&mut view);
        self.view.store(Arc::new(view));
        drop(one_at_a_time);
        (self.wake)();
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
        view.is_busy = true;
        self.change(|shown| *shown = view);
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Carries a command out to its end, and tells what is to be seen then.
    fn seen_after(desk: &mut SetupDesk, command: SetupCommand) -> SetupView {
        desk.carry_out(command);
        while desk
            .under_way
            .as_ref()
            .is_some_and(|(thread, _)| !thread.is_finished())
        {
            std::thread::yield_now();
        }
        (*desk.watch().view()).clone()
    }

    #[test]
    fn a_python_that_is_none_is_refused_and_the_choice_of_before_stays() {
        let dir = tempfile::tempdir().unwrap();
        let (first, second) = (dir.path().join("first"), dir.path().join("second"));
        let places = Places {
            cache: dir.path().join("cache"),
            python: Some(first.clone()),
            ..Places::default()
        };
        let mut desk = SetupDesk::new(places, Arc::new(|| ()), Arc::new(|| ()), Arc::new(|| ()));
        let view = seen_after(&mut desk, SetupCommand::UsePython(Some(second.clone())));
        assert_eq!(view.python.as_ref(), Some(&first));
        let told = view.trouble.unwrap().message;
        assert!(told.contains(&*second.to_string_lossy()), "{told}");
        let view = seen_after(&mut desk, SetupCommand::Check);
        assert_eq!(view.python, Some(first));
        let view = seen_after(&mut desk, SetupCommand::UsePython(None));
        assert_eq!((view.python, view.trouble), (None, None));
    }
}
