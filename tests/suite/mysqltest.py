"""Reads the files of MariaDB's test suite, and makes SQL of them that leaves its tables behind.

A file is a program of mysqltest. Of that language as much is followed as costs little: the delimiter, the files
that a file sources, and variables that are set to a constant. The bodies of loops and conditions run once.
Everything is bytes read as latin1, so that nothing depends on the character set of a file.
"""

import itertools
import os
import re

# Commands of mysqltest. What stands after the first group is SQL.
WITH_SQL = ("eval", "query", "query_vertical", "query_horizontal", "send", "send_eval", "evalp")
COMMANDS = set(
    """append_file cat_file change_user character_set chmod connect connection copy_file copy_files_wildcard dec die
    diff_files dirty_close disable_abort_on_error disable_async_client disable_column_names disable_connect_log
    disable_cursor_protocol disable_info disable_metadata disable_non_blocking_api disable_parsing
    disable_prepare_warnings disable_ps2_protocol disable_ps_protocol disable_query_log disable_reconnect
    disable_result_log disable_rpl_parse disable_service_connection disable_session_track_info disable_view_protocol
    disable_warnings disconnect echo enable_abort_on_error enable_async_client enable_column_names enable_connect_log
    enable_cursor_protocol enable_info enable_metadata enable_non_blocking_api enable_parsing enable_prepare_warnings
    enable_ps2_protocol enable_ps_protocol enable_query_log enable_reconnect enable_result_log enable_rpl_parse
    enable_service_connection enable_session_track_info enable_view_protocol enable_warnings end_timer error
    evalp_error exec execw exit file_exists horizontal_results inc lowercase_result list_files
    list_files_append_file list_files_write_file mkdir move_file optimizer_trace output perl ping query_get_value
    real_sleep reap remove_file remove_files_wildcard replace_column replace_numeric_round replace_regex
    replace_result require reset_connection result_format rmdir save_master_pos send_quit shutdown_server skip sleep
    sorted_result start_timer sync_slave_with_master sync_with_master system vertical_results wait_for_slave_to_stop
    write_file write_line""".split()
)
# Commands whose text goes on to a line of its own.
HERE = ("perl", "write_file", "append_file")
# Files whose statements are about the server, not about tables.
NOT_SOURCED = re.compile(
    r"(^|/)(have_|not_|big_|wait_|count_sess|restart|start_|stop_|kill|shutdown|master-|rpl|sync|force_|expect|assert"
    r"|show_|explain|analyze|windows|linux|is_|no_|only_|default_|search_|galera|galera_|ctype_utf8mb4|column_names)"
    r"|check_|mysqladmin|upgrade|debug|maybe_|diff_|ps_conv"
)

# Statements that change the server, wait, or leave the database of the file.
HARMFUL = re.compile(
    r"""^(shutdown|install|uninstall|kill|lock\s+tables?|unlock|flush|xa\b|grant|revoke|reset|purge|backup|change
    |start\s+(slave|all|replica)|stop\s|use\b|(create|drop|alter)\s+(or\s+replace\s+)?(database|schema|user|role|server
    |tablespace|logfile)|drop\b(?!\s+(temporary\s+)?tables?\b)|rename\s+user|load\b|truncate|cache\s+index|set\s+(password|role)
    |handler|do\s+sleep|create\s+(or\s+replace\s+)?(aggregate\s+)?function\s+[^(]*soname|signal|binlog|clone|import
    |\(*\s*(select|with)\b(?!.*(\binto\b|:=|nextval|setval))|check\b|repair|optimize|analyze|show|explain|describe|desc\b|help|create\s+.*event.*every)"""
    r"""|\bset\b.*\b(global|persist)\b|@@global\.|\bsleep\s*\(|benchmark\s*\(|get_lock\s*\(|into\s+(outfile|dumpfile)
    |load_file|max_statement_time|(data|index)\s+directory|\bmysql\s*\.|performance_schema|wsrep|\bsys\s*\.
    |max_session_mem|debug|lock_wait_timeout|tmp_table_size|slow_query|sql_log_bin|pseudo_|collation_connection\s*=.*ucs2
    |character_set_client\s*=\s*(ucs2|utf16|utf32)|set\s+(names|character\s+set)\s+'?(ucs2|utf16|utf32)""".replace("\n", ""),
    re.I | re.S,
)
# The delimiter of what is made here.
END = "$$end$$"

NAME = r"(?:`(?:[^`]|``)+`|[\w$\x80-\xff]+)"
TABLE = re.compile(rf"\s*(?:{NAME}\s*\.\s*)?({NAME})\s*")
DROP = re.compile(r"drop\s+(?:temporary\s+)?tables?\s+(?:if\s+exists\s+)?(.*?)(?:\s+(?:restrict|cascade))?\s*$", re.I | re.S)
CREATE = re.compile(
    rf"(create\s+)(or\s+replace\s+)?(temporary\s+)?(table\s+)(if\s+not\s+exists\s+)?((?:{NAME}\s*\.\s*)?{NAME})(.*)$", re.I | re.S
)
COMMENT = re.compile(r"/\*(?![!M]).*?\*/|(?:^|(?<=\s))(?:--\s|#)[^\n]*", re.S)


