//! What is wrong with a query, and where.

use super::field;

/// A query or sort order that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct QueryError {
    /// Characters before the place that is wrong.
    pub at: usize,
    pub problem: Problem,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    #[error(
        "no field is called \"{name}\"{}; there are {}. To search for the words themselves, put them in quotes",
        did_you_mean(*suggestion),
        listed(choices)
    )]
    UnknownField {
        name: String,
        suggestion: Option<&'static str>,
        choices: Vec<&'static str>,
    },
    #[error(
        "{field} has no \"{found}\"{}; there are {}",
        did_you_mean(*suggestion),
        listed(choices)
    )]
    UnknownChoice {
        field: &'static str,
        found: String,
        suggestion: Option<&'static str>,
        choices: Vec<&'static str>,
    },
    #[error("expected {expected}, {}", found_text(found))]
    Expected {
        expected: &'static str,
        found: String,
    },
    #[error("longer than {limit} characters")]
    TooLong { limit: usize },
    #[error("more than {limit} parentheses or minus signs inside each other")]
    TooDeep { limit: usize },
}

impl QueryError {
    pub(super) fn expected(expected: &'static str, found: &str, at: usize) -> Self {
        let problem = Problem::Expected {
            expected,
            found: found.to_owned(),
        };
        Self { at, problem }
    }

    pub(super) fn unknown_field(name: &str, choices: &[&'static str], at: usize) -> Self {
        let problem = Problem::UnknownField {
            name: name.to_owned(),
            suggestion: field::nearest(name, choices),
            choices: choices.to_vec(),
        };
        Self { at, problem }
    }

    pub(super) fn unknown_choice(
        field: &'static str,
        found: &str,
        choices: &[&'static str],
        at: usize,
    ) -> Self {
        let problem = Problem::UnknownChoice {
            field,
            found: found.to_owned(),
            suggestion: field::nearest(found, choices),
            choices: choices.to_vec(),
        };
        Self { at, problem }
    }
}

fn did_you_mean(suggestion: Option<&str>) -> String {
    suggestion.map_or_else(String::new, |name| format!(" (did you mean {name}?)"))
}

fn listed(choices: &[&str]) -> String {
    choices.join(", ")
}

fn found_text(found: &str) -> String {
    if found.is_empty() {
        "found nothing".to_owned()
    } else {
        format!("found \"{found}\"")
    }
}
