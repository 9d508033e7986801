#!/usr/bin/env python3
"""Imports dumps of the databases that MariaDB's test suite makes, and compares; scripts/suite is the way to call it.

    run.py PROGRAM ROOT RESULTS [PATTERN]
"""

import collections
import json
import multiprocessing
import os
import re
import signal
import subprocess
import sys
import time

import mysqltest
from catalogs import SCHEMA
from compare import Comparison
from servers import Servers, clean_environment
from told import Told

# What is left of the files of the suite once replication, clusters, and engines of others are taken away.
SUITES = """main gcol vcol versioning period json type_uuid type_inet funcs_1 compat innodb innodb_fts innodb_gis parts heap
    maria csv archive engines jp innodb_zip sql_sequence sql_discovery storage_engine unit
    plugins optimizer_unfixed_bugs sys_vars""".split()
EXCLUDED = re.compile(
    r"(^|[/_])(rpl|repl|galera|wsrep|mysqlbinlog|binlog|windows|win|ssl|openssl|crash|recovery|restart|debug|bench|grant"
    r"|kill|shutdown|mysqld--help|upgrade|bootstrap|plugin_load|named_pipe|log_tables|xa|mysqladmin|mariadb-import)([_./-]|\d)"
)
SECONDS_OF_FILE = 10
LARGEST_DUMP = 24 << 20
ROUNDS = 25


