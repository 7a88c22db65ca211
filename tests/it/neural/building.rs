//! Environments that are built, break and are built again, by a Python that only pretends.

use super::{ends, models};
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;
use tempfile::TempDir;
use tonearm_core::control::Control;
use tonearm_core::failure::{Failure, FailureKind};
use tonearm_core::python::Step;
use tonearm_core::python::environment::{self, Environment, InUse, Ready};
use tonearm_core::python::interpreter::{self, Wanted};
use tonearm_core::setup::run::{self, SetupError, Told};
use tonearm_core::setup::{EnvironmentView, InterpreterView, ModelState, Places, Variant, Wish};
use tonearm_tests::program::{Program, Running, finish, skipped};

/// Answers as Python does, and writes down what it was asked in the folder that it was made for. In an environment
/// nothing can be loaded where a file named `damaged` lies beside it. Where a module lies among those that hang, a true
/// Python imports it. Its pip keeps the lists that it was given, and ends with what stands in `pip-says` where that is there.
const PYTHON: &str = r#"#!/bin/sh
log=@FOLDER@
case "$1 $2 $3" in
"-I -c "*)
    [ -e "$log/slow" ] && { echo > "$log/asked"; sleep 60; }
    [ -e "$log/hangs/json.py" ] && PYTHONPATH="$log/hangs" exec python3 -c "$3"
    echo "{\"version\": [3, 12, 1], \"implementation\": \"cpython\", \"platform\": \"linux-x86_64\","\
        "\"executable\": \"$log/python3.12\", \"venv\": true, \"bits\": 64}"
    exit 0 ;;
esac
echo "$6" "cache=$PIP_CACHE_DIR" "root=$PIP_ROOT" "index=$PIP_INDEX_URL" >> "$log/calls"
case "$6" in
venv)
    mkdir -p "$8/bin" && cp "$0" "$8/bin/python" ;;
ensurepip)
    [ ! -e "$log/hangs/ensurepip.py" ] || PYTHONPATH="$log/hangs" exec python3 -c "$5" ensurepip
    ;;
pip)
    [ -e "$log/no-net" ] && { echo "ERROR: Max retries exceeded"; exit 1; }
    mkdir -p "$PIP_CACHE_DIR" && echo > "$PIP_CACHE_DIR/fetched"
    shift 6
    for it; do [ "$before" != -r ] || list=$it; before=$it; done
    echo "$*" >> "$log/pip-arguments"
    { cat "$list"; echo; } >> "$log/lists"
    [ -e "$log/pip-says" ] && grep -q "^torch" "$list" && { cat "$log/pip-says"; exit 1; }
    [ ! -e "$log/endless" ] || { echo > "$log/installs"; cat; exit 70; }
    ;;
*)
    [ -e "${0%/*}/../damaged" ] && { echo "ModuleNotFoundError: torch" >&2; exit 1; }
    # As with all of them: it is to end with whoever asked.
    case "$5" in *os._exit*) ;; *) exit 1 ;; esac
    [ -d "$6/tonearm_worker" ] || exit 1
    devices='"cpu"'
    [ ! -e "$log/card" ] || devices='"cuda", "cpu"'
    echo "{\"versions\": {\"torch\": \"2.11.0\"}, \"devices\": [$devices]}" ;;
esac
"#;

struct Bench {
    folder: TempDir,
    places: Places,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let python = folder.path().join("python3.12");
        let text = PYTHON.replace("@FOLDER@", &folder.path().to_string_lossy());
        fs::write(&python, text).unwrap();
        fs::set_permissions(&python, fs::Permissions::from_mode(0o755)).unwrap();
        let places = Places {
            cache: folder.path().join("cache"),
            ..Places::default()
        };
        Self { folder, places }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn wish(&self) -> Wish {
        Wish {
            models: Some(Vec::new()),
            torch: Some(Variant::Cpu),
            python: Some(self.path("python3.12")),
            ..Wish::default()
        }
    }

    fn set_up(&self, control: &Control, tell: &mut dyn FnMut(&Told)) -> Result<(), SetupError> {
        run::run(&self.places, &self.wish(), control, &mut |told| tell(&told))
    }

