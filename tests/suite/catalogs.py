"""What both servers say of their tables, as dictionaries of one form."""

import collections

SCHEMA = "imported"
TEXTS = {"char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set"}
GEOMETRIES = {
    "geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon", "geometrycollection",
}  # fmt: skip
BINARIES = {"binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"} | GEOMETRIES


def my(tag, columns, rest):
    """A query whose cells are hexadecimal, so that no character of a name or a value can be mistaken."""
    cells = ", ".join(f"IFNULL(HEX(CONVERT({column} USING utf8mb4)), '~')" for column in columns.split(", "))
    return f"SELECT '{tag}', {cells} {rest};\n"


def pg(tag, columns, rest):
    cells = ", ".join(f"coalesce(encode(convert_to(({column})::text, 'UTF8'), 'hex'), '~')" for column in columns.split("; "))
    return f"SELECT '{tag}', {cells} {rest};\n"


def cell(text):
    return None if text == "~" else bytes.fromhex(text)


def lines_of(output):
    """The rows of such queries by their tags."""
    found = collections.defaultdict(list)
    for line in output.decode("ascii", errors="replace").splitlines():
        tag, *cells = line.split("\t")
        found[tag].append([None if text == "~" else bytes.fromhex(text).decode(errors="replace") for text in cells])
    return found


def of_mariadb(servers, database):
    here = f"'{database}'"
    sql = "".join(
        [
            my("table", "table_name, table_type, engine, auto_increment, table_comment, create_options",
               f"FROM information_schema.tables WHERE table_schema = {here}"),
            my("column", "table_name, column_name, data_type, column_type, is_nullable, column_default, extra, "
               "column_comment, is_generated, character_set_name, generation_expression",
               f"FROM information_schema.columns WHERE table_schema = {here} ORDER BY table_name, ordinal_position"),
            my("key", "table_name, index_name, non_unique, column_name, sub_part, collation, index_type, index_comment",
               f"FROM information_schema.statistics WHERE table_schema = {here} ORDER BY table_name, index_name, seq_in_index"),
            my("check", "table_name, constraint_name, check_clause, level",
               f"FROM information_schema.check_constraints WHERE constraint_schema = {here}"),
            my("foreign", "table_name, constraint_name, referenced_table_name, update_rule, delete_rule",
               f"FROM information_schema.referential_constraints WHERE constraint_schema = {here}"),
            my("foreign column", "table_name, constraint_name, column_name, referenced_column_name, referenced_table_schema",
               "FROM information_schema.key_column_usage"
               f" WHERE table_schema = {here} AND referenced_table_name IS NOT NULL ORDER BY ordinal_position"),
            my("object", "'trigger', trigger_name", f"FROM information_schema.triggers WHERE trigger_schema = {here}"),
            my("object", "'view', table_name", f"FROM information_schema.views WHERE table_schema = {here}"),
            my("object", "'routine', routine_name", f"FROM information_schema.routines WHERE routine_schema = {here}"),
            my("object", "'event', event_name", f"FROM information_schema.events WHERE event_schema = {here}"),
            my("object", "'sequence', table_name",
               f"FROM information_schema.tables WHERE table_schema = {here} AND table_type = 'SEQUENCE'"),
        ]
    )  # fmt: skip
    found = lines_of(servers.mariadb(database, sql).stdout)
    tables = {}
    for name, kind, engine, next_value, comment, options in found["table"]:
        if kind in ("BASE TABLE", "SYSTEM VERSIONED"):
            tables[name] = table(comment, engine=engine, next_value=int(next_value or 0), options=options or "", kind=kind)
    for name, column, kind, full, nullable, default, extra, comment, generated, charset, expression in found["column"]:
        if name in tables:
            tables[name]["columns"][column] = {
                "kind": kind, "full": full, "not_null": nullable == "NO", "default": default, "extra": (extra or "").lower(),
                "comment": comment or "", "generated": generated == "ALWAYS", "expression": expression,
            }  # fmt: skip
    for name, key, non_unique, column, length, order, kind, comment in found["key"]:
        if name in tables:
            made = tables[name]["keys"].setdefault(
                key, {"unique": non_unique == "0", "parts": [], "kind": kind, "comment": comment or ""}
            )
            made["parts"].append((column, int(length) if length else None, order == "D"))
    for name, constraint, clause, level in found["check"]:
        if name in tables:
            tables[name]["checks"].append((constraint, clause, level))
    for name, constraint, other, update, delete in found["foreign"]:
        if name in tables:
            tables[name]["foreign"][constraint] = {"other": other, "update": update, "delete": delete, "columns": []}
    for name, constraint, column, referenced, schema in found["foreign column"]:
        if name in tables and constraint in tables[name]["foreign"]:
            tables[name]["foreign"][constraint]["columns"].append((column, referenced))
            tables[name]["foreign"][constraint]["elsewhere"] = schema != database
    return tables, found["object"]


