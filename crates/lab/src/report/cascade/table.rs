//! Tables, for the page and for the document.
#![allow(clippy::format_push_string, reason = "a few rows")]

use std::fmt::Write;

use crate::report::page::escape;

/// Heads and rows; the first cell of a row is its name.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// The first is that of the names.
    pub heads: Vec<String>,
    /// Rows.
    pub rows: Vec<Vec<String>>,
}

/// A heading, what is to be read from the table, and the table; closed on the page unless it is `open`.
#[derive(Clone, Debug)]
pub struct Section {
    /// Heading.
    pub title: String,
    /// A few sentences, Markdown without anything that HTML would not show as it is.
    pub note: String,
    /// The table.
    pub table: Table,
}

impl Table {
    /// An empty one.
    pub fn new<S: Into<String>>(heads: impl IntoIterator<Item = S>) -> Self {
        Self {
            heads: heads.into_iter().map(Into::into).collect(),
            rows: Vec::new(),
        }
    }

    /// As GitHub writes it.
    pub fn markdown(&self) -> String {
        let mut out = String::new();
        let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
        out += &line(&self.heads);
        let marks: Vec<String> = (0..self.heads.len())
            .map(|place| if place == 0 { "---" } else { "---:" }.to_owned())
            .collect();
        out += &format!("|{}|\n", marks.join("|"));
        for row in &self.rows {
            out += &line(row);
        }
        out
    }

    /// As a page has it.
    pub fn html(&self) -> String {
        let mut out = "<div class=\"wide\"><table>\n<tr>".to_owned();
        // Writing to a string cannot fail.
        for head in &self.heads {
            let _ = write!(out, "<th class=\"number\">{}</th>", escape(head));
        }
        out += "</tr>\n";
        for row in &self.rows {
            out += "<tr>";
            for (place, cell) in row.iter().enumerate() {
                let cell = bold(&escape(cell));
                let _ = if place == 0 {
                    write!(out, "<th>{cell}</th>")
                } else {
                    write!(out, "<td class=\"number\">{cell}</td>")
                };
            }
            out += "</tr>\n";
        }
        out + "</table></div>\n"
    }
}

/// `**this**` as a page has it.
fn bold(cell: &str) -> String {
    match cell.strip_prefix("**").and_then(|rest| rest.strip_suffix("**")) {
        Some(inside) => format!("<b>{inside}</b>"),
        None => cell.to_owned(),
    }
}

impl Section {
    /// For the document.
    pub fn markdown(&self, level: &str) -> String {
        format!("{level} {}\n\n{}\n\n{}\n", self.title, self.note, self.table.markdown())
    }

    /// For the page; nothing if there are no rows.
    pub fn html(&self) -> String {
        if self.table.rows.is_empty() {
            return String::new();
        }
        format!(
            "<section>\n<h2>{}</h2>\n<p class=\"note\">{}</p>\n{}</section>\n",
            escape(&self.title),
            escape(&self.note),
            self.table.html()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_the_same_in_both() {
        let mut table = Table::new(["path", "value"]);
        table.rows.push(vec!["a & b".to_owned(), "**1**".to_owned()]);
        assert_eq!(table.markdown(), "| path | value |\n|---|---:|\n| a & b | **1** |\n");
        assert!(
            table
                .html()
                .contains("<th>a &amp; b</th><td class=\"number\"><b>1</b></td>")
        );
    }
}
