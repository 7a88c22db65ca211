//! A task done with whatever worker it takes: a fresh one after a crash.

use super::{Launch, Patience, Ran, Task, TaskError, Worker};
use crate::control::{Cancelled, Control};
use crate::python::environment::distrust;
use crate::python::trouble::{Trouble, out_of_memory};

/// Does a task with the worker in `place`, which is started, replaced and emptied as needed. `short`: a card whose memory
/// was not enough before.
pub(in crate::python) fn perform(
    place: &mut Option<Worker>,
    (launch, short): (&Launch, Option<&str>),
    (task, patience): (&Task<'_>, Patience),
    control: &Control,
) -> Result<Ran, TaskError> {
    let mut broken_before = false;
    loop {
        let trouble = match try_once(place, (launch, short), (task, patience), control) {
            Ok(ran) => return Ok(ran),
            Err(trouble) => trouble,
        };
        match trouble {
            Trouble::Cancelled => return Err(Cancelled.into()),
            Trouble::Refused(failure) => return Err(TaskError::Failed(failure)),
            // On the processor: for a card it would have stood in.
            Trouble::OutOfMemory(message) => {
                dismiss(place, control);
                return Err(TaskError::Failed(out_of_memory(&message)));
            }
            Trouble::Stillborn(failure) if broken_before => {
                return Err(match &launch.home {
                    Some(home) if distrust(home) => TaskError::Unready(failure),
                    Some(_) | None => TaskError::Failed(failure),
                });
            }
            Trouble::Broken(failure) | Trouble::Stillborn(failure) => {
                dismiss(place, control);
                if broken_before {
                    return Err(TaskError::Failed(failure));
                }
                tracing::warn!(family = %task.family, reason = %failure.message, "a worker broke down: once more");
                broken_before = true;
            }
            Trouble::Hopeless(failure) => {
                dismiss(place, control);
                return Err(TaskError::Failed(failure));
            }
            Trouble::Unready(failure) => {
                dismiss(place, control);
                return Err(TaskError::Unready(failure));
            }
        }
    }
}

/// Ends the worker. The next one needs its memory; a program that ends does not.
fn dismiss(place: &mut Option<Worker>, control: &Control) {
    if let Some(mut worker) = place.take()
        && !control.is_abandoned()
    {
        worker.be_waited_for();
    }
}

fn try_once(
    place: &mut Option<Worker>,
    (launch, short): (&Launch, Option<&str>),
    (task, patience): (&Task<'_>, Patience),
    control: &Control,
) -> Result<Ran, Trouble> {
    if place
        .as_mut()
        .is_some_and(|worker| !worker.suits(launch, task.setting))
    {
        dismiss(place, control);
    }
    let worker = match place {
        Some(worker) => worker,
        None => place.insert(Worker::start(task.family, launch, patience, control)?),
    };
    let result = worker
        .load((task.setting, short), control)
        .and_then(|loaded| Ok((worker.run(task, control)?, loaded)));
    match result {
        Ok((done, loaded)) => Ok(Ran { done, loaded }),
        Err(Trouble::Cancelled) => {
            if !worker.settles(control) {
                dismiss(place, control);
            }
            Err(Trouble::Cancelled)
        }
        Err(trouble) => Err(trouble),
    }
}
