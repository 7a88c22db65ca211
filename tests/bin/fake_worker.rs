//! A worker without a model: speaks the protocol, and misbehaves as `FAKE_WORKER` says.
#![expect(
    clippy::exit,
    clippy::infinite_loop,
    reason = "to end at once and to hang for ever is what it is for"
)]

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufRead as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

/// Where it leaves its number and its marks, for tests that look.
fn folder() -> Option<PathBuf> {
    std::env::var_os("FAKE_FOLDER").map(PathBuf::from)
}

fn main() -> ExitCode {
    let mode = std::env::var("FAKE_WORKER").unwrap_or_else(|_| "normal".to_owned());
    let family = std::env::args()
        .skip_while(|it| it != "--family")
        .nth(1)
        .unwrap_or_default();
    if let Some(folder) = folder() {
        let id = std::process::id().to_string();
        drop(fs::write(folder.join(format!("{family}.{id}")), ""));
        drop(fs::write(folder.join(format!("{family}.pid")), &id));
    }
    let (hear, requests) = channel();
    let reader = std::thread::Builder::new().spawn(move || {
        for line in io::stdin().lock().lines().map_while(Result::ok) {
            if hear.send(line).is_err() {
                break;
            }
        }
        std::process::exit(0);
    });
    if reader.is_err() {
        return ExitCode::FAILURE;
    }
    if mode == "stillborn" {
        io::stderr().write_all(b"no such module\n").ok();
        return ExitCode::FAILURE;
    }
    if mode == "speechless" {
        wait_for_ever();
    }
    let protocol = if mode == "wrong_protocol" { 2 } else { 1 };
    say(
        &json!({"event": "hello", "protocol": protocol, "family": family, "python": "3.12.1", "pid": std::process::id()}),
    );
    while let Ok(line) = requests.recv() {
        let Ok(request) = serde_json::from_str::<Value>(&line) else {
            continue;
        };
        match request["op"].as_str() {
            Some("load") => load(&mode, &request),
            Some("run") => run(&mode, &family, &request, &requests),
            _ => {}
        }
    }
    ExitCode::SUCCESS
}

fn say(value: &Value) {
    say_text(&value.to_string());
}

fn say_text(text: &str) {
    let mut out = io::stdout().lock();
    let said = writeln!(out, "{text}").and_then(|()| out.flush());
    if said.is_err() {
        std::process::exit(0);
    }
}

fn load(mode: &str, request: &Value) {
    if let Some(folder) = folder() {
        drop(fs::write(
            folder.join("device"),
            request["device"].as_str().unwrap_or_default(),
        ));
    }
    if mode == "slow_to_load" {
        alive_for_ever();
    }
    if mode == "bad_model" {
        say(
            &json!({"event": "error", "id": null, "kind": "bad_model", "message": "not a checkpoint"}),
        );
        return;
    }
    if mode == "no_device" {
        say(
            &json!({"event": "error", "id": null, "kind": "no_device", "message": "no such device"}),
        );
        return;
    }
    if let Some(folder) = folder() {
        let line = format!("{}\n", request["device"].as_str().unwrap_or_default());
        let asked = fs::File::options()
            .create(true)
            .append(true)
            .open(folder.join("asked"));
        drop(asked.and_then(|mut file| file.write_all(line.as_bytes())));
    }
    if mode == "no_memory_to_load" {
        say(&json!({"event": "error", "id": null, "kind": "out_of_memory", "message": "8 GiB"}));
        return;
    }
    let for_a_card = request["device"] != "cpu";
    let device = if mode == "card_fills" && for_a_card {
        "cuda"
    } else {
        "cpu"
    };
    let short = (mode == "card_is_full" && for_a_card).then_some("cuda");
    say(
        &json!({"event": "loaded", "device": device, "short": short, "devices": ["cuda", "cpu"], "versions": {"torch": "0"},
        "model": {"kind": "fake", "hyper_parameters": {}, "parameters": 0}, "seconds": 0.0, "rss_bytes": 1}),
    );
}

