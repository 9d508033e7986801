//! What `-v` tells: the events of the program, each as a line with the spans that it is in.
//!
//! Only this program's events are listened to: what libraries log may have values or passwords.

use std::fmt::{self, Write as _};

use serde_json::{Map, Value, json};
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id};
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::{LookupSpan, Registry};

use super::messages::{self, Level};
use super::terminal;

/// Listens from now on: to what is done, or with `all` to each piece of it.
pub fn listen(all: bool) {
    let most = if all {
        LevelFilter::TRACE
    } else {
        LevelFilter::DEBUG
    };
    // There is one already only if this is called twice.
    let _ = tracing::subscriber::set_global_default(Registry::default().with(Lines { most }));
}

struct Lines {
    most: LevelFilter,
}

/// The fields of an event or a span.
#[derive(Debug, Default)]
struct Fields {
    message: String,
    others: Map<String, Value>,
}

impl Fields {
    fn put(&mut self, field: &Field, value: Value) {
        match (field.name(), value) {
            ("message", Value::String(text)) => self.message = text,
            (name, value) => {
                self.others.insert(name.to_owned(), value);
            }
        }
    }

    /// As `name=value`, after the message.
    fn to_text(&self) -> String {
        let mut text = self.message.clone();
        for (name, value) in &self.others {
            let _ = match value {
                Value::String(value) => write!(text, " {name}={value}"),
                value => write!(text, " {name}={value}"),
            };
        }
        text.trim_start().to_owned()
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, format!("{value:?}").into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value.into());
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Lines {
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        metadata.target().starts_with("ci_import") && *metadata.level() <= self.most
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.most)
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let level = if *event.metadata().level() == tracing::Level::TRACE {
            Level::Trace
        } else {
            Level::Debug
        };
        let scope = context.event_scope(event).into_iter();
        let spans: Vec<_> = scope
            .flat_map(tracing_subscriber::registry::Scope::from_root)
            .collect();
        if messages::are_json() {
            let spans = spans.iter().map(|span| {
                let extensions = span.extensions();
                let others = extensions
                    .get::<Fields>()
                    .map(|fields| fields.others.clone());
                json!({"name": span.name(), "fields": others})
            });
            let more = json!({
                "message": fields.message,
                "fields": fields.others,
                "spans": spans.collect::<Value>(),
            });
            messages::send(level, "message", more);
            return;
        }
        let mut place = String::new();
        for span in &spans {
            let extensions = span.extensions();
            let named = extensions.get::<Fields>().map(Fields::to_text);
            let named = named.filter(|text| !text.is_empty());
            let named = named.unwrap_or_else(|| span.name().to_owned());
            let _ = write!(place, "{named}: ");
        }
        let (level, told) = (level.name(), fields.to_text());
        terminal::say(&format!("ci-import: {level}: {place}{told}"));
    }
}