def of_postgresql(servers, database):
    own = f"JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = '{SCHEMA}'"
    names = (
        "(SELECT json_agg(attname ORDER BY at) FROM unnest(k.{0}) WITH ORDINALITY u (number, at)"
        " JOIN pg_attribute ON attrelid = k.{1} AND attnum = number)"
    )
    sql = "".join(
        [
            "SET search_path = pg_catalog;\n",
            pg("table", "c.relname; c.oid; obj_description(c.oid, 'pg_class')", f"FROM pg_class c {own} WHERE c.relkind IN ('r', 'p')"),
            pg("column", "c.relname; attname; format_type(atttypid, atttypmod); attnotnull; pg_get_expr(adbin, adrelid); "
               "attgenerated; col_description(c.oid, attnum)",
               f"FROM pg_attribute JOIN pg_class c ON c.oid = attrelid AND c.relkind IN ('r', 'p') {own}"
               " LEFT JOIN pg_attrdef d ON adrelid = attrelid AND adnum = attnum"
               " WHERE attnum > 0 AND NOT attisdropped ORDER BY c.relname, attnum"),
            pg("key", "c.relname; x.relname; indisunique; indisprimary; am.amname; obj_description(x.oid, 'pg_class'); "
               "pg_get_expr(indpred, indrelid); (SELECT json_agg(json_build_array(pg_get_indexdef(x.oid, at::int, true), "
               "indoption[at - 1] & 1) ORDER BY at) FROM generate_series(1, indnkeyatts) at)",
               f"FROM pg_index JOIN pg_class x ON x.oid = indexrelid JOIN pg_am am ON am.oid = x.relam"
               f" JOIN pg_class c ON c.oid = indrelid {own}"),
            pg("constraint", f"c.relname; conname; contype; pg_get_constraintdef(k.oid); {names.format('conkey', 'conrelid')}; "
               f"f.relname; {names.format('confkey', 'confrelid')}; confupdtype; confdeltype",
               f"FROM pg_constraint k JOIN pg_class c ON c.oid = conrelid {own} LEFT JOIN pg_class f ON f.oid = confrelid"),
            pg("sequence", "c.relname; t.relname; attname",
               f"FROM pg_class c {own} LEFT JOIN pg_depend ON objid = c.oid AND deptype IN ('a', 'i')"
               " AND classid = 'pg_class'::regclass AND refclassid = 'pg_class'::regclass"
               " LEFT JOIN pg_class t ON t.oid = refobjid"
               " LEFT JOIN pg_attribute ON attrelid = refobjid AND attnum = refobjsubid WHERE c.relkind = 'S'"),
        ]
    )  # fmt: skip
    import json

    done = servers.psql(database, sql)
    if done.stderr:
        raise RuntimeError(f"the catalog of PostgreSQL: {done.stderr.decode()[:500]}")
    found = lines_of(done.stdout)
    tables = {name: table(comment) for name, _, comment in found["table"]}
    for name, column, kind, not_null, default, generated, comment in found["column"]:
        tables[name]["columns"][column] = {
            "kind": kind, "not_null": not_null == "true", "default": default, "generated": bool(generated),
            "comment": comment or "",
        }  # fmt: skip
    for name, key, unique, primary, method, comment, predicate, parts in found["key"]:
        tables[name]["keys"][key] = {
            "unique": unique == "true", "primary": primary == "true", "parts": json.loads(parts), "kind": method,
            "comment": comment or "", "predicate": predicate,
        }  # fmt: skip
    for name, constraint, kind, definition, columns, other, referenced, update, delete in found["constraint"]:
        if kind == "c":
            tables[name]["checks"].append((constraint, definition, json.loads(columns or "[]")))
        if kind == "f":
            pairs = list(zip(json.loads(columns), json.loads(referenced)))
            tables[name]["foreign"][constraint] = {"other": other, "update": update, "delete": delete, "columns": pairs}
    for sequence, name, column in found["sequence"]:
        if name in tables:
            tables[name]["sequences"].append((sequence, column))
    return tables


def table(comment, **more):
    made = {"comment": comment or "", "columns": {}, "keys": {}, "checks": [], "foreign": {}, "sequences": []}
    return {**made, **more}


def quoted_my(name):
    return "`" + name.replace("`", "``") + "`"


def quoted_pg(name):
    return '"' + name.replace('"', '""') + '"'


def rows_of_mariadb(table_name, columns, at):
    """The query of all rows: `columns` are names with their types in both servers."""
    cells = []
    for name, kind, full in columns:
        quoted = quoted_my(name)
        if kind in TEXTS:
            cells.append(f"HEX(CONVERT({quoted} USING utf8mb4))")
        elif kind in BINARIES:
            cells.append(f"HEX({quoted})")
        elif kind == "bit":
            width = int(full[full.index("(") + 1 : full.index(")")])
            cells.append(f"HEX(LPAD(BIN({quoted} + 0), {width}, '0'))")
        else:
            cells.append(f"HEX(CONVERT(CONCAT({quoted}) USING utf8mb4))")
    shown = ", ".join(f"IFNULL({cell}, '~')" for cell in cells)
    return f"SELECT '#{at}';\nSELECT '{at}', {shown} FROM {quoted_my(table_name)};\n"


def rows_of_postgresql(table_name, columns, at):
    cells = []
    for name, kind in columns:
        quoted = quoted_pg(name)
        if kind == "bytea":
            cells.append(f"encode({quoted}, 'hex')")
        else:
            as_text = f"{quoted}::int::text" if kind == "boolean" else f"{quoted}::text"
            cells.append(f"encode(convert_to({as_text}, 'UTF8'), 'hex')")
    shown = ", ".join(f"coalesce({cell}, '~')" for cell in cells)
    return f"SELECT '#{at}';\nSELECT '{at}', {shown} FROM {quoted_pg(SCHEMA)}.{quoted_pg(table_name)};\n"
