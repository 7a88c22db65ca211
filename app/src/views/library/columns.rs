//! The columns of the table: which there are, which are shown, in which order, how wide.

use serde::{Deserialize, Serialize};
use tonearm_core::query::{Field, Sort, SortKey};

/// One column. The names are kept in the settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnId {
    Cover,
    Title,
    Artist,
    Tempo,
    Key,
    Length,
    Preview,
    Analysis,
    Genre,
    Rating,
    Album,
    Year,
    Label,
    Comment,
    Added,
    Loudness,
    Codec,
    Path,
}

/// Where text stands in its column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Left,
    Centre,
    /// Numbers, so that their digits stand below each other.
    Right,
}

impl ColumnId {
    pub(super) const ALL: [Self; 18] = [
        Self::Cover,
        Self::Title,
        Self::Artist,
        Self::Tempo,
        Self::Key,
        Self::Length,
        Self::Preview,
        Self::Analysis,
        Self::Genre,
        Self::Rating,
        Self::Album,
        Self::Year,
        Self::Label,
        Self::Comment,
        Self::Added,
        Self::Loudness,
        Self::Codec,
        Self::Path,
    ];

    /// In menus.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Cover => "Cover",
            Self::Title => "Title",
            Self::Artist => "Artist",
            Self::Tempo => "Tempo",
            Self::Key => "Key",
            Self::Length => "Length",
            Self::Preview => "Waveform",
            Self::Analysis => "Analysis",
            Self::Genre => "Genre",
            Self::Rating => "Rating",
            Self::Album => "Album",
            Self::Year => "Year",
            Self::Label => "Label",
            Self::Comment => "Comment",
            Self::Added => "Added",
            Self::Loudness => "Loudness",
            Self::Codec => "Codec",
            Self::Path => "Path",
        }
    }

    /// Above the column.
    pub(super) fn heading(self) -> &'static str {
        match self {
            Self::Cover => "",
            Self::Tempo => "BPM",
            Self::Loudness => "LUFS",
            other => other.name(),
        }
    }

    /// In points.
    pub(super) fn usual_width(self) -> f32 {
        match self {
            Self::Cover => 34.0,
            Self::Title => 206.0,
            Self::Artist | Self::Album => 140.0,
            Self::Tempo => 72.0,
            Self::Key => 62.0,
            Self::Length => 66.0,
            Self::Preview => 144.0,
            Self::Analysis => 84.0,
            Self::Genre | Self::Label => 110.0,
            Self::Rating => 70.0,
            Self::Year => 54.0,
            Self::Comment => 180.0,
            Self::Added => 100.0,
            Self::Loudness => 60.0,
            Self::Codec => 64.0,
            Self::Path => 320.0,
        }
    }

    pub(super) fn is_usual(self) -> bool {
        !matches!(
            self,
            Self::Album
                | Self::Year
                | Self::Label
                | Self::Comment
                | Self::Loudness
                | Self::Codec
                | Self::Path
        )
    }

    pub(super) fn side(self) -> Side {
        match self {
            Self::Tempo | Self::Length | Self::Year | Self::Loudness => Side::Right,
            Self::Cover | Self::Key | Self::Analysis => Side::Centre,
            _ => Side::Left,
        }
    }

    /// What a click on the heading sorts by.
    pub(super) fn field(self) -> Option<Field> {
        Some(match self {
            Self::Cover | Self::Preview => return None,
            Self::Title => Field::Title,
            Self::Artist => Field::Artist,
            Self::Tempo => Field::Bpm,
            Self::Key => Field::Key,
            Self::Length => Field::Duration,
            Self::Analysis => Field::State,
            Self::Genre => Field::Genre,
            Self::Rating => Field::Rating,
            Self::Album => Field::Album,
            Self::Year => Field::Year,
            Self::Label => Field::Label,
            Self::Comment => Field::Comment,
            Self::Added => Field::Added,
            Self::Loudness => Field::Lufs,
            Self::Codec => Field::Codec,
            Self::Path => Field::Path,
        })
    }

    /// Whether the first click sorts the largest, last or newest to the top.
    fn descends_first(self) -> bool {
        matches!(self, Self::Added | Self::Rating)
    }
}

/// One column as the user wants it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ColumnChoice {
    pub column: ColumnId,
    pub shown: bool,
    /// In points.
    pub width: f32,
}

/// All columns in the order of the user.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "Vec<ColumnChoice>", into = "Vec<ColumnChoice>")]
pub struct Columns(Vec<ColumnChoice>);

pub(super) const NARROWEST: f32 = 28.0;
const WIDEST: f32 = 2000.0;

