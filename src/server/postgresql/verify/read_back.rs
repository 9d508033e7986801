//! Reads the rows of a table back, to compare them with the loaded rows.

use std::io::{BufRead, Read};

use postgres::Client;

use crate::error::{Error, Result};
use crate::rows::{Digest, Layout};
use crate::schema::ddl;
use crate::server::postgresql::error::{failed_stream, failure};

/// The checksum of the rows of `table` in `schema`, over the columns of `layout`.
pub(crate) fn read_back(
    client: &mut Client,
    schema: &str,
    table: &str,
    layout: &Layout,
) -> Result<Digest> {
    let columns = layout.columns.iter().map(String::as_str);
    let style = ddl::Style::in_schema(schema);
    let doing = || format!("read {table} back");
    let sql = if has_generated(client, schema, table, &layout.columns).map_err(failure(doing()))? {
        ddl::copy_query_to_stdout(style, table, columns, layout.format)
    } else {
        ddl::copy_to_stdout(style, table, columns, layout.format)
    };
    let mut reader = client.copy_out(&sql).map_err(failure(doing()))?;
    let broken = |cause: std::io::Error| failed_stream(doing(), cause);
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

/// Whether the server computes one of the `columns`.
fn has_generated(
    client: &mut Client,
    schema: &str,
    table: &str,
    columns: &[String],
) -> std::result::Result<bool, postgres::Error> {
    // Versions before 12 have no such columns, and no pg_attribute.attgenerated.
    let sql = "SELECT EXISTS (
                 SELECT 1 FROM information_schema.columns
                 WHERE table_schema = $1 AND table_name = $2 AND is_generated = 'ALWAYS'
                   AND column_name::text = ANY ($3))";
    let row = client.query_one(sql, &[&schema, &table, &columns])?;
    Ok(row.get(0))
}
