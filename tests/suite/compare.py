"""Compares the tables of a MariaDB database with what an import has made of them."""

import collections
import decimal
import ipaddress
import json
import re

import catalogs
from catalogs import cell, quoted_my

# Engines whose rows mariadb-dump leaves out.
WITHOUT_ROWS = {"MRG_MYISAM", "FEDERATED", "BLACKHOLE"}

END = {"smallint": 32767, "integer": 2**31 - 1, "bigint": 2**63 - 1}


class Comparison:
    """Collects what differs: kind, table, item, what, and how many values."""

    def __init__(self, servers, source_database, target_database, dump, report, wanted):
        self.servers = servers
        self.names = (source_database, target_database)
        self.source, self.objects = catalogs.of_mariadb(servers, source_database)
        self.target = catalogs.of_postgresql(servers, target_database)
        self.target_names, self.column_names = {}, collections.defaultdict(dict)
        self.undo_renames(report["notes"])
        # mariadb-dump leaves out what is not valid any more.
        bodies = dict(re.findall(r"^CREATE TABLE (`(?:[^`]|``)+`) \(\n(.*?)^\)", dump, re.S | re.M))
        self.source = {name: table for name, table in self.source.items() if quoted_my(name) in bodies}
        for name, made in self.source.items():
            made["periods"] = re.findall(r"^  PERIOD FOR .*$", bodies[quoted_my(name)], re.M)
        statements = re.findall(r"^/\*!5\d+ .*\b(VIEW|TRIGGER|PROCEDURE|FUNCTION|EVENT)\s+(`(?:[^`]|``)+`|\S+)", dump, re.M)
        statements += re.findall(r"^CREATE .*?\b(PROCEDURE|FUNCTION|SEQUENCE|PACKAGE)\b(?: BODY)? (`(?:[^`]|``)+`|\S+)", dump, re.M)
        defined = {re.split(r"\(", name)[0].strip("`").replace("``", "`") for _, name in statements}
        self.objects = [pair for pair in self.objects if pair[1] in defined]
        # Whether a table or a column was asked for.
        self.wanted = wanted
        self.differences = []
        self.counts = collections.Counter()

    def undo_renames(self, notes):
        """Names that are too long for PostgreSQL are others there; the notes have both."""
        for note in notes:
            was = re.fullmatch(r"the (table|column) was named (.*?)(?:, which is a system column in PostgreSQL)?", note["what"], re.S)
            if was and was[1] == "table":
                self.target_names[was[2]] = note["table"]
            elif was:
                self.column_names[note["table"]][was[2]] = note["item"]
        for old, new in self.target_names.items():
            self.target[old] = self.target.pop(new)
        for has in self.target.values():
            for key in has["foreign"].values():
                key["other"] = next((old for old, new in self.target_names.items() if new == key["other"]), key["other"])
        for table, names in self.column_names.items():
            old_table = next((old for old, new in self.target_names.items() if new == table), table)
            has, back = self.target[old_table], {new: old for old, new in names.items()}
            has["columns"] = {back.get(name, name): column for name, column in has["columns"].items()}
            for new, old in back.items():
                for key in has["keys"].values():
                    key["parts"] = [(part.replace(new, old), order) for part, order in key["parts"]]
            for referring in self.target.values():
                for key in referring["foreign"].values():
                    own = referring is has
                    other = key["other"] == old_table
                    key["columns"] = [
                        (back.get(a, a) if own else a, back.get(b, b) if other else b) for a, b in key["columns"]
                    ]

    def differs(self, kind, table, item, what, count=1):
        table = self.target_names.get(table, table)
        item = self.column_names[table].get(item, item)
        self.differences.append((kind, table, item, what, count))

    def run(self):
        for kind, name in self.objects:
            self.differs(f"{kind} left out", name, None, f"the {kind} {name}")
        both = []
        for name, source in self.source.items():
            if not self.wanted(name, None):
                continue
            target = self.target.get(name)
            if target is None:
                self.differs("table missing", name, None, "not in PostgreSQL")
                continue
            both.append(name)
            self.counts["tables"] += 1
            self.definitions(name, source, target)
        for name in self.target.keys() - self.source.keys():
            self.differs("table too many", name, None, "not in MariaDB")
        self.rows(both)
        return self.differences

    def definitions(self, name, source, target):
        wanted = [column for column in source["columns"] if self.wanted(name, column)]
        for column in wanted:
            if column not in target["columns"]:
                self.differs("column missing", name, column, source["columns"][column]["full"])
        kept = [column for column in wanted if column in target["columns"]]
        if kept != [column for column in target["columns"] if column in kept]:
            self.differs("order of columns", name, None, f"{kept} became {list(target['columns'])}")
        for column in target["columns"].keys() - set(wanted):
            self.differs("column too many", name, column, "not in MariaDB")
        if source["comment"] != target["comment"]:
            self.differs("comment", name, None, f"{source['comment'][:50]!r} became {target['comment'][:50]!r}")
        for column in kept:
            self.column(name, column, source["columns"][column], target["columns"][column])
        if "partitioned" in source["options"]:
            self.differs("partitions left out", name, None, source["options"])
        if source["kind"] == "SYSTEM VERSIONED":
            self.differs("system versioning left out", name, None, "WITH SYSTEM VERSIONING")
        for period in source["periods"]:
            self.differs("period left out", name, None, period.strip())
        self.keys(name, source, target)
        self.checks(name, source, target)
        self.foreign_keys(name, source, target)

    def column(self, name, column, source, target):
        if source["expression"] in ("ROW START", "ROW END"):
            self.differs("system versioning left out", name, column, source["expression"])
            return
        full, kind = source["full"], target["kind"]
        if kind not in expected_types(source):
            self.differs("type", name, column, f"{full} became {kind}")
        if source["not_null"] != target["not_null"]:
            self.differs("NOT NULL", name, column, f"{source['not_null']} became {target['not_null']}")
        if source["comment"] != target["comment"]:
            self.differs("comment", name, column, f"{source['comment'][:50]!r} became {target['comment'][:50]!r}")
        if "on update" in source["extra"]:
            self.differs("ON UPDATE left out", name, column, source["extra"])
        if "invisible" in source["extra"]:
            self.differs("INVISIBLE left out", name, column, source["extra"])
        if source["generated"] != target["generated"]:
            self.differs("generated column", name, column, f"{source['expression']} became {target['default']}")
        if source["generated"] or target["generated"]:
            return
        if "auto_increment" in source["extra"]:
            if not (target["default"] or "").startswith("nextval("):
                self.differs("AUTO_INCREMENT left out", name, column, f"default {target['default']}")
            return
        expected = default_of_mariadb(source)
        found = default_of_postgresql(target)
        if expected is not None and found is not None and expected != "expression" and found != "expression":
            expected, found = canonical(target["kind"], expected), canonical(target["kind"], found)
        if expected != found:
            self.differs("default", name, column, f"{full} {source['default']!r} became {target['default']!r}")

    def keys(self, name, source, target):
        left = dict(target["keys"])
        for key, wanted in source["keys"].items():
            if wanted["kind"] == "SPATIAL" or any(not self.wanted(name, part[0]) for part in wanted["parts"]):
                if wanted["kind"] == "SPATIAL":
                    self.differs("key missing", name, key, "SPATIAL")
                continue
            self.counts["keys"] += 1
            found = [other for other, has in left.items() if same_key(key, wanted, has)]
            if not found and key == "PRIMARY" and any(part[1] for part in wanted["parts"]):
                found = [other for other, has in left.items() if same_key("", wanted, has)]
                if found:
                    self.differs("PRIMARY KEY became a unique index", name, key, str(wanted["parts"]))
            if not found and key == "PRIMARY" and any(part[2] for part in wanted["parts"]):
                ascending = {**wanted, "parts": [(column, length, False) for column, length, _ in wanted["parts"]]}
                found = [other for other, has in left.items() if same_key(key, ascending, has)]
                if found:
                    self.differs("PRIMARY KEY is ascending", name, key, str(wanted["parts"]))
            # The one of the same name, if there are several.
            found.sort(key=lambda other: (other != key, other != f"{name}_{key}", other in source["keys"]))
            if not found:
                shown = {other: has["parts"] for other, has in left.items()}
                self.differs("key missing", name, key, f"{wanted} is none of {str(shown)[:300]}")
                continue
            has = left.pop(found[0])
            if key != "PRIMARY" and found[0] != key:
                self.differs("key renamed", name, key, f"{key} became {found[0]}")
            if wanted["comment"] != has["comment"]:
                self.differs("comment", name, key, f"{wanted['comment'][:50]!r} became {has['comment'][:50]!r}")
        for key, has in left.items():
            self.differs("key too many", name, key, str(has["parts"]))

    def checks(self, name, source, target):
        left = [(constraint, definition) for constraint, definition, _ in target["checks"]]
        for column, has in source["columns"].items():
            if has["kind"] == "enum" and column in target["columns"]:
                made = [one for one in left if enum_check(one[1], column)]
                if made:
                    left.remove(made[0])
                else:
                    self.differs("CHECK of an enum missing", name, column, has["full"])
        plain = []
        for constraint, clause, level in source["checks"]:
            if level == "Table" and any(f" {quoted_my(constraint)} " in period for period in source["periods"]):
                continue
            if level == "Column" and constraint in source["columns"] and constraint not in target["columns"]:
                continue
            self.counts["checks"] += 1
            of_json = re.fullmatch(r"\s*json_valid\(`((?:[^`]|``)*)`\)\s*", clause or "", re.I)
            if of_json and target["columns"].get(of_json[1].replace("``", "`"), {}).get("kind") in ("json", "jsonb"):
                continue
            same = [one for one in left if one[0] == constraint]
            if same and level == "Table":
                left.remove(same[0])
            else:
                plain.append((constraint, clause))
        for constraint, clause in plain[len(left) :] if len(plain) > len(left) else []:
            listed = ", ".join(f"{constraint}: {clause}" for constraint, clause in plain)
            self.differs("CHECK missing", name, constraint, f"one of {listed[:300]}, and left are {left}")
        for constraint, definition in left[len(plain) :]:
            self.differs("CHECK too many", name, constraint, definition)

    def foreign_keys(self, name, source, target):
        left = dict(target["foreign"])
        rules = {"a": "NO ACTION", "r": "RESTRICT", "c": "CASCADE", "n": "SET NULL", "d": "SET DEFAULT"}
        for key, wanted in source["foreign"].items():
            self.counts["foreign keys"] += 1
            for other, has in left.items():
                same_rules = all(
                    wanted[rule].replace("RESTRICT", "NO ACTION") == rules[has[rule]].replace("RESTRICT", "NO ACTION")
                    for rule in ("update", "delete")
                )
                if wanted["other"] == has["other"] and sorted(wanted["columns"]) == sorted(has["columns"]) and same_rules:
                    left.pop(other)
                    break
            else:
                self.differs("foreign key missing", name, key, f"{wanted} is none of {str(left)[:200]}")
        for key, has in left.items():
            self.differs("foreign key too many", name, key, str(has))

    def rows(self, names):
        """All values of all tables, and the next values of AUTO_INCREMENT."""
        source_sql, target_sql, kept = ["SET time_zone = '+00:00', sql_mode = '';\n"], [], []
        target_sql.append(f"SET search_path = {catalogs.SCHEMA};\n")
        for at, name in enumerate(names):
            source, target = self.source[name]["columns"], self.target[name]["columns"]
            columns = [column for column in source if column in target]
            kept.append(columns)
            if columns and self.source[name]["engine"] not in WITHOUT_ROWS:
                of_source = [(column, source[column]["kind"], source[column]["full"]) for column in columns]
                of_target = [(column, target[column]["kind"]) for column in columns]
                source_sql.append(catalogs.rows_of_mariadb(name, of_source, at))
                there = self.target_names.get(name, name)
                of_target = [(self.column_names[there].get(column, column), kind) for column, kind in of_target]
                target_sql.append(catalogs.rows_of_postgresql(there, of_target, at))
            for sequence, _ in self.target[name]["sequences"]:
                target_sql.append(
                    f"SELECT '={at}', CASE WHEN is_called THEN last_value + 1 ELSE last_value END"
                    f" FROM {catalogs.quoted_pg(sequence)};\n"
                )
        found, _ = collected(self.servers.mariadb(self.names[0], "".join(source_sql)))
        got, sequences = collected(self.servers.psql(self.names[1], "".join(target_sql)))
        for at, name in enumerate(names):
            if at in found:
                kinds = [self.target[name]["columns"][column]["kind"] for column in kept[at]]
                self.table_rows(name, kept[at], kinds, found[at], got.get(at, []))
            source = self.source[name]
            counted = [column for column, has in source["columns"].items() if "auto_increment" in has["extra"]]
            if counted and all(key["parts"][0][0] != counted[0] for key in source["keys"].values()):
                self.differs("AUTO_INCREMENT of each group became one sequence", name, counted[0], source["engine"])
                continue
            wanted = source["next_value"]
            # One that is past the end of its type is past the end there, too.
            ends = [END[column["kind"]] + 1 for column in self.target[name]["columns"].values()
                    if (column["default"] or "").startswith("nextval(") and column["kind"] in END]  # fmt: skip
            wanted = min([wanted, *ends])
            if wanted and sequences.get(at, wanted) != wanted:
                self.differs("next value", name, None, f"AUTO_INCREMENT {wanted} became {sequences[at]}")

    def table_rows(self, name, columns, kinds, source, target):
        source = sorted([canonical(kind, value) for kind, value in zip(kinds, row)] for row in source)
        target = sorted([canonical(kind, value) for kind, value in zip(kinds, row)] for row in target)
        self.counts["rows"] += len(source)
        self.counts["values"] += len(source) * len(columns)
        if len(source) != len(target):
            self.differs("rows", name, None, f"{len(source)} became {len(target)}", abs(len(source) - len(target)))
            return
        if source == target:
            return
        same = []
        for at, column in enumerate(columns):
            wanted = collections.Counter(row[at] for row in source)
            has = collections.Counter(row[at] for row in target)
            lost, new = wanted - has, has - wanted
            if not lost:
                same.append(at)
                continue
            first = [str(next(iter(side)))[:70] for side in (lost, new)]
            what = f"{self.source[name]['columns'][column]['full']}: {first[0]} became {first[1]} ({kinds[at]})"
            self.differs("value", name, column, what, sum(lost.values()))
        for side in (source, target):
            side[:] = sorted([row[at] for at in same] for row in side)
        if source != target:
            self.differs("values of other rows", name, None, "the columns have their values, but together with others")


