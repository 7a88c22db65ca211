//! What a core works with: analysers, their recipes, the threads of its jobs, its limits.

use super::input::Input;
use super::run::{Config, StartError};
use super::state::Limits;
use crate::artifact::{Artifact, Maker, Recipe};
use crate::backend::Analyser;
use crate::disk::free_bytes;
use crate::jobs::native::Native;
use crate::jobs::neural::Neural;
use crate::jobs::plan::Recipes;
use crate::jobs::pool::Pool;
use crate::jobs::stems::{self, DraftStems};
use crate::stems::drive::Drive;
use crate::stems::room;
use crate::store::{Loaded, Store};
use crate::units::Secs;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The models of this machine, whichever there are.
pub(super) fn models(config: &Config, drive: &Arc<Drive>) -> Neural {
    Neural::new(config.places.clone(), Arc::clone(drive))
}

pub(super) fn start_pool(
    slots: usize,
    (analysers, neural): (&[Arc<dyn Analyser>], &Arc<Neural>),
    store: &Arc<Store>,
    tell: impl Fn(Input) + Send + Sync + 'static,
) -> Result<Pool, StartError> {
    let models: Arc<dyn Analyser> = Arc::clone(neural) as _;
    let tell = Arc::new(move |id, news| tell(Input::Job(id, news))) as _;
    Pool::start(slots, (analysers, &models), store, &tell).map_err(StartError::Thread)
}

/// The first that makes an artifact gets to make it.
pub(super) fn analysers(drive: &Arc<Drive>) -> Vec<Arc<dyn Analyser>> {
    let draft = DraftStems {
        drive: Arc::clone(drive),
    };
    vec![Arc::new(Native), Arc::new(draft)]
}

pub(super) fn limits(config: &Config, loaded: &Loaded) -> Limits {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let memory = sysinfo::System::new().map_or(0, |mut system| {
        system.refresh_memory();
        system.total_memory()
    });
    let sets = loaded.knowledge.values();
    let taken = room::taken(sets.filter_map(|known| known.stems.as_deref()));
    Limits {
        slots: config.slots.unwrap_or(cores).max(1),
        // A quarter of the machine for the built-in analysis. Of models, whose memory is that of their own processes,
        // one job runs at a time, whatever it takes.
        memory_bytes: (memory / 4).max(512 << 20),
        job_bytes,
        stem_bytes: room::default_budget(free_bytes(&config.library), taken),
    }
}

fn job_bytes(wants: &BTreeSet<Artifact>, duration: Option<Secs>) -> u64 {
    if wants.contains(&Artifact::Stems) {
        stems::memory_bytes(duration)
    } else {
        Native.memory_bytes(duration)
    }
}

/// How each artifact would be made today.
pub(super) fn recipes(analysers: &[Arc<dyn Analyser>]) -> Recipes {
    let built_in = |version| Recipe {
        maker: Maker::Native,
        version,
        parameters: String::new(),
        model: None,
    };
    let analysed = Artifact::ALL.into_iter().filter_map(|artifact| {
        let recipe = analysers
            .iter()
            .find_map(|analyser| analyser.recipe(artifact))?;
        Some((artifact, recipe))
    });
    [
        (Artifact::Tags, built_in(crate::import::reading::VERSION)),
        (Artifact::Hash, built_in(1)),
    ]
    .into_iter()
    .chain(analysed)
    .collect()
}