    /// The Python that would be taken where none is named.
    fn taken(&self) -> PathBuf {
        let wish = Wish {
            python: None,
            ..self.wish()
        };
        let (control, mut taken) = (Control::default(), None);
        let ended = run::run(&self.places, &wish, &control, &mut |told| {
            if let Told::Interpreter(InterpreterView::Found { path, .. }) = told {
                taken = Some(path);
                control.cancel();
            }
        });
        assert_eq!(ended, Err(SetupError::Cancelled));
        taken.expect("a Python was found")
    }

    fn failure(&self, wish: &Wish) -> Failure {
        match run::run(&self.places, wish, &Control::default(), &mut |_| ()) {
            Err(SetupError::Failed(failure)) => failure,
            other => panic!("no failure: {other:?}"),
        }
    }

    /// The program itself, which sets up.
    fn command(&self, program: &Program) -> Command {
        let python = self.path("python3.12");
        let mut command = program.command(["setup", "--models", "none", "--torch", "cpu"]);
        command
            .arg("--python")
            .arg(python)
            .env("TONEARM_CACHE", &self.places.cache);
        command
    }

    fn succeeds(&self) -> Ready {
        self.set_up(&Control::default(), &mut |_| ()).unwrap();
        match environment::check(&self.places.cache) {
            Environment::Ready(ready) => *ready,
            other => panic!("not ready: {other:?}"),
        }
    }

    fn fails(&self) -> Failure {
        self.failure(&self.wish())
    }

    /// From now on pip fails with these words.
    fn let_pip_say(&self, words: &str) {
        fs::write(self.path("pip-says"), words).unwrap();
    }

    /// From now on it does what it should.
    fn let_pip_work(&self) {
        fs::remove_file(self.path("pip-says")).unwrap();
    }

    /// Nothing is there that could be taken for an environment, or is left of one.
    fn assert_has_none(&self) {
        assert_eq!(environment::check(&self.places.cache), Environment::Absent);
        assert_eq!(self.leftovers(), Vec::<String>::new());
    }

    /// Times that packages were installed.
    fn installed(&self) -> usize {
        let calls = fs::read_to_string(self.path("calls")).unwrap_or_default();
        calls
            .lines()
            .filter(|line| line.starts_with("pip "))
            .count()
    }

    /// Whatever is neither an environment nor a note of one.
    fn leftovers(&self) -> Vec<String> {
        let names = fs::read_dir(self.places.cache.join("python")).unwrap();
        let names = names.map(|it| it.unwrap().file_name().to_string_lossy().into_owned());
        names.filter(|name| name.contains("unfinished")).collect()
    }
}

fn waits(told: &Told) -> bool {
    matches!(told, Told::Environment(EnvironmentView::Building(it)) if it.step == Step::Waiting)
}

#[test]
fn an_environment_is_built_once_and_found_again() {
    let bench = Bench::new();
    let ready = bench.succeeds();
    assert_eq!(ready.versions["torch"], "2.11.0");
    assert_eq!(bench.installed(), 2);
    assert_eq!(bench.succeeds(), ready);
    assert_eq!(bench.installed(), 2);
    let calls = fs::read_to_string(bench.path("calls")).unwrap();
    let cache = format!(
        "cache={} root= ",
        bench.places.cache.join("python/pip").display()
    );
    assert!(
        calls
            .lines()
            .filter(|it| it.starts_with("pip "))
            .all(|it| it.contains(&cache)),
        "{calls}"
    );
}

#[test]
fn the_trial_tells_whether_there_is_a_card_that_computes() {
    if cfg!(target_os = "macos") {
        return skipped("there are no packages for such cards");
    }
    let bench = Bench::new();
    let with_card = |has_card: bool| {
        let card = bench.path("card");
        if has_card {
            fs::write(card, "").unwrap();
        } else {
            drop(fs::remove_file(card));
        }
        let wish = Wish {
            torch: Some(Variant::Cuda),
            ..bench.wish()
        };
        let mut told = Vec::new();
        let mut hear = |it: Told| told.push(it);
        run::run(&bench.places, &wish, &Control::default(), &mut hear).unwrap();
        let view = run::survey(&bench.places);
        assert!(
            told.contains(&Told::Device(view.device.clone())),
            "{told:?}"
        );
        view.without_card().map(|it| it.remedy)
    };
    // When they are installed, and whenever they are tried again.
    let remedy = with_card(false).expect("a card is missed");
    assert!(remedy.contains("--torch cpu"), "{remedy}");
    assert_eq!(with_card(true), None);
    assert!(with_card(false).is_some());
}

