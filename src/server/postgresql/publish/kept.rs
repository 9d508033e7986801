//! A staging that is kept for a second try, with its record in the comment on its schema.

use postgres::Client;

use crate::error::{Error, Result};
use crate::failpoint;
use crate::publish::kept::Kept;
use crate::schema::sql::{identifier, literal};
use crate::server::postgresql::error::failure;
use crate::server::postgresql::load::{MARK, STAGING_SCHEMA, staging_of};
use crate::server::postgresql::update_triggers::{IS_OURS, ours};

/// Writes the record: from then on the staging is kept.
pub(crate) fn write(client: &mut Client, kept: &Kept) -> Result<()> {
    let comment = literal(&format!("{MARK}\n{}", kept.to_json()));
    let schema = identifier(STAGING_SCHEMA);
    failpoint::reached("staging to be kept");
    client
        .batch_execute(&format!("COMMENT ON SCHEMA {schema} IS {comment}"))
        .map_err(failure("write the record of what is kept"))?;
    failpoint::reached("staging kept");
    Ok(())
}

/// The record, if there is one.
pub(crate) fn read(client: &mut Client) -> Result<Option<Kept>> {
    let sql = "SELECT COALESCE(obj_description(n.oid, 'pg_namespace'), ''), pg_get_userbyid(n.nspowner)::text,
                      COALESCE(r.rolsuper OR r.rolname = current_user, false)
               FROM pg_namespace n LEFT JOIN pg_roles r ON r.oid = n.nspowner WHERE n.nspname = $1";
    let found = client
        .query_opt(sql, &[&STAGING_SCHEMA])
        .map_err(failure("read the record of what is kept"))?;
    let Some(found) = found else {
        return Ok(None);
    };
    let comment: String = found.get(0);
    let kept = comment
        .strip_prefix(MARK)
        .and_then(|text| Kept::from_json(text.trim()));
    if kept.is_some() && !found.get::<_, bool>(2) {
        // Traces would be removed as it says.
        let owner: String = found.get(1);
        return Err(Error::target(format!(
            "the record of what is kept is not trusted: {STAGING_SCHEMA} has the owner {owner}"
        ))
        .hint(format!(
            "connect as {owner}, or drop the schema {STAGING_SCHEMA}"
        )));
    }
    Ok(kept)
}

/// The query of what a staging does not have, or what belongs to somebody else, with its kind.
fn strange() -> String {
    let triggers = ours("t.oid");
    format!(
        "
    WITH s AS (SELECT oid, nspowner FROM pg_namespace WHERE nspname = $1),
         t AS (SELECT c.oid FROM pg_class c JOIN s ON c.relnamespace = s.oid WHERE c.relkind = 'r')
    SELECT 'the owner ' || pg_get_userbyid(nspowner)::text FROM s
      WHERE pg_get_userbyid(nspowner) <> current_user
    UNION ALL
    SELECT CASE WHEN c.relowner <> s.nspowner THEN 'a relation of another owner: ' ELSE 'an unexpected relation: ' END || c.relname::text
      FROM pg_class c JOIN s ON c.relnamespace = s.oid
      WHERE c.relowner <> s.nspowner OR c.relkind NOT IN ('r', 'i', 'S')
        OR (c.relkind = 'r' AND c.relname <> ALL($2))
    UNION ALL
    SELECT 'a function ' || proname::text FROM pg_proc p JOIN s ON pronamespace = s.oid
      WHERE proowner <> nspowner OR NOT ({IS_OURS})
    UNION ALL
    SELECT 'a trigger ' || tgname::text FROM pg_trigger WHERE NOT tgisinternal AND tgrelid IN (SELECT oid FROM t)
      AND oid NOT IN ({triggers})
    UNION ALL
    SELECT 'a rule ' || rulename::text FROM pg_rewrite WHERE ev_class IN (SELECT oid FROM t)
    UNION ALL
    SELECT 'a policy ' || polname::text FROM pg_policy WHERE polrelid IN (SELECT oid FROM t)
    UNION ALL
    SELECT 'an inheriting table ' || inhrelid::regclass::text FROM pg_inherits
      WHERE inhparent IN (SELECT oid FROM t) AND inhrelid NOT IN (SELECT indexrelid FROM pg_index)
    ORDER BY 1 LIMIT 1"
    )
}

/// An error unless the staging, or the one of a `schema` of several, has exactly `tables`, of this user.
pub(crate) fn check(client: &mut Client, schema: Option<&str>, tables: &[&str]) -> Result<()> {
    let schema = staging_of(schema);
    let schema = &*schema;
    let altered = |what: &str| {
        Error::target(format!("it is not what was loaded any more: {what}"))
            .hint("import the archive again; the import drops what is kept")
    };
    let doing = || failure("look at what is kept");
    let strange = client
        .query_opt(&strange(), &[&schema, &tables])
        .map_err(doing())?;
    if let Some(strange) = strange {
        let what: String = strange.get(0);
        return Err(altered(&format!("{schema} has {what}")));
    }
    let sql = "SELECT name FROM unnest($2::text[]) name WHERE NOT EXISTS (
                 SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                 WHERE n.nspname = $1 AND c.relname = name AND c.relkind = 'r') LIMIT 1";
    let missing = client
        .query_opt(sql, &[&schema, &tables])
        .map_err(doing())?;
    match missing {
        None => Ok(()),
        Some(missing) => {
            let name: String = missing.get(0);
            Err(altered(&format!("{schema} has no table {name}")))
        }
    }
}