def main():
    program, root, results = sys.argv[1:4]
    pattern = sys.argv[4] if len(sys.argv) > 4 else ""
    files = test_files(root, pattern)
    if not files:
        raise SystemExit(f"no test file matches {pattern}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(130))
    servers = Servers()
    summary = Summary(results)
    try:
        servers.start()
        jobs = [(servers, program, root, results, number, path) for number, path in enumerate(files)]
        with multiprocessing.Pool(int(os.environ.get("SUITE_JOBS", "2")), ignore_signals) as pool:
            for found in pool.imap_unordered(guarded, jobs):
                summary.add(found)
            pool.close()
            pool.join()
    finally:
        servers.stop()
    sys.exit(summary.end())


def ignore_signals():
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def test_files(root, pattern):
    found = []
    for folder, _, names in os.walk(root):
        for name in names:
            path = os.path.relpath(os.path.join(folder, name), root)
            parts = re.sub(r"^(suite|plugin)/", "", path).split("/")
            if name.endswith(".test") and parts[0] in SUITES and not EXCLUDED.search(path):
                found.append((SUITES.index(parts[0]), path))
    return [path for _, path in sorted(found) if re.search(pattern, path)]


def guarded(job):
    _, _, _, _, _, path = job
    try:
        return File(*job).run()
    except Exception as error:  # One file must not end the others.
        import traceback

        return {"file": path, "failed": f"{type(error).__name__}: {error}", "trace": traceback.format_exc()}


class File:
    def __init__(self, servers, program, root, results, number, path):
        self.servers, self.program, self.root, self.path = servers, program, root, path
        self.database = f"suite_{number}"
        self.results = results
        self.dump = os.path.join(results, "dumps", re.sub(r"[^\w.-]", "_", path)[: -len(".test")] + ".sql")
        self.options = []
        self.found = {"file": path, "refusals": [], "tables": 0}

    def run(self):
        self.servers.revive_mariadb()
        self.servers.mariadb("", f"CREATE DATABASE `{self.database}` CHARACTER SET latin1")
        try:
            self.fill()
            if self.make_dump():
                self.import_and_compare()
        finally:
            self.servers.mariadb("", f"DROP DATABASE IF EXISTS `{self.database}`")
            self.servers.psql("postgres", f"DROP DATABASE IF EXISTS {self.database} WITH (FORCE)")
        return self.found

    def fill(self):
        settings = "SET max_statement_time = 2, lock_wait_timeout = 2, innodb_lock_wait_timeout = 1;\n"
        sql = settings + mysqltest.script(self.root, os.path.join(self.root, self.path))
        client = [*self.servers.client("mariadb"), "--force", "--binary-mode", "--default-character-set=latin1"]
        try:
            subprocess.run(
                [*client, self.database], input=sql.encode("latin1", errors="replace"), stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL, timeout=SECONDS_OF_FILE,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            self.found["cut"] = True
        if self.servers.revive_mariadb():
            self.found["crashed"] = True
        kills = self.servers.mariadb(
            "", f"SELECT CONCAT('KILL ', id, ';') FROM information_schema.processlist WHERE db = '{self.database}'"
        )
        if kills.stdout:
            self.servers.mariadb("", kills.stdout.decode())
            time.sleep(0.3)

    def make_dump(self):
        os.makedirs(os.path.dirname(self.dump), exist_ok=True)
        command = [*self.servers.client("mariadb-dump"), "--force", "--routines", "--events"]
        command += ["--max-allowed-packet=1G", *os.environ.get("SUITE_DUMP_OPTIONS", "").split(), self.database]
        with open(self.dump, "wb") as file:
            try:
                subprocess.run(command, stdout=file, stderr=subprocess.DEVNULL, timeout=60)
            except subprocess.TimeoutExpired:
                self.found["skipped"] = "mariadb-dump does not end"
                return False
        if os.path.getsize(self.dump) > LARGEST_DUMP:
            self.found["skipped"] = "large"
            return False
        with open(self.dump, "rb") as file:
            self.found["tables"] = sum(line.startswith((b"CREATE TABLE `", b"CREATE TABLE IF")) for line in file)
        if not self.found["tables"]:
            self.found["skipped"] = "no tables"
            return False
        return True

    def dump_text(self):
        with open(self.dump, encoding="utf-8", errors="replace") as file:
            return file.read()

    def call(self, *arguments):
        command = [self.program, *arguments, "--schema", SCHEMA, "--database-url", self.servers.url(self.database)]
        command += [word for option in self.options for word in option if word]
        done = subprocess.run(
            command, capture_output=True, timeout=120, env=dict(clean_environment(), RUST_BACKTRACE="0"), stdin=subprocess.DEVNULL
        )
        return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")

    def import_and_compare(self):
        self.servers.psql("postgres", f"CREATE DATABASE {self.database}")
        dropped = set()
        for _ in range(ROUNDS):
            code, stdout, stderr = self.call(self.dump, "--json", "--yes", "--verify", "full")
            if code == 0:
                break
            message = re.sub(r"^.*?ci-import: error: ", "", stderr.split("\nhint:")[0].strip(), flags=re.S)
            more, how = more_options(stderr)
            more = [option for option in more if option not in self.options]
            if code not in (1, 3, 4) or "panicked" in stderr or "ci-import: error: " not in stderr:
                how = f"crash, exit code {code}"
                message = stderr[:600]
            table = re.search(r"\b(?:table|column|to|the dump:) ([\w$]+)", message.partition(": ")[2] or message)
            if not more and code in (1, 3, 4) and table and table[1] not in dropped and f"CREATE TABLE `{table[1]}`" in self.dump_text():
                # Not even without the table: the others should not be lost with it.
                dropped.add(table[1])
                self.servers.mariadb(self.database, f"SET foreign_key_checks = 0; DROP TABLE `{table[1]}`")
                self.found["refusals"].append(("no way out but another dump", message[:700], []))
                if self.make_dump():
                    continue
                return
            self.found["refusals"].append((how if more else "no way out", message[:700], [" ".join(one).strip() for one in more]))
            if not more:
                self.found["refused"] = True
                return
            self.options += more
        else:
            self.found["refused"] = True
            return
        skipped_tables = {value for option, value in self.options if option == "--skip-table"}
        skipped_columns = {value for option, value in self.options if option == "--skip-column"}

        def wanted(table, column):
            return table not in skipped_tables and (column is None or f"{table}.{column}" not in skipped_columns)

        report = json.loads(stdout)
        comparison = Comparison(self.servers, self.database, self.database, self.dump_text(), report, wanted)
        told = Told(report)
        self.found["differences"] = [(*difference, told.how(*difference)) for difference in comparison.run()]
        self.found["counts"] = dict(comparison.counts)
        self.found["notes"] = len(report["notes"])
        code, stdout, stderr = self.call("verify", self.dump)
        if code != 0:
            self.found["verify"] = f"exit code {code}: {(stdout + stderr)[:800]}"


def more_options(stderr):
    """What the hint names; without a hint, the table or the column that the message names is left out."""
    hint = " ".join(re.findall(r"^hint: (.*)$", stderr, re.M))
    message = stderr.split("\nhint:")[0].rpartition("ci-import: error: ")[2]
    named = (r"\btable (\S+?)(?=[:,\s]|$)", r"^the dump: (\S+) row \d", r"\bcolumn (\S+?)\.\S+", r" (?:to|of|on) (\S+?): ")
    table = next(filter(None, (re.search(expression, message) for expression in named)), None)
    options = []
    for option, value in re.findall(r"(--[a-z0-9-]+)((?: (?!--|leaves|takes|makes|or\b)[^\s,]+)?)", hint):
        if option in ("--skip-table", "--skip-column") and value.strip() in ("", "leaves", "takes"):
            value = table[1] if table and option == "--skip-table" else ""
        if option in ("--skip-table", "--skip-column", "--time", "--zero-dates", "--invalid-dates", "--invalid-utf8", "--generated",
                      "--tinyint1", "--nul", "--timestamps") and value.strip():  # fmt: skip
            options.append((option, value.strip()))
    if options:
        return options, "hint"
    column = re.search(r"\bcolumn (\S+?\.\S+?)(?=[:,\s]|$)", message)
    if column:
        return [("--skip-column", column[1])], "without a hint"
    if table:
        return [("--skip-table", table[1])], "without a hint"
    return [], ""


class Summary:
    def __init__(self, results):
        os.makedirs(results, exist_ok=True)
        self.log = open(os.path.join(results, "files.jsonl"), "w")
        self.counts = collections.Counter()
        self.compared = collections.Counter()
        self.refusals = collections.Counter()
        self.told = collections.Counter()
        self.untold = collections.defaultdict(list)
        self.known = known()

    def add(self, found):
        print(json.dumps(found), file=self.log, flush=True)
        file = found["file"]
        self.counts["files"] += 1
        for name in ("crashed", "cut"):
            self.counts[f"files that {name}"] += name in found
        if "failed" in found:
            self.problem(file, "the comparison failed", found["failed"], None, found["trace"][-600:])
            return
        if "skipped" in found:
            self.counts[f"files skipped: {found['skipped']}"] += 1
            return
        self.counts["tables of the dumps"] += found["tables"]
        for how, message, _ in found["refusals"]:
            kind = re.sub(r"\d+", "N", re.sub(r"\"[^\"]*\"|'[^']*'|\S*\.\S+|(?<=table )\S+|(?<=column )\S+", "…", message))[:110]
            self.refusals[f"{how}: {kind}"] += 1
            if how.startswith(("crash", "no way", "without")):
                self.problem(file, how, kind, None, message)
        if found.get("refused"):
            self.counts["files refused"] += 1
            return
        self.counts["files imported " + ("after options" if found["refusals"] else "at the first try")] += 1
        self.compared.update(found["counts"])
        unequal = set()
        for kind, table, item, what, count, how in found["differences"]:
            if kind in ("type", "value", "rows", "table missing", "column missing"):
                unequal.add(table)
            if how:
                self.told[f"{kind}: {how}"] += 1
            else:
                self.problem(file, kind, table, item, f"{what} ({count})")
        self.compared["tables with equal columns and values"] += found["counts"].get("tables", 0) - len(unequal)
        if "verify" in found:
            self.problem(file, "verify", "", None, found["verify"])

    def problem(self, file, kind, table, item, what):
        place = f"{file} {kind} {table}" + (f".{item}" if item else "")
        reason = next((reason for expression, reason in self.known if expression.search(f"{place}: {what}")), None)
        if reason:
            self.told[f"known: {reason}"] += 1
            return
        self.untold[kind].append(f"{place}: {what}")
        print(f"untold: {place}: {what[:300]}", flush=True)

    def end(self):
        for heading, counter in (
            ("files", self.counts), ("compared", self.compared), ("refusals", self.refusals), ("told differences", self.told),
        ):  # fmt: skip
            print(f"\n{heading}")
            for name, count in sorted(counter.items(), key=lambda pair: -pair[1]):
                print(f"{count:10,}  {name}")
        print("\nuntold differences")
        for kind, places in sorted(self.untold.items(), key=lambda pair: -len(pair[1])):
            print(f"{len(places):10,}  {kind}")
        if not self.untold:
            print("      none")
        return 1 if self.untold else 0


def known():
    """Differences that are known: a regular expression, two spaces or more, and the reason."""
    found = []
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "known")) as file:
        for line in file:
            if line.strip() and not line.startswith("#"):
                expression, reason = re.split(r"\s{2,}", line.strip(), maxsplit=1)
                found.append((re.compile(expression), reason))
    return found


if __name__ == "__main__":
    main()