/// Misbehaves, or answers.
fn run(mode: &str, family: &str, request: &Value, requests: &Receiver<String>) {
    if let Some(folder) = folder() {
        drop(fs::write(folder.join("running"), ""));
    }
    let id = request["id"].clone();
    match mode {
        "crash" => crash(),
        "crash_once" if first_time() => crash(),
        "hang" => wait_for_ever(),
        "deaf" => alive_for_ever(),
        "flood" => loop {
            say(&json!({"event": "progress", "id": id, "done": 1, "total": 2}));
        },
        "garbage" => say_text("Downloading: 100%|####| 80M/80M"),
        "huge" => say_text(&format!(
            "{{\"event\":\"alive\",\"x\":\"{}\"}}",
            "x".repeat(17 << 20)
        )),
        "no_number" => {
            say(&json!({"event": "error", "id": id, "kind": "bad_model", "message": "no number"}));
        }
        "unreadable" => {
            say(
                &json!({"event": "error", "id": id, "kind": "unreadable", "message": "Permission denied: sound.f32"}),
            );
        }
        "full_drive" => {
            say(&json!({"event": "error", "id": id, "kind": "disk", "message": "No space left"}));
        }
        "vanish" => {
            if let Some(folder) = folder() {
                drop(fs::remove_dir_all(folder.join("cache/models")));
            }
            done(mode, family, request);
        }
        "memory_everywhere" => {
            say(&json!({"event": "error", "id": id, "kind": "out_of_memory", "message": "8 GiB"}));
        }
        "wrong_id" => {
            say(&json!({"event": "done", "id": 4242, "result": {}}));
            wait_for_ever();
        }
        "slow" | "slow_to_stop" => slowly(mode, family, request, requests),
        _ => done(mode, family, request),
    }
}

fn crash() -> ! {
    let mut words = io::stderr().lock();
    drop(writeln!(words, "Traceback: the roof is on fire"));
    std::process::exit(3);
}

fn wait_for_ever() -> ! {
    loop {
        std::thread::sleep(Duration::from_mins(1));
    }
}

fn alive_for_ever() -> ! {
    loop {
        say(&json!({"event": "alive"}));
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn first_time() -> bool {
    let Some(mark) = folder().map(|folder| folder.join("crashed")) else {
        return false;
    };
    let first = !mark.exists();
    drop(fs::write(mark, ""));
    first
}

fn slowly(mode: &str, family: &str, request: &Value, requests: &Receiver<String>) {
    let id = request["id"].clone();
    for step in 0..200 {
        say(&json!({"event": "progress", "id": id, "done": step, "total": 200}));
        match requests.recv_timeout(Duration::from_millis(50)) {
            Ok(line) if line.contains("cancel") => {
                if mode == "slow_to_stop" {
                    std::thread::sleep(Duration::from_millis(20));
                }
                say(&json!({"event": "cancelled", "id": id}));
                return;
            }
            Ok(_) | Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
    done("normal", family, request);
}

fn done(mode: &str, family: &str, request: &Value) {
    let frames = request["frames"].as_u64().unwrap_or(0);
    let rate = request["rate"].as_f64().unwrap_or(1.0);
    let length = frames as f64 / rate;
    for step in 1..=4 {
        say(&json!({"event": "progress", "id": request["id"], "done": step, "total": 4}));
    }
    let result = match family {
        "beats" => {
            let beats: Vec<f64> = (0..100_000)
                .map(|index| f64::from(index) * 0.5 + 0.1)
                .take_while(|at| *at < length)
                .collect();
            let downbeats: Vec<f64> = beats.iter().step_by(3).copied().collect();
            json!({"beats": beats, "downbeats": downbeats, "beat_scores": vec![0.9; beats.len()]})
        }
        "stems" => json!({"files": stems(mode, request), "frames": frames}),
        _ => {
            let span = |start: f64, end: f64, label: &str, notes: [usize; 3]| {
                let sounding: Vec<f64> = (0..12)
                    .map(|pitch| if notes.contains(&pitch) { 0.9 } else { 0.0 })
                    .collect();
                json!({"start": start, "end": end, "label": label, "confidence": 0.8, "notes": sounding})
            };
            let half = length / 2.0;
            json!({"spans": [span(0.0, half, "A:min7/b7", [9, 0, 4]), span(half, length, "F:maj", [5, 9, 0])]})
        }
    };
    let short = (mode == "card_fills").then_some("cuda");
    say(
        &json!({"event": "done", "id": request["id"], "device": "cpu", "short": short, "result": result, "cpu_seconds": 1.5,
        "inference_seconds": 1.0, "rss_bytes": 1000}),
    );
}

/// A quarter of the mix for each; with `partial` two files are missing.
fn stems(mode: &str, request: &Value) -> BTreeMap<String, String> {
    let path = |name: &str| PathBuf::from(request[name].as_str().unwrap_or_default());
    let sound = fs::read(path("pcm")).unwrap_or_default();
    let quarter: Vec<u8> = sound
        .as_chunks::<4>()
        .0
        .iter()
        .flat_map(|bytes| (f32::from_le_bytes(*bytes) / 4.0).to_le_bytes())
        .collect();
    let names = ["drums", "bass", "other", "vocals"];
    for (index, name) in names.into_iter().enumerate() {
        if mode != "partial" || index < 2 {
            drop(fs::write(
                Path::new(&path("out")).join(format!("{name}.f32")),
                &quarter,
            ));
        }
    }
    names
        .iter()
        .map(|name| ((*name).to_owned(), format!("{name}.f32")))
        .collect()
}