#[test]
fn an_environment_in_which_nothing_can_be_loaded_is_built_anew() {
    let bench = Bench::new();
    let ready = bench.succeeds();
    fs::write(ready.folder.join("damaged"), "").unwrap();
    assert_eq!(bench.succeeds().folder, ready.folder);
    assert!(!ready.folder.join("damaged").exists());
    assert_eq!(bench.installed(), 4);
}

#[test]
fn what_cannot_be_loaded_counts_as_broken_until_it_is_built() {
    let bench = Bench::new();
    let ready = bench.succeeds();
    fs::write(ready.folder.join("damaged"), "").unwrap();
    fs::write(bench.path("no-net"), "").unwrap();
    assert!(bench.fails().remedy.contains("connection"));
    let now = environment::check(&bench.places.cache);
    assert!(matches!(now, Environment::Broken { .. }), "{now:?}");
    assert_eq!(bench.leftovers(), Vec::<String>::new());
    fs::remove_file(bench.path("no-net")).unwrap();
    bench.succeeds();
}

const WRONG_HASH: &str = "Collecting torch==2.11.0\n\
    ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE. If you have updated the package versions\n\
    \u{20}   torch==2.11.0:\n        Expected sha256 aa\n             Got        bb\n";

#[test]
fn a_package_of_another_hash_is_told_and_nothing_of_it_stays() {
    let bench = Bench::new();
    bench.let_pip_say(WRONG_HASH);
    let mut last = None;
    let ended = bench.set_up(&Control::default(), &mut |told| {
        if let Told::Environment(environment) = told {
            last = Some(environment.clone());
        }
    });
    match ended {
        Err(SetupError::Failed(failure)) => {
            assert_eq!(failure.kind, FailureKind::Damaged);
            assert!(failure.remedy.contains("another network"), "{failure:?}");
        }
        other => panic!("no failure: {other:?}"),
    }
    assert_eq!(last, Some(EnvironmentView::Absent));
    bench.assert_has_none();
    bench.let_pip_work();
    bench.succeeds();
}

#[test]
fn without_room_for_it_no_environment_is_begun() {
    let mut bench = Bench::new();
    bench.places.free_bytes = Some(1_000_000_000);
    let failure = bench.fails();
    assert_eq!(failure.kind, FailureKind::Storage);
    assert!(failure.message.contains("has 1.0 GB left"), "{failure:?}");
    assert!(failure.remedy.contains("TONEARM_CACHE"), "{failure:?}");
    assert_eq!(bench.installed(), 0);
    bench.assert_has_none();
    bench.places.free_bytes = None;
    bench.succeeds();
}

#[test]
fn what_was_fetched_is_kept_until_it_is_installed_unless_it_is_damaged() {
    let bench = Bench::new();
    let kept = bench.places.cache.join("python/pip");
    bench.let_pip_say("ERROR: Max retries exceeded");
    bench.fails();
    assert!(kept.join("fetched").exists());
    bench.let_pip_say(WRONG_HASH);
    bench.fails();
    assert!(!kept.exists());
    bench.let_pip_work();
    bench.succeeds();
    assert!(!kept.exists());
}

#[test]
fn the_build_without_cuda_is_asked_for_by_name_and_its_server_is_told_where_it_gives_none() {
    if cfg!(target_os = "macos") {
        return skipped("there is one build for Macs");
    }
    let mut bench = Bench::new();
    bench.places.free_bytes = Some(u64::MAX);
    bench.let_pip_say(
        "ERROR: Could not find a version that satisfies the requirement torch==2.11.0+cpu (from versions: 2.11.0)\n\
        ERROR: No matching distribution found for torch==2.11.0+cpu\n",
    );
    let failure = bench.fails();
    assert!(
        failure.message.starts_with("download.pytorch.org"),
        "{failure:?}"
    );
    assert!(!failure.remedy.contains("--torch cpu"), "{failure:?}");
    bench.assert_has_none();
    bench.let_pip_work();
    let torch = |variant| {
        drop(fs::remove_file(bench.path("lists")));
        let wish = Wish {
            torch: Some(variant),
            ..bench.wish()
        };
        run::run(&bench.places, &wish, &Control::default(), &mut |_| ()).unwrap();
        let lists = fs::read_to_string(bench.path("lists")).unwrap();
        let lines = lists.lines().filter(|line| line.starts_with("torch"));
        lines.map(str::to_owned).collect::<Vec<String>>()
    };
    for (variant, has_name) in [(Variant::Cpu, true), (Variant::Cuda, false)] {
        let lines = torch(variant);
        assert_eq!(lines.len(), 2, "{lines:?}");
        for line in lines {
            assert_eq!(line.contains("+cpu --hash=sha256:"), has_name, "{line}");
        }
    }
}

