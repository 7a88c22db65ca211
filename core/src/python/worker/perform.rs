//! A task done with whatever worker it takes: a fresh one after a crash.

use super::{Launch, Patience, Ran, Task, TaskError, Worker};
use crate::control::{Cancelled, Control};
use crate::python::child::Dying;
use crate::python::environment::distrust;
use crate::python::trouble::{Trouble, out_of_memory};

/// Does a task with the worker in `place`, which is started, replaced and emptied as needed: what was ended is not waited
/// for but by the next that is started. `short`: a card whose memory was not enough before.
pub(in crate::python) fn perform(
    place: &mut Option<Worker>,
    (launch, short): (&Launch, Option<&str>),
    (task, patience): (&Task<'_>, Patience),
    (dying, control): (&Dying, &Control),
) -> Result<Ran, TaskError> {
    let mut broken_before = false;
    loop {
        let how = (launch, short);
        let trouble = match try_once(place, how, (task, patience), (dying, control)) {
            Ok(ran) => return Ok(ran),
            Err(trouble) => trouble,
        };
        match trouble {
            Trouble::Cancelled => return Err(Cancelled.into()),
            Trouble::Refused(failure) => return Err(TaskError::Failed(failure)),
            // On the processor: for a card it would have stood in.
            Trouble::OutOfMemory(message) => {
                *place = None;
                return Err(TaskError::Failed(out_of_memory(&message)));
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

fn try_once(
    place: &mut Option<Worker>,
    (launch, short): (&Launch, Option<&str>),
    (task, patience): (&Task<'_>, Patience),
    (dying, control): (&Dying, &Control),
) -> Result<Ran, Trouble> {
    if place
        .as_mut()
        .is_some_and(|worker| !worker.suits(launch, task.setting))
    {
        *place = None;
    }
    let worker = if let Some(worker) = place {
        worker
    } else {
        let patience = (patience, dying);
        place.insert(Worker::start(task.family, launch, patience, control)?)
    };
    let result = worker
        .load((task.setting, short), control)
        .and_then(|loaded| Ok((worker.run(task, control)?, loaded)));
    match result {
        Ok((done, loaded)) => Ok(Ran { done, loaded }),
        Err(Trouble::Cancelled) => {
            if !worker.settles(control) {
                *place = None;
            }
            Err(Trouble::Cancelled)
        }
        Err(trouble) => Err(trouble),
    }
}
