//! Copies owner and grants of a replaced table to the new one.

use postgres::Transaction;

use crate::error::Result;
use crate::schema::sql::{identifier, qualified};
use crate::server::postgresql::error::failure;

/// The owner and the grants of a relation, as statements for the relation that replaces it.
pub(super) struct Rights {
    statements: Vec<String>,
}

/// Reads the rights on the relation `name` in `schema`, a table or a sequence; none if it does not exist.
pub(super) fn read(transaction: &mut Transaction<'_>, schema: &str, name: &str) -> Result<Rights> {
    let doing = || failure(format!("read the grants of {name}"));
    let relation = qualified(schema, name);
    let mut statements = Vec::new();
    let owner = transaction
        .query_opt(
            "SELECT c.relkind::text, r.rolname::text, r.rolname = current_user
             FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             JOIN pg_roles r ON r.oid = c.relowner WHERE n.nspname = $1 AND c.relname = $2",
            &[&schema, &name],
        )
        .map_err(doing())?;
    let Some(owner) = owner else {
        return Ok(Rights { statements });
    };
    let is_table = owner.get::<_, String>(0) == "r";
    // A sequence belongs to whoever owns its table.
    if is_table && !owner.get::<_, bool>(2) {
        let role = identifier(&owner.get::<_, String>(1));
        statements.push(format!("ALTER TABLE {relation} OWNER TO {role}"));
    }
    let grants = transaction
        .query(
            "SELECT COALESCE(r.rolname::text, ''), a.privilege_type::text, a.is_grantable, NULL::text
             FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace,
                  aclexplode(c.relacl) a LEFT JOIN pg_roles r ON r.oid = a.grantee
             WHERE n.nspname = $1 AND c.relname = $2
             UNION ALL
             SELECT COALESCE(r.rolname::text, ''), a.privilege_type::text, a.is_grantable, t.attname::text
             FROM pg_attribute t JOIN pg_class c ON c.oid = t.attrelid
                  JOIN pg_namespace n ON n.oid = c.relnamespace,
                  aclexplode(t.attacl) a LEFT JOIN pg_roles r ON r.oid = a.grantee
             WHERE n.nspname = $1 AND c.relname = $2 AND NOT t.attisdropped",
            &[&schema, &name],
        )
        .map_err(doing())?;
    for grant in grants {
        let role: String = grant.get(0);
        let (privilege, grantable): (String, bool) = (grant.get(1), grant.get(2));
        let column: Option<String> = grant.get(3);
        let role = if role.is_empty() {
            "PUBLIC".to_owned()
        } else {
            identifier(&role)
        };
        let column =
            column.map_or_else(String::new, |column| format!(" ({})", identifier(&column)));
        let kind = if is_table { "TABLE" } else { "SEQUENCE" };
        let option = if grantable { " WITH GRANT OPTION" } else { "" };
        statements.push(format!(
            "GRANT {privilege}{column} ON {kind} {relation} TO {role}{option}"
        ));
    }
    Ok(Rights { statements })
}

impl Rights {
    /// Sets the rights on the relation that has the name now.
    pub(super) fn give(&self, transaction: &mut Transaction<'_>) -> Result<()> {
        for statement in &self.statements {
            transaction
                .batch_execute(statement)
                .map_err(failure("copy the grants"))?;
        }
        Ok(())
    }
}