#[test]
fn packages_are_found_in_a_folder_as_deep_as_models_and_what_it_lacks_is_told() {
    let bench = Bench::new();
    let from = bench.path("from");
    let within = from.join("packages/more");
    fs::create_dir_all(&within).unwrap();
    fs::write(within.join("torch-2.11.0-py3-none-any.whl"), "").unwrap();
    bench.let_pip_say(
        "ERROR: Could not find a version that satisfies the requirement einops==0.8.2 (from versions: none)\n\
        ERROR: No matching distribution found for einops==0.8.2\n",
    );
    let wish = Wish {
        from: Some(from.clone()),
        ..bench.wish()
    };
    let failure = bench.failure(&wish);
    let words = &failure.message;
    assert!(
        words.starts_with("einops==0.8.2 is not in the folder"),
        "{words}"
    );
    assert!(words.ends_with(&*from.to_string_lossy()), "{words}");
    assert!(failure.remedy.contains("setup --help"), "{failure:?}");
    bench.assert_has_none();
    // Neither pip itself nor the rest is looked for anywhere else.
    let asked = fs::read_to_string(bench.path("pip-arguments")).unwrap();
    let nowhere_else = format!("--no-index --find-links {}", within.display());
    assert_eq!(asked.lines().count(), 2, "{asked}");
    assert!(
        asked.lines().all(|it| it.ends_with(&nowhere_else)),
        "{asked}"
    );
    assert!(!asked.contains("--extra-index-url"), "{asked}");
    bench.let_pip_work();
    run::run(&bench.places, &wish, &Control::default(), &mut |_| ()).unwrap();
}

#[test]
fn a_python_of_the_settings_is_asked_also_where_an_environment_is_ready() {
    let (bench, other) = (Bench::new(), Bench::new());
    bench.succeeds();
    let seen = |python: PathBuf| {
        let places = Places {
            python: Some(python),
            ..bench.places.clone()
        };
        let checked = run::check(&places, None, &Control::default());
        assert!(
            matches!(checked.environment, EnvironmentView::Ready { .. }),
            "{checked:?}"
        );
        (run::survey(&places).interpreter, checked.interpreter)
    };
    let (surveyed, checked) = seen(bench.path("nothing"));
    assert_eq!(surveyed, InterpreterView::Unknown, "nobody has asked it");
    match checked {
        InterpreterView::Missing { reason, .. } => {
            assert!(reason.contains("the settings is not there"), "{reason}");
        }
        found => panic!("{found:?}"),
    }
    let found = |python: PathBuf| InterpreterView::Found {
        version: "3.12.1".to_owned(),
        path: python,
    };
    let python = other.path("python3.12");
    assert_eq!(seen(python.clone()).1, found(python));
    let python = bench.path("python3.12");
    assert_eq!(
        seen(python.clone()),
        (found(python.clone()), found(python)),
        "it is that of the environment"
    );
}

#[test]
fn an_environment_with_workers_in_it_is_not_replaced() {
    let bench = Bench::new();
    let ready = bench.succeeds();
    fs::write(ready.folder.join("damaged"), "").unwrap();
    let in_use = InUse::hold(&ready.folder).unwrap();
    let control = Control::default();
    let ended = bench.set_up(&control, &mut |told| {
        if waits(told) {
            control.cancel();
        }
    });
    assert_eq!(ended, Err(SetupError::Cancelled));
    assert!(ready.python.is_file());
    // As soon as they are let go, it is.
    let mut in_use = Some(in_use);
    bench
        .set_up(&Control::default(), &mut |told| {
            if waits(told) {
                in_use = None;
            }
        })
        .unwrap();
    assert!(in_use.is_none());
    bench.succeeds();
}

