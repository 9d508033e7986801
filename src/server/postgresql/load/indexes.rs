//! Builds the primary key and the indexes of a staged table after its rows are loaded, under temporary names.
//!
//! Keys that changed values violate become indexes, and values that are too long for an index are indexed in part.

use postgres::Client;
use postgres::error::SqlState;

use super::staged_tables::StagedTables;
use super::style::Staged;
use crate::error::Result;
use crate::error::codes::Code;
use crate::failpoint;
use crate::pipeline::work_queue::{Built, IndexBuild, WorkQueue};
use crate::schema::changed_keys::{
    column_with_nulls, columns_of, index_note, key_note, may_be_equal,
};
use crate::schema::ddl;
use crate::schema::{Index, IndexKind, IndexPart, IndexPartOf, KeptAs, Note, PrimaryKey, Table};
use crate::server::postgresql::error::{failure, is_refusal};
use crate::server::postgresql::statement::one_statement;

/// The name of the primary key of the table with this number, until all names are known.
pub(crate) fn staged_key_name(table: usize) -> String {
    format!("ci_import_{table}_pkey")
}

/// The name of an index likewise.
pub(crate) fn staged_index_name(table: usize, index: usize) -> String {
    format!("ci_import_{table}_{index}")
}

/// What is to be built for `table`, the table with this `number`.
pub(crate) fn builds(table: &Table, number: usize) -> Vec<IndexBuild> {
    let build = |name: &str, built| IndexBuild {
        table: table.name.clone(),
        name: name.to_owned(),
        built,
    };
    let key = table.primary_key.iter();
    let key = key.map(|key| build(&key.name, Built::PrimaryKey(number)));
    let indexes = table.indexes.iter().enumerate();
    let indexes = indexes.map(|(at, index)| build(&index.name, Built::Index(number, at)));
    // The last, because it waits for the indexes, and because expressions have statistics, too.
    let statistics = build("statistics", Built::Statistics(number));
    key.chain(indexes).chain([statistics]).collect()
}

/// What is to be built for `table`, the table with this `number`, after it has got more keys than it had `before`.
pub(crate) fn more_builds(table: &Table, number: usize, before: &Table) -> Vec<IndexBuild> {
    let is_new = |build: &IndexBuild| match build.built {
        Built::PrimaryKey(_) => before.primary_key.is_none(),
        Built::Index(_, at) => at >= before.indexes.len(),
        // Only those of expressions are not there yet.
        Built::Statistics(_) => table
            .indexes
            .iter()
            .skip(before.indexes.len())
            .any(|index| {
                let mut parts = index.parts.iter();
                let is_whole =
                    |part: &IndexPart| matches!(part.of, IndexPartOf::Column(_, None, _));
                index.kind == IndexKind::Fulltext || !parts.all(is_whole)
            }),
        Built::By(..) => false,
    };
    builds(table, number).into_iter().filter(is_new).collect()
}

/// Builds a key or an index.
pub(crate) fn build(
    client: &mut Client,
    queue: &WorkQueue,
    tables: &StagedTables,
    build: &IndexBuild,
) -> Result<()> {
    failpoint::reached("index to be built");
    let is_dropped = || tables.is_dropped(build.of());
    if is_dropped() {
        return Ok(());
    }
    let done = match build.built {
        Built::PrimaryKey(number) => primary_key(client, queue, tables, number),
        Built::Index(number, at) => index(client, queue, tables, number, at),
        Built::Statistics(number) => {
            let name = Staged::of(&tables.get(number)).name();
            one_statement(client, &format!("ANALYZE {name}"))
        }
        Built::By(_, ref statements) => run(client, statements),
    };
    if done.is_err() && is_dropped() {
        return Ok(());
    }
    done.map_err(failure(format!(
        "build the index {} of {}",
        build.name, build.table
    )))?;
    failpoint::reached("index built");
    Ok(())
}

type Done = std::result::Result<(), postgres::Error>;

fn run(client: &mut Client, statements: &[String]) -> Done {
    let mut statements = statements.iter();
    statements.try_for_each(|statement| one_statement(client, statement))
}