impl Default for Columns {
    fn default() -> Self {
        Self::from(Vec::new())
    }
}

impl From<Vec<ColumnChoice>> for Columns {
    /// Whatever was kept: each column once, those that are new at the end, widths within reason.
    fn from(kept: Vec<ColumnChoice>) -> Self {
        let mut all: Vec<ColumnChoice> = Vec::with_capacity(ColumnId::ALL.len());
        let usual = ColumnId::ALL.into_iter().map(|column| ColumnChoice {
            column,
            shown: column.is_usual(),
            width: column.usual_width(),
        });
        for choice in kept.into_iter().chain(usual) {
            if all.iter().all(|known| known.column != choice.column) {
                let width = if choice.width.is_finite() {
                    choice.width.clamp(NARROWEST, WIDEST)
                } else {
                    choice.column.usual_width()
                };
                all.push(ColumnChoice { width, ..choice });
            }
        }
        Self(all)
    }
}

impl From<Columns> for Vec<ColumnChoice> {
    fn from(columns: Columns) -> Self {
        columns.0
    }
}

/// A column where it stands: points from the left edge of the table.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Placed {
    pub(super) column: ColumnId,
    pub(super) left: f32,
    pub(super) width: f32,
}

impl Columns {
    pub(super) fn choices(&self) -> &[ColumnChoice] {
        &self.0
    }

    pub(super) fn show(&mut self, column: ColumnId, shown: bool) {
        if let Some(choice) = self.choice(column) {
            choice.shown = shown;
        }
    }

    pub(super) fn resize(&mut self, column: ColumnId, width: f32) {
        if let Some(choice) = self.choice(column) {
            choice.width = width.clamp(NARROWEST, WIDEST);
        }
    }

    fn choice(&mut self, column: ColumnId) -> Option<&mut ColumnChoice> {
        self.0.iter_mut().find(|choice| choice.column == column)
    }

    /// Puts `moved` before `next`, or at the end.
    pub(super) fn put_before(&mut self, moved: ColumnId, next: Option<ColumnId>) {
        if next == Some(moved) {
            return;
        }
        let Some(from) = self.0.iter().position(|choice| choice.column == moved) else {
            return;
        };
        let choice = self.0.remove(from);
        let to = next.and_then(|next| self.0.iter().position(|choice| choice.column == next));
        self.0.insert(to.unwrap_or(self.0.len()), choice);
    }

    /// Changes places with the next column that is shown, to the right or the left.
    pub(super) fn step(&mut self, column: ColumnId, right: bool) {
        let shown: Vec<usize> = (0..self.0.len())
            .filter(|&at| self.0.get(at).is_some_and(|choice| choice.shown))
            .collect();
        let place = shown
            .iter()
            .position(|&at| self.0.get(at).is_some_and(|choice| choice.column == column));
        let other = place.and_then(|place| {
            let other = if right {
                place.checked_add(1)
            } else {
                place.checked_sub(1)
            };
            other.and_then(|other| shown.get(other))
        });
        if let (Some(&from), Some(&to)) = (place.and_then(|place| shown.get(place)), other) {
            self.0.swap(from, to);
        }
    }

    /// The shown columns side by side. What a window has to spare goes to title and artist.
    pub(super) fn placed(&self, room: f32) -> Vec<Placed> {
        let shown = || self.0.iter().filter(|choice| choice.shown);
        let wanted: f32 = shown().map(|choice| choice.width).sum();
        let share = |column| match column {
            ColumnId::Title => 2.0,
            ColumnId::Artist => 1.0,
            _ => 0.0,
        };
        let shares: f32 = shown().map(|choice| share(choice.column)).sum();
        let spare = (room - wanted).max(0.0) / shares.max(1.0);
        let mut left = 0.0;
        shown()
            .map(|choice| {
                let width = (choice.width + spare * share(choice.column)).floor();
                let placed = Placed {
                    column: choice.column,
                    left,
                    width,
                };
                left += width;
                placed
            })
            .collect()
    }
}

/// By which columns the table is sorted, the first deciding.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Order(Vec<Key>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Key {
    column: ColumnId,
    descending: bool,
}

/// More would never decide anything.
const MOST_KEYS: usize = 4;

