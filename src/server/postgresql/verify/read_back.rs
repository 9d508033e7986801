//! Reads the rows of a table back, to compare them with the loaded rows.

use std::io::{BufRead, Read};

use postgres::Client;

use crate::error::{Error, Result};
use crate::rows::{Digest, Layout};
use crate::schema::ddl;
use crate::server::postgresql::error::failure;

/// The checksum of the rows of `table` in `schema`, over the columns of `layout`.
pub(crate) fn read_back(
    client: &mut Client,
    schema: &str,
    table: &str,
    layout: &Layout,
) -> Result<Digest> {
    let columns = layout.columns.iter().map(String::as_str);
    let style = ddl::Style::in_schema(schema);
    let sql = ddl::copy_to_stdout(style, table, columns, layout.format);
    let doing = || format!("read {table} back");
    let mut reader = client.copy_out(&sql).map_err(failure(doing()))?;
    let broken = |cause: std::io::Error| {
        Error::target(format!("cannot {}: {cause}", doing())).caused_by(cause)
    };
    let head = layout.format.head();
    let mut found = vec![0; head.len()];
    reader.read_exact(&mut found).map_err(broken)?;
    if found != head {
        return Err(Error::failed(format!(
            "cannot {}: the server's format is unknown",
            doing()
        )));
    }
    let layout = layout.in_order();
    let mut digest = Digest::default();
    let mut waiting = Vec::new();
    loop {
        let bytes = reader.fill_buf().map_err(broken)?;
        let count = bytes.len();
        if count == 0 {
            break;
        }
        waiting.extend_from_slice(bytes);
        reader.consume(count);
        let taken = digest.add(&layout, &waiting);
        waiting.drain(..taken);
    }
    if waiting != layout.format.tail() {
        return Err(Error::target(format!(
            "cannot {}: the rows end too early",
            doing()
        )));
    }
    Ok(digest)
}