fn primary_key(
    client: &mut Client,
    queue: &WorkQueue,
    tables: &StagedTables,
    number: usize,
) -> Done {
    let table = tables.get(number);
    let Some(key) = &table.primary_key else {
        return Ok(());
    };
    let tally = queue.tally(number);
    let (name, staged) = (staged_key_name(number), Staged::of(&table));
    let build = |client: &mut Client, kept_as: KeptAs| {
        let key = PrimaryKey {
            kept_as,
            ..key.clone()
        };
        run(
            client,
            &ddl::primary_key(staged.style(), &table.name, &key, &name),
        )
    };
    let mut kept_as = if column_with_nulls(key, &tally).is_some() {
        KeptAs::UniqueIndex
    } else {
        KeptAs::Key
    };
    match build(client, kept_as) {
        Err(cause) if is_too_long(&cause) => {
            let what = "the values of the primary key are too long; a unique index over checksums replaces it";
            queue.note(note(Code::IndexInOtherForm, &table, &key.name, what));
            return one_statement(
                client,
                &ddl::short_primary_key(staged.style(), &table, key, &name),
            );
        }
        Err(cause) if is_twice(&cause) && may_be_equal(&table, &key.columns, &tally) => {
            kept_as = KeptAs::Index;
            build(client, kept_as)?;
        }
        done => done?,
    }
    if kept_as != KeptAs::Key {
        let key = PrimaryKey {
            kept_as,
            ..key.clone()
        };
        queue.note(key_note(&table, &key, &tally));
        tables.lock()[number].primary_key = Some(key);
    }
    Ok(())
}

fn index(
    client: &mut Client,
    queue: &WorkQueue,
    tables: &StagedTables,
    number: usize,
    at: usize,
) -> Done {
    let table = tables.get(number);
    let index = &table.indexes[at];
    let (name, staged) = (staged_index_name(number, at), Staged::of(&table));
    match run(
        client,
        &ddl::create_index(staged.style(), &table.name, index, &name),
    ) {
        Err(cause) if is_too_long(&cause) => {
            let what = match index.kind {
                IndexKind::Fulltext => {
                    queue.note(note(
                        Code::IndexLeftOut,
                        &table,
                        &index.name,
                        "left out: a text is too long for a tsvector",
                    ));
                    return Ok(());
                }
                IndexKind::Unique => {
                    "the values are too long for the index; it is over checksums of the texts"
                }
                IndexKind::Plain | IndexKind::Spatial => {
                    "the values are too long for the index; it is over the beginnings of the texts"
                }
            };
            queue.note(note(Code::IndexInOtherForm, &table, &index.name, what));
            run(
                client,
                &ddl::create_short_index(staged.style(), &table.name, index, &name),
            )
        }
        Err(cause)
            if is_twice(&cause)
                && may_be_equal(&table, &columns_of(index), &queue.tally(number)) =>
        {
            queue.note(index_note(&table, index));
            let plain = Index {
                kind: IndexKind::Plain,
                ..index.clone()
            };
            run(
                client,
                &ddl::create_index(staged.style(), &table.name, &plain, &name),
            )?;
            tables.lock()[number].indexes[at] = plain;
            Ok(())
        }
        Err(cause) if is_refusal(&cause) && has_expression(index) => {
            let what = "left out: the server cannot compute its expression for all rows";
            queue.note(note(Code::IndexLeftOut, &table, &index.name, what));
            Ok(())
        }
        done => done,
    }
}

fn has_expression(index: &Index) -> bool {
    let mut parts = index.parts.iter();
    parts.any(|part| matches!(part.of, IndexPartOf::Expression(_)))
}

fn is_too_long(cause: &postgres::Error) -> bool {
    cause.code() == Some(&SqlState::PROGRAM_LIMIT_EXCEEDED)
}

/// Whether a value is there twice.
fn is_twice(cause: &postgres::Error) -> bool {
    cause.code() == Some(&SqlState::UNIQUE_VIOLATION)
}

fn note(code: Code, table: &Table, item: &str, what: &str) -> Note {
    Note {
        code,
        table: table.shown(),
        item: Some(item.to_owned()),
        what: what.to_owned(),
    }
}
