//! A task done with whatever worker it takes: a fresh one after a crash, one on the processor where a card has no memory.

use super::{Launch, Patience, Ran, Task, TaskError, Where, Worker};
use crate::control::{Cancelled, Control};
use crate::python::environment::distrust;
use crate::python::trouble::{Trouble, out_of_memory};

/// Does a task with the worker in `place`, which is started, replaced and emptied as needed.
pub(in crate::python) fn perform(
    place: &mut Option<Worker>,
    launch: &Launch,
    (task, patience): (&Task<'_>, Patience),
    control: &Control,
) -> Result<Ran, TaskError> {
    let mut on = Where::AsAsked;
    let mut broken_before = false;
    loop {
        let trouble = match try_once(place, launch, (task, patience), (on, control)) {
            Ok(ran) => return Ok(ran),
            Err(trouble) => trouble,
        };
        match trouble {
            Trouble::Cancelled => return Err(Cancelled.into()),
            Trouble::Refused(failure) => return Err(TaskError::Failed(failure)),
            Trouble::OutOfMemory(message) if is_on_processor(place.as_ref(), task, on) => {
                *place = None;
                return Err(TaskError::Failed(out_of_memory(&message)));
            }
            Trouble::OutOfMemory(message) => {
                tracing::warn!(%message, "out of memory: once more on the processor");
                *place = None;
                on = Where::StandIn;
            }
            Trouble::Stillborn(failure) if broken_before => {
                return Err(match &launch.home {
                    Some(home) if distrust(home) => TaskError::Unready(failure),
                    Some(_) | None => TaskError::Failed(failure),
                });
            }
            Trouble::Broken(failure) | Trouble::Stillborn(failure) => {
                *place = None;
                if broken_before {
                    return Err(TaskError::Failed(failure));
                }
                tracing::warn!(family = %task.family, reason = %failure.message, "a worker broke down: once more");
                broken_before = true;
            }
            Trouble::Hopeless(failure) => {
                *place = None;
                return Err(TaskError::Failed(failure));
            }
            Trouble::Unready(failure) => {
                *place = None;
                return Err(TaskError::Unready(failure));
            }
        }
    }
}

/// Whether what ran out of memory ran on the processor, whatever was asked for.
fn is_on_processor(worker: Option<&Worker>, task: &Task<'_>, on: Where) -> bool {
    let inside = worker.and_then(|worker| worker.loaded.as_ref());
    let is_cpu = inside.is_some_and(|inside| inside.loaded.device == "cpu");
    is_cpu || on == Where::StandIn || task.setting.device == "cpu"
}

fn try_once(
    place: &mut Option<Worker>,
    launch: &Launch,
    (task, patience): (&Task<'_>, Patience),
    (on, control): (Where, &Control),
) -> Result<Ran, Trouble> {
    if place
        .as_mut()
        .is_some_and(|worker| !worker.suits(launch, task.setting))
    {
        *place = None;
    }
    let worker = match place {
        Some(worker) => worker,
        None => place.insert(Worker::start(task.family, launch, patience, control)?),
    };
    let result = worker
        .load((task.setting, on), control)
        .and_then(|loaded| Ok((worker.run(task, control)?, loaded)));
    match result {
        Ok((done, loaded)) => Ok(Ran { done, loaded }),
        Err(Trouble::Cancelled) => {
            if !worker.settles() {
                *place = None;
            }
            Err(Trouble::Cancelled)
        }
        Err(trouble) => Err(trouble),
    }
}