def collected(done):
    """Rows by table, and the next values of sequences by table."""
    rows, sequences = collections.defaultdict(list), {}
    for line in done.stdout.split(b"\n"):
        tag, *cells = line.decode().split("\t")
        if tag.startswith("#"):
            rows[int(tag[1:])] = []
        elif tag.startswith("="):
            sequences[int(tag[1:])] = int(cells[0])
        elif tag:
            rows[int(tag)].append([cell(text) for text in cells])
    return rows, sequences


def expected_types(source):
    """The types of PostgreSQL that the book gives a type of MariaDB."""
    kind, full = source["kind"], source["full"].lower()
    inside = full[full.index("(") : full.index(")") + 1] if "(" in full else ""
    unsigned = "unsigned" in full
    if kind == "tinyint":
        return {"smallint", "boolean"} if full.startswith("tinyint(1)") else {"smallint"}
    if kind in ("smallint", "mediumint"):
        return {"integer"} if unsigned or kind == "mediumint" else {"smallint"}
    if kind == "int":
        return {"bigint"} if unsigned else {"integer"}
    simple = {
        "year": "smallint", "float": "double precision", "double": "double precision", "date": "date",
        "uuid": "uuid", "inet4": "inet", "inet6": "inet",
    }  # fmt: skip
    if kind in ("set", "enum"):
        return {"text", "bytea"}
    if kind in simple:
        return {simple[kind]}
    if kind == "bigint":
        return {"numeric(20,0)", "bigint"} if unsigned else {"bigint"}
    if kind == "decimal":
        return {"numeric" + inside}
    if kind in ("char", "varchar"):
        # PostgreSQL has none of no length.
        return {"text" if inside == "(0)" else "character" + (" varying" if kind == "varchar" else "") + inside}
    if kind == "bit":
        return {"bit" + inside, "boolean"} if inside == "(1)" else {"bit" + inside}
    if kind in ("datetime", "timestamp", "time"):
        base = "time" if kind == "time" else "timestamp"
        return {f"{base}{inside or '(0)'} without time zone", f"{base} without time zone", "interval", f"interval{inside}"}
    if kind.endswith("text"):
        return {"text", "json", "jsonb"}
    return {"bytea"}


