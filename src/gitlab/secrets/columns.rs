//! Which columns of a table are encrypted: attr_encrypted names them `encrypted_X`, `encrypted_X_iv` and
//! `encrypted_X_salt`.

const PREFIX: &str = "encrypted_";

/// An encrypted column, with the columns that belong to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncryptedColumn {
    /// The table.
    pub table: String,
    /// The column of the encrypted values.
    pub name: String,
    /// The column of the IVs.
    pub iv: String,
    /// The column of the salts.
    pub salt: String,
    /// The column of the values from the time before they were encrypted, if the table still has it.
    pub plain: Option<String>,
    /// The column that says to which project a row belongs, if the table has one.
    pub project: Option<String>,
}

/// The encrypted columns of `table`, which has these `columns`.
pub fn encrypted_columns<'a>(
    table: &str,
    columns: impl IntoIterator<Item = &'a str>,
) -> Vec<EncryptedColumn> {
    let columns: Vec<&str> = columns.into_iter().collect();
    let named = |name: String| columns.contains(&name.as_str()).then_some(name);
    let project = if table == "ci_projects" {
        "id"
    } else {
        "project_id"
    };
    let encrypted = columns.iter().filter_map(|name| {
        let plain = name.strip_prefix(PREFIX)?;
        Some(EncryptedColumn {
            table: table.to_owned(),
            name: (*name).to_owned(),
            iv: named(format!("{name}_iv"))?,
            salt: named(format!("{name}_salt"))?,
            plain: named(plain.to_owned()),
            project: named(project.to_owned()),
        })
    });
    encrypted.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_three_columns_make_an_encrypted_one() {
        for (columns, expected) in [
            (
                &["id", "encrypted_a", "encrypted_a_iv", "encrypted_a_salt"][..],
                "encrypted_a",
            ),
            (&["encrypted_a", "encrypted_a_iv", "a"], ""),
            (&["encrypted_a", "encrypted_a_salt", "a"], ""),
            // The password hash of Devise.
            (&["encrypted_password"], ""),
            (&["a", "a_iv", "a_salt"], ""),
        ] {
            let found = encrypted_columns("t", columns.iter().copied());
            let names: Vec<String> = found.into_iter().map(|column| column.name).collect();
            assert_eq!(names.join(" "), expected, "{columns:?}");
        }
        let columns = [
            "id",
            "project_id",
            "value",
            "encrypted_value_iv",
            "encrypted_value_salt",
            "encrypted_value",
        ];
        let found = &encrypted_columns("ci_variables", columns)[0];
        assert_eq!(found.plain.as_deref(), Some("value"));
        assert_eq!(found.project.as_deref(), Some("project_id"));
    }
}
