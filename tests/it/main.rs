//! Every test that crosses a crate, one module per behaviour.

#[cfg(test)]
mod again;
#[cfg(test)]
mod by_hand;
#[cfg(test)]
mod decks;
#[cfg(test)]
mod demo;
#[cfg(test)]
mod enginedj;
#[cfg(test)]
mod failures;
#[cfg(test)]
mod journey;
#[cfg(test)]
mod locking;
#[cfg(test)]
mod memory;
#[cfg(test)]
mod missing;
#[cfg(test)]
mod names;
#[cfg(test)]
mod neural;
#[cfg(test)]
mod output;
#[cfg(test)]
mod playback;
#[cfg(test)]
mod resume;
#[cfg(test)]
mod sources;
#[cfg(test)]
mod stems;
#[cfg(test)]
mod storage;
#[cfg(test)]
mod telling;
#[cfg(test)]
mod threads;
#[cfg(test)]
mod tidy;
#[cfg(test)]
mod upkeep;
#[cfg(test)]
mod window;