#[test]
fn what_cannot_be_put_in_place_leaves_nothing() {
    let bench = Bench::new();
    let ready = bench.succeeds();
    fs::write(ready.folder.join("damaged"), "").unwrap();
    let (mut is_built, mut in_use) = (false, None);
    // Somebody begins to use the old one at the last moment, and goes on.
    let ended = bench.set_up(&Control::default(), &mut |told| {
        let Told::Environment(EnvironmentView::Building(building)) = told else {
            return;
        };
        is_built |= building.step == Step::Preparing;
        if is_built && building.step == Step::Trying {
            in_use = Some(InUse::hold(&ready.folder).unwrap());
        }
    });
    assert!(matches!(ended, Err(SetupError::Failed(_))), "{ended:?}");
    assert!(in_use.is_some());
    assert_eq!(bench.leftovers(), Vec::<String>::new());
}

#[test]
fn cancelled_while_it_installs_it_leaves_nothing() {
    let bench = Bench::new();
    fs::write(bench.path("endless"), "").unwrap();
    let control = Control::default();
    let ended = std::thread::scope(|scope| {
        let under_way = scope.spawn(|| bench.set_up(&control, &mut |_| ()));
        wait_for(&bench.path("installs"));
        control.cancel();
        under_way.join().unwrap()
    });
    assert_eq!(ended, Err(SetupError::Cancelled));
    assert_eq!(environment::check(&bench.places.cache), Environment::Absent);
    assert_eq!(bench.leftovers(), Vec::<String>::new());
}

#[test]
fn what_a_killed_set_up_left_is_removed_by_the_next() {
    let bench = Bench::new();
    let left = bench
        .places
        .cache
        .join("python/0123456789abcdef.unfinished-1");
    fs::create_dir_all(left.join("bin")).unwrap();
    bench.succeeds();
    assert!(!left.exists());
}

#[test]
fn a_second_program_waits_and_finds_what_the_first_has_built() {
    let bench = Bench::new();
    let root = bench.places.cache.join("python");
    fs::create_dir_all(&root).unwrap();
    let lock = File::create(root.join("lock")).unwrap();
    lock.lock().unwrap();
    let mut lock = Some(lock);
    bench
        .set_up(&Control::default(), &mut |told| {
            if waits(told) {
                lock = None;
            }
        })
        .unwrap();
    assert!(lock.is_none(), "it did not wait");
    bench.succeeds();
}

#[test]
fn cancelled_while_a_python_is_asked_it_does_not_say_that_there_is_none() {
    let bench = Bench::new();
    fs::write(bench.path("slow"), "").unwrap();
    let control = Control::default();
    let mut told = Vec::new();
    let ended = std::thread::scope(|scope| {
        let under_way = scope.spawn(|| bench.set_up(&control, &mut |it| told.push(it.clone())));
        wait_for(&bench.path("asked"));
        control.cancel();
        under_way.join().unwrap()
    });
    assert_eq!(ended, Err(SetupError::Cancelled));
    assert_eq!(told, []);
}

#[test]
fn the_python_of_last_time_is_taken_again_and_that_of_the_settings_before_it() {
    let mut bench = Bench::new();
    let ready = bench.succeeds();
    fs::write(ready.folder.join("damaged"), "").unwrap();
    assert_eq!(bench.taken(), bench.path("python3.12"));
    let other = Bench::new();
    bench.places.python = Some(other.path("python3.12"));
    assert_eq!(bench.taken(), other.path("python3.12"));
    bench.places.python = Some(bench.path("nothing"));
    let failure = bench.failure(&Wish {
        python: None,
        ..bench.wish()
    });
    assert!(failure.remedy.contains("under Models"), "{failure:?}");
}

#[test]
fn models_of_a_folder_are_taken_where_no_environment_can_be_made() {
    let mut bench = Bench::new();
    let from = bench.path("from");
    fs::create_dir(&from).unwrap();
    fs::write(from.join("m.ckpt"), "PK\u{3}\u{4}m").unwrap();
    let list = models(&[("m", "beats", "m.ckpt")]);
    fs::write(bench.path("models.json"), list).unwrap();
    bench.places.manifest = Some(bench.path("models.json"));
    let failure = bench.failure(&Wish {
        models: None,
        python: Some(bench.path("nothing")),
        from: Some(from),
        ..bench.wish()
    });
    assert!(failure.message.contains("Python"), "{failure:?}");
    let seen = run::survey(&bench.places).models;
    assert!(
        matches!(seen[0].state, ModelState::Ready { .. }),
        "{seen:?}"
    );
}

