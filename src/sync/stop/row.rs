//! A row of the table of stops as it applies to one of them.

use super::Stop;

/// A row of the table, with what goes into its `{…}`.
#[derive(Debug)]
pub struct Row {
    /// Which.
    pub stop: Stop,
    values: Vec<(&'static str, String)>,
}

impl From<Stop> for Row {
    fn from(stop: Stop) -> Self {
        Row {
            stop,
            values: Vec::new(),
        }
    }
}

impl Row {
    /// The same with `value` for `{name}`.
    pub fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.values.push((name, value.to_string()));
        self
    }

    /// What to do.
    pub fn next(&self) -> String {
        let filled = |text: String, (name, value): &(&str, String)| text.replace(&format!("{{{name}}}"), value);
        self.values.iter().fold(self.stop.next().to_owned(), filled)
    }
}
