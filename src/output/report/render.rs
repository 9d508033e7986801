//! Renders the document in each format. The templates get nothing but the document.

use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, Value as Seen};
use serde_json::Value;

use super::filters;
use super::format::Format;
use crate::error::{Error, Result};
use crate::ui::shown::visible_json;

const HTML: &str = include_str!("templates/report.html");
const MARKDOWN: &str = include_str!("templates/report.md");
const SUMMARY_HTML: &str = include_str!("templates/summary.html");
const SUMMARY_MARKDOWN: &str = include_str!("templates/summary.md");
const JUNIT: &str = include_str!("templates/junit.xml");

/// What a page is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Page {
    /// One run of a command.
    Run,
    /// Many runs.
    Summary,
}

/// The text of `document` in `format`.
pub(super) fn render(document: &Value, page: Page, format: Format) -> Result<String> {
    let (html, markdown) = match page {
        Page::Run => (HTML, MARKDOWN),
        Page::Summary => (SUMMARY_HTML, SUMMARY_MARKDOWN),
    };
    let rendered = match format {
        Format::Json => return Ok(visible_json(&format!("{document:#}\n"))),
        Format::Html => template(html, AutoEscape::Html, document),
        // What is escaped there is so by filters.
        Format::Markdown => template(markdown, AutoEscape::None, document),
        Format::Junit => template(JUNIT, AutoEscape::None, document),
    };
    rendered
        .map_err(|cause| Error::failed(format!("cannot make the report: {cause}")).caused_by(cause))
}

fn template(
    source: &str,
    escape: AutoEscape,
    document: &Value,
) -> std::result::Result<String, minijinja::Error> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(move |_| escape.clone());
    let mut syntax = SyntaxConfig::builder();
    environment.set_syntax(
        syntax
            .trim_blocks(true)
            .lstrip_blocks(true)
            .keep_trailing_newline(true)
            .build()?,
    );
    filters::add(&mut environment);
    environment.add_template("report", source)?;
    environment.get_template("report")?.render(seen(document))
}

/// `value` as a template sees it. The numbers of serde_json are objects to other crates, since they may have any size.
fn seen(value: &Value) -> Seen {
    match value {
        Value::Null => Seen::from(()),
        Value::Bool(is_true) => Seen::from(*is_true),
        Value::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(whole), ..) => Seen::from(whole),
            (None, Some(whole), _) => Seen::from(whole),
            (None, None, Some(real)) => Seen::from(real),
            (None, None, None) => Seen::from(number.to_string()),
        },
        Value::String(text) => Seen::from(text.as_str()),
        Value::Array(values) => values.iter().map(seen).collect::<Vec<Seen>>().into(),
        Value::Object(values) => {
            Seen::from_pairs(values.iter().map(|(key, it)| (key.as_str(), seen(it))))
        }
    }
}
