//! The models of a set-up: got from the net or a folder, and as they are to be seen.

use super::run::{SetupError, Told};
use super::{ModelState, ModelView, Places, Wish};
use crate::control::Control;
use crate::failure::{Failure, FailureKind};
use crate::models::download::{self, Patience};
use crate::models::{Installed, Manifest, Model, ShelfError, shelf};

/// Gets those of a wish that are not here. One that cannot be had does not keep the others from being got; the first
/// reason is given at the end.
pub(super) fn get_models(
    places: &Places,
    manifest: &Manifest,
    wish: &Wish,
    (control, tell): (&Control, &mut dyn FnMut(Told)),
) -> Result<(), SetupError> {
    let mut first = None;
    for model in &manifest.models {
        let is_accepted = wish.accepted.contains(&model.id);
        let is_wished = wish.again.contains(&model.id)
            || match &wish.models {
                Some(ids) => ids.contains(&model.id) || is_accepted,
                None => model.is_free || is_accepted,
            };
        if !is_wished {
            continue;
        }
        let state = match get_model(places, (model, is_accepted), wish, (control, tell)) {
            Ok(installed) => ready(&installed),
            Err(ShelfError::Cancelled(_)) => {
                tell(Told::Model(model.id.clone(), state_of(places, model)));
                return Err(SetupError::Cancelled);
            }
            Err(ShelfError::NotAccepted(_)) => {
                let failure = Failure::new(
                    FailureKind::Unsupported,
                    format!(
                        "the weights of {} are for {}",
                        model.title, model.weight_licence
                    ),
                    format!(
                        "Read {}, then run tonearm setup --accept-licence {}",
                        model.link, model.id
                    ),
                );
                first.get_or_insert(failure);
                ModelState::NotAccepted
            }
            Err(ShelfError::Failed(failure)) => {
                first.get_or_insert(failure.clone());
                ModelState::Failed(failure)
            }
        };
        tell(Told::Model(model.id.clone(), state));
    }
    first.map_or(Ok(()), |failure| Err(SetupError::Failed(failure)))
}

fn get_model(
    places: &Places,
    (model, is_accepted): (&Model, bool),
    wish: &Wish,
    (control, tell): (&Control, &mut dyn FnMut(Told)),
) -> Result<Installed, ShelfError> {
    let is_again = wish.again.contains(&model.id);
    let there = shelf::installed(&places.cache, model);
    // What was agreed to once stays agreed to.
    let is_accepted = is_accepted
        || there
            .as_ref()
            .is_some_and(|there| there.note.accepted.is_some());
    if let Some(installed) = there.filter(|_| !is_again) {
        return Ok(installed);
    }
    let Some(folder) = &wish.from else {
        let patience = Patience::default();
        let wanted = (model, is_accepted);
        let get = if is_again {
            download::fetch_again
        } else {
            download::fetch
        };
        return get(
            &places.cache,
            wanted,
            (patience, control),
            &mut |fetching| {
                tell(Told::Model(
                    model.id.clone(),
                    ModelState::Fetching(fetching),
                ));
            },
        );
    };
    let imported = shelf::import(&places.cache, folder, (model, is_accepted), control)?;
    imported.ok_or_else(|| {
        let names: Vec<&str> = model.files.iter().map(|file| file.name.as_str()).collect();
        ShelfError::Failed(Failure::new(
            FailureKind::Missing,
            format!(
                "{} is not in the folder: {} is looked for",
                model.title,
                names.join(" or ")
            ),
            format!("Put it there; it comes from {}", model.link),
        ))
    })
}

pub(super) fn model_view(places: &Places, model: &Model) -> ModelView {
    let installed = shelf::installed(&places.cache, model);
    let true_bytes = installed.as_ref().and_then(Installed::bytes);
    let about = model.files.first().map_or(0, |file| file.about_bytes);
    ModelView {
        id: model.id.clone(),
        family: model.family,
        title: model.title.clone(),
        is_for: model.is_for.clone(),
        bytes: true_bytes.unwrap_or(about),
        code_licence: model.code_licence.clone(),
        weight_licence: model.weight_licence.clone(),
        is_free: model.is_free,
        notice: model.notice.clone(),
        link: model.link.clone(),
        state: installed.map_or(ModelState::Absent, |it| ready(&it)),
    }
}

fn state_of(places: &Places, model: &Model) -> ModelState {
    shelf::installed(&places.cache, model).map_or(ModelState::Absent, |it| ready(&it))
}

fn ready(installed: &Installed) -> ModelState {
    ModelState::Ready {
        path: installed.path.clone(),
        sha256: installed.note.sha256.clone(),
        is_checked: installed.note.is_checked,
    }
}
