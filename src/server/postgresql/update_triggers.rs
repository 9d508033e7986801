//! How a trigger of an import is known from all others: by what its function does, which is nothing but what
//! [`create_update_trigger`](crate::schema::ddl::create_update_trigger) writes. Such a trigger goes with its table; one that
//! somebody has written or changed does not.

/// The condition that the function `p` does nothing but set columns to the current time, and that the user may move it.
pub(crate) const IS_OURS: &str = r#"
    p.pronargs = 0 AND NOT p.prosecdef AND pg_has_role(p.proowner, 'USAGE')
    AND p.prolang IN (SELECT oid FROM pg_language WHERE lanname = 'plpgsql')
    AND p.proconfig = '{"search_path=pg_catalog, pg_temp"}'
    AND p.prosrc ~ ('^\nBEGIN\n'
      || '(?:  NEW\."(?:[^"]|"")+" := OLD\."(?:[^"]|"")+";\n)*'
      || '  IF NEW \*<> OLD THEN\n'
      || '(?:    IF NEW\."(?:[^"]|"")+" IS NOT DISTINCT FROM OLD\."(?:[^"]|"")+"'
      || ' THEN NEW\."(?:[^"]|"")+" := (?:now\(\)|timezone\(''UTC'', now\(\)\)|LOCALTIMESTAMP); END IF;\n)+'
      || '  END IF;\n  RETURN NEW;\nEND\n$')"#;

/// The query of such triggers `t`, each with its function `p` in the schema of its table `c`, which no other trigger
/// calls. A condition may follow.
pub(crate) fn ours(columns: &str) -> String {
    // The type of a trigger: for each row (1), before (2), of an UPDATE (16) (PostgreSQL's pg_trigger.h).
    format!(
        "SELECT {columns} FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
         JOIN pg_namespace n ON n.oid = c.relnamespace
         JOIN pg_proc p ON p.oid = t.tgfoid AND p.pronamespace = c.relnamespace
         WHERE NOT t.tgisinternal AND t.tgtype = 19 AND t.tgnargs = 0 AND t.tgqual IS NULL AND t.tgattr::text = ''
           AND NOT EXISTS (SELECT 1 FROM pg_trigger o WHERE o.tgfoid = p.oid AND o.oid <> t.oid)
           AND {IS_OURS}"
    )
}
