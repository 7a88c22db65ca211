//! Models that another program exchanges while a job is under way.

use super::{fake_worker, models};
use std::fs;
use tonearm_core::artifact::Artifact;
use tonearm_core::backend::{Analyser as _, AnalysisJob, Stopped};
use tonearm_core::control::Control;
use tonearm_core::jobs::neural::Neural;
use tonearm_core::jobs::plan::Recipes;
use tonearm_core::models::shelf;
use tonearm_core::setup::Places;
use tonearm_core::stems::drive::Drive;
use tonearm_core::track::TrackId;
use tonearm_core::units::Secs;
use tonearm_tests::waves;

#[test]
fn what_another_model_would_make_is_not_written_down_for_the_one_that_the_job_began_with() {
    const WANTS: [Artifact; 2] = [Artifact::Beats, Artifact::Stems];
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    for name in ["from", "library"] {
        fs::create_dir(path(name)).unwrap();
    }
    fs::write(path("tune.wav"), waves::tune(7, 4.0, 22_050, 2)).unwrap();
    let list = models(&[
        ("beat_this", "beats", "beat_this.ckpt"),
        ("htdemucs", "stems", "htdemucs.ckpt"),
    ]);
    fs::write(path("models.json"), list).unwrap();
    let places = Places {
        cache: path("cache"),
        manifest: Some(path("models.json")),
        worker: Some(fake_worker()),
        ..Places::default()
    };
    let manifest = places.models().unwrap();
    let get = |id: &str, content: &str| {
        let file = path("from").join(format!("{id}.ckpt"));
        fs::write(file, format!("PK\u{3}\u{4}{content}")).unwrap();
        let model = (manifest.get(id).unwrap(), true);
        let got = shelf::import(&places.cache, &path("from"), model, &Control::default());
        assert!(got.unwrap().is_some());
    };
    get("beat_this", "first");
    get("htdemucs", "first");
    let neural = Neural::new(places.clone(), Drive::of(path("library")));
    let recipes = || -> Recipes {
        let all = WANTS.into_iter();
        all.map(|it| (it, neural.recipe(it).unwrap())).collect()
    };
    let job = AnalysisJob {
        track: TrackId(1),
        path: path("tune.wav"),
        wants: WANTS.into(),
        recipes: recipes(),
        duration: Some(Secs(4.0)),
        tag_bpm: None,
        live: None,
        beats: None,
        stems: None,
    };
    let mut made = Vec::new();
    let ended = neural.run(&job, &Control::default(), &mut |it| {
        made.push(it.artifact);
        // Between two families, and the program has seen it.
        get("htdemucs", "second");
        neural.refresh();
    });
    match ended {
        Err(Stopped::Unready(failure)) => assert!(
            failure.message.contains("is another one now"),
            "{failure:?}"
        ),
        other => panic!("{other:?}"),
    }
    assert_eq!(made, [Artifact::Beats]);
    // What is begun with the models of now is done.
    let job = AnalysisJob {
        recipes: recipes(),
        ..job
    };
    let mut made = Vec::new();
    let ended = neural.run(&job, &Control::default(), &mut |it| {
        assert!(it.result.is_ok(), "{it:?}");
        made.push(it.artifact);
    });
    assert_eq!((ended, made), (Ok(None), WANTS.to_vec()));
}
