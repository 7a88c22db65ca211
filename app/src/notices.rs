//! News that goes away by itself: never a question, never the only place where a failure is told.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    News,
    Good,
    Warning,
    Trouble,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    pub tone: Tone,
    /// One sentence.
    pub text: String,
}