def same_key(name, wanted, has):
    if (name == "PRIMARY") != has["primary"] or wanted["unique"] != has["unique"] or has["predicate"]:
        return False
    if wanted["kind"] == "FULLTEXT":
        return has["kind"] == "gin"
    if len(wanted["parts"]) != len(has["parts"]):
        return False
    for (column, length, descending), (expression, is_descending) in zip(wanted["parts"], has["parts"]):
        plain = expression[1:-1].replace('""', '"') if expression.startswith('"') else expression
        if bool(is_descending) != descending:
            return False
        if length is None and plain != column:
            return False
        if length is not None and plain != column and (column not in expression or str(length) not in expression):
            return False
    return True


def enum_check(definition, column):
    plain = re.sub(r"\s+", " ", definition)
    return catalogs.quoted_pg(column) in plain or re.search(rf"(?<![\w\"']){re.escape(column)}(?![\w\"'])", plain)


def default_of_mariadb(source):
    """The value as bytes, None, or that it is an expression."""
    text = source["default"]
    if text is None or text == "NULL":
        return None
    if text.startswith("'") and text.endswith("'"):
        # information_schema has backslashes escaped there, too.
        inner = text[1:-1].replace("''", "'")
        inner = re.sub(r"\\(.)", lambda found: {"0": "\0", "n": "\n", "r": "\r", "t": "\t", "Z": "\x1a"}.get(found[1], found[1]), inner, flags=re.S)
        return inner.encode()
    if re.fullmatch(r"[-+]?[\d.]+(e[-+]?\d+)?", text, re.I):
        return text.encode()
    bits = re.fullmatch(r"b'([01]*)'", text)
    if bits and source["kind"] == "bit":
        width = int(re.search(r"\d+", source["full"])[0])
        return bits[1].rjust(width, "0").encode()
    return "expression"


