"""Whether the report of an import mentions a difference."""

import collections
import re

# What a note must say to tell of a difference of a kind; any of these.
WORDS = {
    "NOT NULL": ("NOT NULL",),
    "ON UPDATE left out": ("ON UPDATE",),
    "INVISIBLE left out": ("nvisible", "INVISIBLE"),
    "generated column": ("generated", "computed", "expression", "values", "virtual"),
    "AUTO_INCREMENT left out": ("AUTO_INCREMENT", "default"),
    "default": ("default",),
    "key renamed": ("is named",),
    "column missing": ("left out",),
    "key missing": ("left out", "skipped", "index", "is named"),
    "comment": ("comment",),
    "AUTO_INCREMENT of each group became one sequence": ("group", "AUTO_INCREMENT", "counted for"),
    "partitions left out": ("artition", "PARTITION"),
    "period left out": ("period", "PERIOD", "version"),
    "CHECK too many": ("PERIOD FOR",),
    "system versioning left out": ("version", "VERSION"),
    "CHECK missing": ("CHECK",),
    "CHECK of an enum missing": ("CHECK",),
    "next value": ("sequence", "next", "AUTO_INCREMENT"),
}


class Told:
    def __init__(self, report):
        self.notes = collections.defaultdict(list)
        for note in report["notes"]:
            self.notes[note["table"]].append((note["item"], note["what"]))
        self.changes = collections.Counter()
        for table in report["tables"]:
            for change in table["changes"]:
                self.changes[table["name"], change["column"]] += change["count"]
        self.left_out = [(entry["kind"], entry["name"]) for entry in report["left_out"]]

    def how(self, kind, table, item, what, count):
        """What the report says of this difference, shortened; None if nothing."""
        if item == "PRIMARY":
            item = f"{table}_pkey"
            of_key = [note for of, note in self.notes[table] if of == "PRIMARY" or of is None and "primary key" in note]
            self.notes[table] += [(item, note) for note in of_key]
        # The note is about the period or the table.
        if kind in ("CHECK too many", "system versioning left out", "period left out"):
            item = None
        if kind == "table missing" and any(name == table for _, name in self.left_out):
            return "left out"
        if kind.endswith(" left out") and item is None and self.is_left_out(kind.split()[0], table):
            return "left out"
        if self.changes[table, item] >= count and kind in ("value",):
            return "changed values"
        if kind == "NOT NULL" and self.changes[table, item]:
            return "changed values"
        if kind == "CHECK of an enum missing":
            item = f"{table}_{item}_check"
        words = WORDS.get(kind, ("",))
        for of, note in self.notes[table]:
            if item is not None and of != item and not (of is None and re.search(rf"(?<!\w){re.escape(item)}(?!\w)", note)):
                # A CHECK has another name in the report, and a note of a key may be one of the column.
                if not (kind in ("CHECK missing",) and "CHECK" in note):
                    continue
            if any(word in note for word in words):
                return re.sub(r"(?<=is named ).*|(?<=default ).*(?= left out)|(?<=generated as ).*(?=, was)|\(.*\)|`.*`", "…", note)[:90]
        return None

    def is_left_out(self, kind, name):
        kinds = {"routine": ("function", "procedure", "routine", "package")}.get(kind, (kind,))
        return any(of.lower().startswith(kinds) and name in other for of, other in self.left_out)
