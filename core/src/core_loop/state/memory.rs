//! Whether memory lets a job begin: models are booked apart from the built-in analysis.

/// What a job that runs, or would, takes of the memory of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Load {
    /// Models work in it. Their memory belongs to processes of their own, which stay warm for a while.
    pub(super) by_models: bool,
    pub(super) bytes: u64,
}

/// Whether a job may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Free,
    /// Not before another has ended; nothing that comes after it either.
    Full,
    /// Not before another has ended. What needs no models may go before it.
    Taken,
}

/// Built-in work waits for built-in work alone, never for the memory that models hold. A job with models waits for
/// everything: it takes all cores, and comes after all drafts anyway. One job always may run.
pub(super) fn standing(job: Load, running: &[Load], limit: u64) -> Standing {
    let bytes = |loads: &mut dyn Iterator<Item = &Load>| {
        loads.fold(job.bytes, |sum, load| sum.saturating_add(load.bytes))
    };
    if job.by_models {
        let is_busy = running.iter().any(|load| load.by_models);
        let is_full = !running.is_empty() && bytes(&mut running.iter()) > limit;
        return if is_busy || is_full {
            Standing::Taken
        } else {
            Standing::Free
        };
    }
    let mut drafts = running.iter().filter(|load| !load.by_models).peekable();
    if drafts.peek().is_some() && bytes(&mut drafts) > limit {
        Standing::Full
    } else {
        Standing::Free
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drafts_wait_for_drafts_and_models_for_everything() {
        let draft = |bytes| Load {
            by_models: false,
            bytes,
        };
        let model = |bytes| Load {
            by_models: true,
            bytes,
        };
        // A quarter of 8 GB; all three models together take more.
        for (job, running, expected) in [
            (draft(9_000), vec![], Standing::Free),
            (draft(500), vec![draft(1_500)], Standing::Free),
            (draft(501), vec![draft(1_500)], Standing::Full),
            (draft(500), vec![model(3_700)], Standing::Free),
            (draft(9_000), vec![model(3_700)], Standing::Free),
            (draft(500), vec![model(3_700), draft(1_500)], Standing::Free),
            (draft(501), vec![model(3_700), draft(1_500)], Standing::Full),
            (draft(u64::MAX), vec![draft(u64::MAX)], Standing::Full),
            (model(3_700), vec![], Standing::Free),
            (model(1_000), vec![draft(1_000)], Standing::Free),
            (model(1_001), vec![draft(1_000)], Standing::Taken),
            (model(1), vec![model(1)], Standing::Taken),
        ] {
            assert_eq!(
                standing(job, &running, 2_000),
                expected,
                "{job:?} {running:?}"
            );
        }
    }
}