def default_of_postgresql(target):
    text = target["default"]
    if text is None:
        return None
    if text in ("true", "false"):
        return b"1" if text == "true" else b"0"
    literal = re.fullmatch(r"\(?(?:B|E)?'((?:[^']|'')*)'(?:::[\w \".\[\](),]+)?\)?(?:::[\w ]+)?", text, re.S)
    if literal:
        inner = literal[1].replace("''", "'")
        if text.startswith("E"):
            inner = inner.replace("\\\\", "\\")
        if target["kind"] == "bytea" and inner.startswith("\\x"):
            return bytes.fromhex(inner[2:])
        return inner.encode()
    number = re.fullmatch(r"\(?([-+]?[\d.]+(?:e[-+]?\d+)?)\)?(?:::[\w ]+)?", text, re.I)
    return number[1].encode() if number else "expression"


def canonical(kind, value):
    """One notation for a value in both servers, made for a type of PostgreSQL: tuples that can be sorted."""
    if value is None:
        return (0, b"")
    try:
        return (1, canonical_bytes(kind, value))
    except (ValueError, ArithmeticError, RecursionError):
        return (1, value)


def canonical_bytes(kind, value):
    base = re.split(r"[( ]", kind)[0]
    if base in ("smallint", "integer", "bigint"):
        return str(int(value)).encode()
    if base == "boolean":
        return str(int(value)).encode()
    if base == "double":
        return repr(float(value) + 0.0).encode()
    if base == "numeric":
        number = decimal.Decimal(value.decode())
        return format(number if number else abs(number), "f").encode()
    if base in ("date", "timestamp", "time", "interval"):
        return value.rstrip(b"0").rstrip(b".") if b"." in value else value
    if base == "inet":
        address = ipaddress.ip_address(re.sub(r"/(32|128)$", "", value.decode()))
        return str(address).encode()
    if base == "uuid":
        return value.lower()
    if base == "jsonb":
        return json.dumps(plain(json.loads(value, parse_float=decimal.Decimal, parse_int=decimal.Decimal)), sort_keys=True).encode()
    if base == "character" and not kind.startswith("character varying"):
        return value.rstrip(b" ")
    return value


def plain(value):
    if isinstance(value, decimal.Decimal):
        return f"number {value.normalize() if value else 0:f}"
    if isinstance(value, list):
        return [plain(one) for one in value]
    return {name: plain(one) for name, one in value.items()} if isinstance(value, dict) else value