impl Order {
    /// A click on a heading: sorts by it, a second one turns the order round, a third gives the library's own
    /// order back. With shift what is there stays and the column comes after it.
    pub(super) fn click(&mut self, column: ColumnId, extend: bool) {
        if column.field().is_none() {
            return;
        }
        let first = Key {
            column,
            descending: column.descends_first(),
        };
        let known = self.0.iter().position(|key| key.column == column);
        if !extend {
            let old = known.and_then(|at| self.0.get(at).copied());
            let alone = self.0.len() == 1;
            self.0.clear();
            match old {
                Some(old) if alone && old != first => {}
                Some(old) if alone => self.0.push(Key {
                    descending: !old.descending,
                    ..old
                }),
                _ => self.0.push(first),
            }
            return;
        }
        if let Some(key) = self.0.iter_mut().find(|key| key.column == column) {
            key.descending = !key.descending;
        } else if self.0.len() < MOST_KEYS {
            self.0.push(first);
        }
    }

    /// Whether it descends, and its rank among the keys, counted from 1.
    pub(super) fn of(&self, column: ColumnId) -> Option<(bool, usize)> {
        let at = self.0.iter().position(|key| key.column == column)?;
        Some((self.0.get(at)?.descending, at + 1))
    }

    pub(super) fn is_by_several(&self) -> bool {
        self.0.len() > 1
    }

    pub(super) fn sort(&self) -> Sort {
        let keys = self.0.iter().filter_map(|key| {
            Some(SortKey {
                field: key.column.field()?,
                descending: key.descending,
            })
        });
        Sort(keys.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damaged_settings_still_give_each_column_once() {
        let kept = vec![
            ColumnChoice {
                column: ColumnId::Path,
                shown: true,
                width: f32::NAN,
            },
            ColumnChoice {
                column: ColumnId::Path,
                shown: false,
                width: -5.0,
            },
        ];
        let columns = Columns::from(kept);
        assert_eq!(columns.choices().len(), ColumnId::ALL.len());
        let first = columns.choices()[0];
        assert_eq!((first.column, first.shown), (ColumnId::Path, true));
        assert!(
            columns
                .choices()
                .iter()
                .all(|choice| choice.width >= NARROWEST)
        );
    }

    #[test]
    fn a_wide_window_is_filled_and_a_narrow_one_keeps_the_widths() {
        let columns = Columns::default();
        let wanted: f32 = columns.placed(0.0).iter().map(|placed| placed.width).sum();
        let wide = columns.placed(3000.0);
        let end = wide.last().map_or(0.0, |placed| placed.left + placed.width);
        assert!(wanted < 1200.0 && end > 2996.0, "{wanted} {end}");
    }

    #[test]
    fn columns_move_before_others_and_to_the_end() {
        let mut columns = Columns::default();
        columns.put_before(ColumnId::Key, Some(ColumnId::Title));
        columns.put_before(ColumnId::Cover, None);
        columns.put_before(ColumnId::Title, Some(ColumnId::Title));
        let order: Vec<ColumnId> = columns.choices().iter().map(|it| it.column).collect();
        assert_eq!(
            order[..3],
            [ColumnId::Key, ColumnId::Title, ColumnId::Artist]
        );
        assert_eq!(order.last(), Some(&ColumnId::Cover));
    }

    #[test]
    fn a_column_changes_places_with_the_next_that_is_shown() {
        let mut columns = Columns::default();
        let shown = |columns: &Columns| -> Vec<ColumnId> {
            let all = columns.choices().iter().filter(|it| it.shown);
            all.map(|it| it.column).collect()
        };
        let before = shown(&columns);
        columns.show(before[1], false);
        columns.step(before[0], true);
        let now = shown(&columns);
        assert_eq!((now[0], now[1]), (before[2], before[0]));
        columns.step(before[0], false);
        columns.step(before[0], false);
        let last = *before.last().unwrap();
        columns.step(last, true);
        columns.show(before[1], true);
        assert_eq!(shown(&columns), before);
    }

    #[test]
    fn headings_sort_turn_round_and_let_go() {
        let mut order = Order::default();
        order.click(ColumnId::Tempo, false);
        assert_eq!(order.of(ColumnId::Tempo), Some((false, 1)));
        order.click(ColumnId::Tempo, false);
        assert_eq!(order.of(ColumnId::Tempo), Some((true, 1)));
        order.click(ColumnId::Added, true);
        assert_eq!(order.of(ColumnId::Added), Some((true, 2)));
        order.click(ColumnId::Added, true);
        assert_eq!(order.of(ColumnId::Added), Some((false, 2)));
        assert_eq!(order.sort().0.len(), 2);
        order.click(ColumnId::Title, false);
        assert_eq!(order.sort().0.len(), 1);
        order.click(ColumnId::Title, false);
        order.click(ColumnId::Title, false);
        assert_eq!(order, Order::default());
        order.click(ColumnId::Preview, false);
        assert_eq!(order, Order::default());
    }
}
