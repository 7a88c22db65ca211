//! Query to text: what is printed reads back as the same query.

use super::fold::fold;
use super::parse::field_name_length;
use super::{Expr, FieldTerm, Query, WordTerm};
use std::fmt::{self, Write as _};

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.written {
            Expr::Any(choices) => joined(choices, " or ", f),
            Expr::All(parts) => joined(parts, " ", f),
            one => part(one, f),
        }
    }
}

fn joined(exprs: &[Expr], between: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (index, expr) in exprs.iter().enumerate() {
        if index > 0 {
            f.write_str(between)?;
        }
        match expr {
            // `a b or c d` needs no parentheses.
            Expr::All(parts) if between != " " => joined(parts, " ", f)?,
            other => part(other, f)?,
        }
    }
    Ok(())
}

/// One condition as it stands among others.
fn part(expr: &Expr, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match expr {
        Expr::All(parts) => {
            f.write_char('(')?;
            joined(parts, " ", f)?;
            f.write_char(')')
        }
        Expr::Any(choices) => {
            f.write_char('(')?;
            joined(choices, " or ", f)?;
            f.write_char(')')
        }
        Expr::Not(inner) => {
            f.write_char('-')?;
            part(inner, f)
        }
        Expr::Word(WordTerm { raw, .. }) => {
            if reads_as_word(raw) {
                f.write_str(raw)
            } else {
                quoted(raw, f)
            }
        }
        Expr::Field(FieldTerm {
            field, raw, exact, ..
        }) => {
            write!(f, "{}:", field.name())?;
            if *exact {
                f.write_char('=')?;
            }
            if raw.is_empty() || raw.starts_with(['"', '=']) || raw.contains(breaks_word) {
                quoted(raw, f)
            } else {
                f.write_str(raw)
            }
        }
    }
}

fn breaks_word(c: char) -> bool {
    c.is_whitespace() || matches!(c, '(' | ')')
}

fn reads_as_word(raw: &str) -> bool {
    let chars: Vec<char> = raw.chars().collect();
    !raw.contains(breaks_word)
        && !raw.starts_with(['-', '"'])
        && !fold(raw).bytes().all(|byte| byte == b'-')
        && !raw.eq_ignore_ascii_case("or")
        && raw != "|"
        && field_name_length(&chars).is_none()
}

fn quoted(raw: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "\"{}\"", raw.replace('"', "\"\""))
}
