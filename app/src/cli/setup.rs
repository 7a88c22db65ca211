//! `setup`: Python 3.12 environment and model files, step by step.

mod words;

use crate::cli::Context;
use crate::cli::library::{interruptible, places};
use crate::exit::Exit;
use crate::format;
use crate::output::Output;
use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};
use std::io::{BufRead as _, IsTerminal as _};
use std::path::PathBuf;
use std::time::{Duration, Instant};
use tonearm_core::control::Control;
use tonearm_core::failure::Failure;
use tonearm_core::setup::run::{self, SetupError, Told};
use tonearm_core::setup::{
    EnvironmentView, Family, InterpreterView, ModelState, ModelView, Places, SetupView, Variant,
    Wish,
};
use tonearm_core::units::Secs;
use words::{
    about, device_json, environment_json, environment_words, error_json, interpreter_json,
    interpreter_words, line_of, words_of,
};

pub(crate) use words::{device_words, model_words};

/// Make neural analysis possible: a Python environment of our own, and models
///
/// Needs Python 3.12 and, unless --from is given, the net. Nothing outside Tonearm's cache folder is changed
/// (`TONEARM_CACHE` moves it). What is done already is tried out, and done again only where it is broken. With --check the
/// status is 1 where something that is there, or the Python that was chosen, is of no use.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  tonearm setup --check\n  tonearm setup\n  tonearm setup --models htdemucs --accept-licence htdemucs\n  tonearm setup --again beat_this\n  tonearm setup --from /media/usb/models"
)]
pub(crate) struct Setup {
    /// Only tell what is there
    #[arg(long, conflicts_with_all = ["models", "again", "from", "torch", "accept_licence"])]
    check: bool,
    /// Only these models: `beat_this`, `htdemucs`, `ace`; `none` for the environment alone
    #[arg(long, value_delimiter = ',', value_name = "MODEL,…")]
    models: Option<Vec<String>>,
    /// Get these models once more, in place of those that are here and of no use
    #[arg(long, value_delimiter = ',', value_name = "MODEL,…")]
    again: Option<Vec<String>>,
    /// Take models, and packages if there are such, from a folder in place of the net
    ///
    /// Models lie there under the names that they are published with, packages as wheels, in it or in folders below it. The
    /// packages are fetched where there is a net, for the same system and by a Python 3.12, from the lists in Tonearm's source
    /// (or in `python/resources` of its cache folder, once a set-up was begun there):
    /// `pip download --no-deps --only-binary :all: -d DIR -r requirements.txt -r python/pip.txt`. The second list is pip
    /// itself, in the version that is used. For Linux without CUDA add
    /// `--extra-index-url https://download.pytorch.org/whl/cpu`, for the build with CUDA `-r python/cuda.txt`.
    #[arg(long, value_name = "DIR")]
    from: Option<PathBuf>,
    /// The build of torch: `cpu`, `cuda`, `mps`
    #[arg(long, value_name = "BUILD")]
    torch: Option<Variant>,
    /// Agree to the terms of a model whose weights are not free
    #[arg(long, value_delimiter = ',', value_name = "MODEL,…")]
    accept_licence: Vec<String>,
    /// The Python to use
    #[arg(long, value_name = "PATH")]
    python: Option<PathBuf>,
}

pub(crate) fn run(context: &Context, job: Setup) -> Result<(), Exit> {
    let places = places()?;
    if job.check {
        let view = run::check(&places, job.python.as_deref(), &interruptible());
        tell_all(context, &view)?;
        let has_chosen = job.python.is_some() || places.python.is_some();
        return if is_broken(&view, has_chosen) {
            Err(Exit::SomeFailed)
        } else {
            Ok(())
        };
    }
    let began = Instant::now();
    let mut wish = Wish {
        environment: true,
        // Whoever names one to get again means this one alone.
        models: job
            .models
            .or_else(|| job.again.as_ref().map(|_| Vec::new()))
            .map(|ids| ids.into_iter().filter(|id| id != "none").collect()),
        again: job.again.unwrap_or_default(),
        accepted: job.accept_licence,
        torch: job.torch,
        python: job.python,
        from: job.from,
    };
    // While a question is open, Ctrl-C ends the program at once.
    ask_for_terms(&places, &mut wish, context.output.json)?;
    let interrupt = interruptible();
    let mut teller = Teller::new(context);
    let ended = run::run(&places, &wish, &interrupt, &mut |told| teller.hear(&told));
    let broken = teller.end();
    broken?;
    let failure = match ended {
        Ok(()) => None,
        Err(SetupError::Cancelled) => return Err(Exit::Interrupted),
        Err(SetupError::Failed(failure)) => Some(failure),
    };
    summary(context, &places, began.elapsed(), failure.as_ref())?;
    if failure.is_some() {
        Err(Exit::SomeFailed)
    } else {
        Ok(())
    }
}