#[test]
fn workers_that_cannot_be_written_out_are_told_by_the_set_up() {
    let bench = Bench::new();
    let python = bench.places.cache.join("python");
    fs::create_dir_all(&python).unwrap();
    fs::write(python.join("resources"), "in the way").unwrap();
    let failure = bench.fails();
    assert!(failure.message.contains("workers"), "{failure:?}");
    assert!(failure.remedy.contains("TONEARM_CACHE"), "{failure:?}");
    fs::remove_file(python.join("resources")).unwrap();
    bench.succeeds();
}

#[test]
fn a_build_that_is_not_made_for_this_machine_is_told_before_a_python_is_looked_for() {
    let bench = Bench::new();
    let failure = bench.failure(&Wish {
        torch: Some(if cfg!(target_os = "macos") {
            Variant::Cuda
        } else {
            Variant::Mps
        }),
        python: Some(bench.path("nothing")),
        ..bench.wish()
    });
    assert!(!failure.message.contains("Python"), "{failure:?}");
}

#[test]
fn in_an_environment_of_the_users_own_the_python_behind_it_is_taken() {
    let control = Control::default();
    let Ok(base) = interpreter::find(Wanted::default(), &control) else {
        return skipped("there is no Python 3.12");
    };
    let folder = tempfile::tempdir().unwrap();
    let made = Command::new(&base.path)
        .args(["-m", "venv", "--without-pip"])
        .arg(folder.path())
        .status()
        .unwrap();
    assert!(made.success());
    let python = folder.path().join("bin/python");
    let wanted = Wanted {
        named: Some(&python),
        ..Wanted::default()
    };
    let found = interpreter::find(wanted, &control).unwrap();
    assert!(!found.path.starts_with(folder.path()), "{found:?}");
    let itself = |path: &Path| fs::canonicalize(path).unwrap();
    assert_eq!(itself(&found.path), itself(&base.path));
    assert_eq!(found.version, base.version);
}

/// A module that says who imports it, starts a process of its own, and stays.
const HANGING: &str = "import os, subprocess, sys
child = subprocess.Popen([sys.executable, '-I', '-c', 'import time; time.sleep(600)'])
with open('@FOLDER@/unfinished', 'w') as file:
    file.write(f'{os.getpid()} {child.pid}')
os.rename('@FOLDER@/unfinished', '@FOLDER@/ids')
child.wait()
";

#[test]
fn a_set_up_that_is_killed_leaves_no_process_and_the_next_one_works() {
    if Command::new("python3").arg("--version").output().is_err() {
        return skipped("there is no Python");
    }
    // While it asks a Python who it is, and while that makes an environment.
    for module in ["json.py", "ensurepip.py"] {
        let (bench, program) = (Bench::new(), Program::new());
        let folder = bench.path("").to_string_lossy().into_owned();
        fs::create_dir(bench.path("hangs")).unwrap();
        let text = HANGING.replace("@FOLDER@", &folder);
        fs::write(bench.path("hangs").join(module), text).unwrap();
        let mut running = Running::start(bench.command(&program));
        wait_for(&bench.path("ids"));
        let ids = fs::read_to_string(bench.path("ids")).unwrap();
        running.kill();
        running.end();
        for id in ids.split_whitespace() {
            assert!(ends(id), "{module}: an orphan: {id}");
        }
        fs::remove_dir_all(bench.path("hangs")).unwrap();
        finish(bench.command(&program)).with_status(0);
        assert_eq!(bench.leftovers(), Vec::<String>::new());
        bench.succeeds();
    }
}

#[test]
fn without_a_home_nothing_is_run_from_a_folder_that_others_can_write_to() {
    const NOBODY: u32 = 54_321;
    let program = Program::new();
    let mut command = program.command(["setup", "--check"]);
    command.env_remove("HOME").current_dir("/");
    command.uid(NOBODY).gid(NOBODY);
    let Ok(refused) = command.output() else {
        return skipped("only root can be somebody without a home");
    };
    let said = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(2), "{said}");
    assert!(said.contains("TONEARM_CACHE"), "{said}");
}

fn wait_for(path: &Path) {
    let began = Instant::now();
    while !path.exists() {
        assert!(
            began.elapsed().as_secs() < 60,
            "{} does not come",
            path.display()
        );
        std::thread::yield_now();
    }
}
