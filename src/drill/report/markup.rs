//! HTML and SVG, written so that nothing is left unescaped: texts and values of attributes come in here alone. Pure.

use std::fmt::{self, Display, Write};

/// Attributes of an element.
pub(super) type Attributes<'a> = &'a [(&'a str, &'a dyn Display)];

/// Markup that grows.
#[derive(Default)]
pub(super) struct Markup(String);

impl Markup {
    /// Opens an element.
    pub fn open(&mut self, tag: &str, attributes: Attributes<'_>) -> &mut Self {
        self.start(tag, attributes);
        self.0.push('>');
        self
    }

    /// Closes an element.
    pub fn close(&mut self, tag: &str) -> &mut Self {
        self.raw("</").raw(tag).raw(">")
    }

    /// An element without content.
    pub fn leaf(&mut self, tag: &str, attributes: Attributes<'_>) -> &mut Self {
        self.start(tag, attributes);
        self.raw("/>")
    }

    /// An element with a text.
    pub fn element(&mut self, tag: &str, attributes: Attributes<'_>, text: impl Display) -> &mut Self {
        self.open(tag, attributes).text(text).close(tag)
    }

    /// A text.
    pub fn text(&mut self, text: impl Display) -> &mut Self {
        // Writing into a String does not fail.
        let _ = write!(Escaped(&mut self.0), "{text}");
        self
    }

    /// Markup of our own, never what came from elsewhere.
    pub fn raw(&mut self, markup: &str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// The text.
    pub fn finish(self) -> String {
        self.0
    }

    fn start(&mut self, tag: &str, attributes: Attributes<'_>) {
        self.raw("<").raw(tag);
        for (name, value) in attributes {
            self.raw(" ").raw(name).raw("=\"").text(value).raw("\"");
        }
    }
}

struct Escaped<'a>(&'a mut String);

impl Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            match c {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                // No control character is allowed in XML, and a NUL not in HTML.
                c if c.is_control() && !c.is_whitespace() => self.0.push('\u{fffd}'),
                c => self.0.push(c),
            }
        }
        Ok(())
    }
}

/// A length in an SVG, with one decimal.
#[derive(Clone, Copy)]
pub(super) struct Px(pub f64);

impl Display for Px {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{:.1}", self.0);
        f.write_str(text.strip_suffix(".0").unwrap_or(&text))
    }
}