/// Whether something is of no use that is there, or was chosen. What is merely absent is nothing broken.
fn is_broken(view: &SetupView, has_chosen_python: bool) -> bool {
    let has_failed = |model: &ModelView| matches!(model.state, ModelState::Failed(_));
    view.trouble.is_some()
        || matches!(view.environment, EnvironmentView::Broken { .. })
        || view.models.iter().any(has_failed)
        || (has_chosen_python && matches!(view.interpreter, InterpreterView::Missing { .. }))
}

/// On a terminal the terms of a model that was named are shown and asked about.
fn ask_for_terms(places: &Places, wish: &mut Wish, json: bool) -> Result<(), Exit> {
    let asks = !json && std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
    let (Some(models), true) = (&wish.models, asks) else {
        return Ok(());
    };
    for model in run::survey(places).models {
        let is_open = models.contains(&model.id) && !wish.accepted.contains(&model.id);
        let is_bound = !model.is_free && !matches!(model.state, ModelState::Ready { .. });
        if !(is_open && is_bound) {
            continue;
        }
        let notice = model.notice.unwrap_or_default();
        Output::note(&format!(
            "{}\n{notice}\nSee {}\nGet it all the same? [y/N]",
            model.title, model.link
        ));
        let mut answer = String::new();
        std::io::stdin()
            .lock()
            .read_line(&mut answer)
            .map_err(|error| Exit::Failed(error.to_string()))?;
        if matches!(answer.trim().to_lowercase().as_str(), "y" | "yes") {
            wish.accepted.push(model.id);
        }
    }
    Ok(())
}

/// Prints what happens: JSON lines, or lines of text with a bar.
struct Teller<'a> {
    context: &'a Context,
    bar: ProgressBar,
    last: Option<Value>,
    told: Option<Instant>,
    broken: Option<Exit>,
}

/// JSON lines about progress come at most this often.
const TELL_EVERY: Duration = Duration::from_secs(1);