class Reader:
    """Takes a file apart into SQL statements."""

    def __init__(self, root):
        self.root = root
        self.variables = {}
        self.sourced = 0

    def statements(self, path, depth=0):
        with open(path, "rb") as file:
            text = file.read().decode("latin1").replace("\r\n", "\n")
        delimiter, at = ";", 0
        while at < len(text):
            at = skip_blank(text, at)
            if at >= len(text):
                return
            if text[at] in "{}":
                at += 1
                continue
            condition = re.compile(r"(--\s*)?(if|while)\s*\(", re.I).match(text, at)
            if condition:
                at = closing(text, condition.end())
                continue
            is_line = text.startswith("--", at)
            if is_line:
                end = text.find("\n", at)
                end = len(text) if end < 0 else end
                command = text[at + 2 : end].strip()
                at = end
            else:
                end = statement_end(text, at, delimiter)
                command = text[at:end].strip()
                at = end + len(delimiter)
            word = re.match(r"\w*", command)[0].lower()
            rest = command[len(word) :].strip()
            if word == "delimiter":
                delimiter = rest.split()[0] if rest.split() else ";"
            elif word == "let":
                self.let(rest)
            elif word == "source":
                yield from self.source(path, rest, depth)
            elif word in HERE:
                at = after_here(text, at, rest)
            elif word == "disable_parsing":
                found = re.compile(r"^(--\s*)?enable_parsing.*$", re.M | re.I).search(text, at)
                at = found.end() if found else len(text)
            elif word in WITH_SQL:
                yield self.substituted(rest)
            elif word in COMMANDS or (is_line and not word):
                continue
            elif not is_line:
                yield self.substituted(command) if command.startswith("$") else command

    def let(self, text):
        found = re.match(r"\$?(\w+)\s*=\s*(.*)$", text, re.S)
        if found and not found[2].startswith("`") and "query_get_value" not in found[2]:
            value = self.substituted(found[2].strip())
            if len(value) < 100_000:
                self.variables[found[1]] = value

    def source(self, path, name, depth):
        name = self.substituted(name).strip().rstrip(";").strip().strip("'\"")
        if depth > 4 or self.sourced > 200 or "$" in name or NOT_SOURCED.search(name.replace("include/", "")):
            return
        for folder in (os.path.dirname(path), self.root, os.path.join(self.root, "suite")):
            candidate = os.path.join(folder, name)
            if os.path.isfile(candidate):
                self.sourced += 1
                yield from self.statements(candidate, depth + 1)
                return

    def substituted(self, text):
        def value(found):
            return self.variables.get(found[1] or found[2], found[0])

        return re.sub(r"\$(?:\{(\w+)\}|(\w+))", value, text)


def skip_blank(text, at):
    blank = re.compile(r"\s+|#[^\n]*|--\s*#[^\n]*|--\s*\n")
    while True:
        found = blank.match(text, at)
        if not found:
            return at
        at = found.end()


def closing(text, at):
    depth = 1
    for at in range(at, len(text)):
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        if depth == 0:
            return at + 1
    return len(text)


def statement_end(text, at, delimiter):
    """Where the delimiter is that ends the statement; mysqltest knows quotes, but no comments within lines."""
    token = re.compile(r"'(?:[^'\\]|\\.|'')*'|\"(?:[^\"\\]|\\.|\"\")*\"|`[^`]*`|^[ \t]*(?:#|-- )[^\n]*|" + re.escape(delimiter), re.S | re.M)
    while True:
        found = token.search(text, at)
        if not found:
            return len(text)
        if found[0] == delimiter:
            return found.start()
        at = found.end()


def after_here(text, at, rest):
    words = rest.rstrip(";").split()
    end = words[-1] if words and re.fullmatch(r"[A-Z_]+", words[-1]) else "EOF"
    found = re.compile(rf"^{re.escape(end)}\s*;?$", re.M).search(text, at)
    return found.end() if found else at


def script(root, path):
    """The statements of a file, as input of the client program: DROP TABLE becomes a renaming."""
    numbers = itertools.count(1)
    lines = []

    def keep(name):
        plain = name.strip("`")
        if len(plain) > 55:
            plain = plain[:55]
        lines.append(f"RENAME TABLE {name} TO `{plain}_{next(numbers)}`")

    for statement in Reader(root).statements(path):
        bare = COMMENT.sub(" ", statement).strip()
        bare = re.sub(r"\btest\s*\.\s*|`test`\s*\.\s*", "", bare)
        if not bare or HARMFUL.search(bare):
            continue
        dropped = DROP.match(bare)
        if dropped:
            for name in dropped[1].split(","):
                found = TABLE.fullmatch(name)
                if found:
                    keep(found[1])
            continue
        created = CREATE.match(bare)
        if created:
            if created[2]:
                keep(created[6])
            bare = created[1] + created[4] + (created[5] or "") + created[6] + created[7]
        lines.append(bare)
    lines.append("COMMIT")
    return f"delimiter {END}\n" + "".join(f"{line}\n{END}\n" for line in lines)