impl<'a> Teller<'a> {
    fn new(context: &'a Context) -> Self {
        let is_shown =
            !context.output.quiet && !context.output.json && std::io::stderr().is_terminal();
        let target = if is_shown {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(Some(0), target);
        if let Ok(style) =
            ProgressStyle::with_template("{bar:20} {bytes:>9} / {total_bytes:<9} {msg}")
        {
            bar.set_style(style);
        }
        Self {
            context,
            bar,
            last: None,
            told: None,
            broken: None,
        }
    }

    fn hear(&mut self, told: &Told) {
        let (line, is_progress) = line_of(told);
        if is_progress {
            self.progress(told);
            let step = |line: &Value| line["step"].clone();
            let is_next = self
                .last
                .as_ref()
                .is_none_or(|last| step(last) != step(&line));
            let is_time = self.told.is_none_or(|at| at.elapsed() >= TELL_EVERY);
            if !is_next && !is_time {
                return;
            }
            self.told = Some(Instant::now());
            self.last = Some(line.clone());
            if !self.context.output.json {
                return;
            }
        }
        let printed = self.bar.suspend(|| self.print(told, &line));
        if let Err(exit) = printed {
            self.broken.get_or_insert(exit);
        }
    }

    fn print(&self, told: &Told, line: &Value) -> Result<(), Exit> {
        if self.context.output.json {
            return self.context.output.json(line);
        }
        // Nothing goes on without a Python: why there is none is what the whole failed for, and told as that.
        if let Told::Interpreter(InterpreterView::Missing { .. }) = told {
            return Ok(());
        }
        self.context.output.line(&words_of(told))
    }

    fn progress(&self, told: &Told) {
        let (bytes, total, words) = match told {
            Told::Environment(EnvironmentView::Building(building)) => {
                let left = building.left.map(left_in_words).unwrap_or_default();
                let words = format!("{} {}{left}", run::in_words(building), building.what);
                (building.bytes, building.total.unwrap_or(0), words)
            }
            Told::Model(id, ModelState::Fetching(fetching)) => {
                let left = fetching.left.map(left_in_words).unwrap_or_default();
                (fetching.bytes, fetching.total, format!("{id}{left}"))
            }
            _ => return,
        };
        self.bar.set_length(total);
        self.bar.set_position(bytes);
        self.bar.set_message(words);
    }

    fn end(self) -> Result<(), Exit> {
        self.bar.finish_and_clear();
        self.broken.map_or(Ok(()), Err)
    }
}

fn left_in_words(left: Duration) -> String {
    format!(", {} left", format::duration(Secs(left.as_secs_f64())))
}

/// The last line: what there is now, and what went wrong.
fn summary(
    context: &Context,
    places: &Places,
    took: Duration,
    failure: Option<&Failure>,
) -> Result<(), Exit> {
    let view = run::survey(places);
    let ready = ready_names(&view);
    if context.output.json {
        return context.output.json(
            &json!({"event": "summary", "ready": ready, "seconds": took.as_secs_f64(),
            "warning": error_json(view.without_card().as_ref()), "error": error_json(failure)}),
        );
    }
    tell_failure(failure);
    let words = if ready.is_empty() {
        "nothing yet".to_owned()
    } else {
        ready.join(", ")
    };
    context
        .output
        .line(&format!("Neural analysis is ready for {words}"))?;
    tell_lacks(context, &view)
}

/// What is here and of no use, with what helps.
fn tell_lacks(context: &Context, view: &SetupView) -> Result<(), Exit> {
    if let Some(trouble) = view.without_card() {
        let (what, remedy) = (format::capitalised(&trouble.message), trouble.remedy);
        context.output.line(&format!("{what}\n  {remedy}"))?;
    }
    match lacking(view) {
        Some(words) => context.output.line(&words),
        None => Ok(()),
    }
}

fn ready_names(view: &SetupView) -> Vec<&'static str> {
    view.ready().into_iter().map(Family::name).collect()
}

fn tell_failure(failure: Option<&Failure>) {
    if let Some(failure) = failure {
        Output::note(&format!(
            "tonearm: {}\n  {}",
            failure.message, failure.remedy
        ));
    }
}

/// Which model is here for nothing, and what it takes.
pub(crate) fn lacking(view: &SetupView) -> Option<String> {
    let stems = view.lacking()?;
    Some(format!(
        "Chords and key by a model are heard in stems by one: read {}, then run tonearm setup --accept-licence {}",
        stems.link, stems.id
    ))
}

fn tell_all(context: &Context, view: &SetupView) -> Result<(), Exit> {
    if context.output.json {
        context.output.json(&interpreter_json(&view.interpreter))?;
        if let Some(choice) = &view.variant {
            context
                .output
                .json(&line_of(&Told::Variant(choice.clone())).0)?;
        }
        context.output.json(&environment_json(&view.environment))?;
        context.output.json(&device_json(&view.device))?;
        for model in &view.models {
            context.output.json(&about(model))?;
        }
        let error = error_json(view.trouble.as_ref());
        let warning = error_json(view.without_card().as_ref());
        return context
            .output
            .json(&json!({"event": "summary", "ready": ready_names(view),
            "warning": warning, "error": error}));
    }
    tell_failure(view.trouble.as_ref());
    context.output.line(&interpreter_words(&view.interpreter))?;
    if let Some(choice) = &view.variant {
        context
            .output
            .line(&words_of(&Told::Variant(choice.clone())))?;
    }
    context.output.line(&environment_words(&view.environment))?;
    context
        .output
        .line(&format!("device: {}", device_words(&view.device)))?;
    for model in &view.models {
        let licence = if model.is_free {
            model.weight_licence.clone()
        } else {
            format!("{}, see {}", model.weight_licence, model.link)
        };
        context.output.line(&format!(
            "{} ({}, {}; {licence}): {}",
            model.id,
            model.is_for,
            format::bytes(model.bytes),
            model_words(&model.state)
        ))?;
    }
    tell_lacks(context, view)
}

/// What `doctor` asks.
pub(crate) fn survey(control: &Control) -> Result<(SetupView, Duration), Exit> {
    let places = places()?;
    let began = Instant::now();
    drop(run::survey(&places));
    let took = began.elapsed();
    Ok((run::check(&places, None, control), took))
}
