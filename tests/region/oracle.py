"""The plaintext count of a GBA-V file: who would match whom, by the definitions of `docs/matching.md`.

    python tests/region/oracle.py FILE [--limit N] (--holders FILE | --split ORG ... | --region ORG ...)
                                       [--date YYYY-MM-DD] [--mute N] [--exclude POSTCODE/NUMBER[/LETTER...] ...]
                                       [--purpose verwijsindex --assessments FILE] [--teams FILE]

It reads with the csv module and shares no line with Sluis. It prints JSON: `holders` {label: [org]}, `expected` (every
match as {checker, checker_row, kind, holder, holder_row}), `shown` (what an asker is told: the strongest kind per
checked row, holder and team), `rejected` rows with holder and reason, `doubled` (labels that share a number),
`addresses` (by how many signals stand there) and counts. Rows are named by label, never by number.
"""

import argparse
import csv
import datetime
import hashlib
import json
import re
import sys
from collections import Counter, defaultdict

KINDS = ("person", "member", "family", "address")  # strongest first
KINDS_OF = {"proefregio": KINDS, "verwijsindex": ("person", "family")}
AGE_LIMIT = 23
REASONS = ("danger_to_child", "danger_to_other", "not_reachable", "investigation")
WEIGHTS = (9, 8, 7, 6, 5, 4, 3, 2, -1)
ADDRESS_RULES = ("[1-9][0-9]{3}[a-z]{2}", "[1-9][0-9]{0,4}", "[a-z]?", ".{0,16}", "(to|by)?")
ADDRESS = ("08.11.60", "08.11.20", "08.11.30", "08.11.40", "08.11.50")

Row = list[tuple[str, str]]
Match = dict[str, str]


class Person:
    """What counts of one person; `reason` says why he does not count at all."""

    def __init__(self, rows: list[Row], today: str) -> None:
        """Read the current occurrences of the categories that matter."""
        first = rows[0]
        self.subject = bsn(cell(first, "01.01.20"))
        self.birth = cell(first, "01.03.10")
        self.parents = {bsn(cell(row, f"{c}.01.20")) for c in ("02", "03") for row in current(rows, c)[:1]}
        self.members = set(self.parents)
        self.members |= {bsn(cell(row, "05.01.20")) for row in current(rows, "05") if not cell(row, "05.07.10")}
        self.members |= {bsn(cell(row, "09.01.20")) for row in current(rows, "09")}
        self.parents -= {"", self.subject}
        self.members -= {"", self.subject}
        homes = current(rows, "08")[:1]
        self.address = one_spelling([cell(homes[0], name) for name in ADDRESS]) if homes else None
        self.reason = ""
        if any(cell(row, "06.08.10") for row in current(rows, "06")[:1]):
            self.reason = "deceased"
        elif not self.subject:
            self.reason = "no number, or none that passes the elfproef"
        elif not plausible_birth(self.birth, today):
            self.reason = "birth date"

    def too_old(self, today: str) -> str:
        """Return why the age keeps this person out of the verwijsindex: the quarter of the 23rd birthday has begun."""
        if int(self.birth[:4] or 0) == 0:
            return "age unknown"
        first_month = ((int(self.birth[4:6]) or 1) - 1) // 3 * 3 + 1
        quarter = datetime.date(int(self.birth[:4]) + AGE_LIMIT, first_month, 1)
        return "age" if quarter.isoformat() < today else ""


def unassessed(line: dict[str, str], today: str) -> str:
    """Return why this line of the side file is no registration: not assessed, or the family neither told nor why."""
    if not (line.get("assessed_on", "").strip() and line.get("assessed_by", "").strip()):
        return "assessment"
    if line["assessed_on"].strip() > today:
        return "assessment"
    return "" if line["informed"].strip() in ("yes", *REASONS) else "informing"


def bsn(text: str) -> str:
    """Return a BSN cell with nine digits, or nothing where it holds none."""
    number = text.zfill(9) if len(text) in (8, 9) else ""
    good = number.isdecimal() and number != "000000000"
    return number if good and sum(int(d) * w for d, w in zip(number, WEIGHTS, strict=True)) % 11 == 0 else ""


def plausible_birth(text: str, today: str) -> bool:
    """Return whether this is a date, unknown parts 00, that is not in the future."""
    if not text:
        return True
    if len(text) != 8 or not text.isdecimal():
        return False
    year, month, day = int(text[:4]), int(text[4:6]) or 1, int(text[6:]) or 1
    try:
        earliest = datetime.date(year or 4, month, day)
    except ValueError:
        return False
    return year == 0 or earliest.isoformat() <= today


def read_people(path: str) -> dict[str, list[Row]]:
    """Return the rows of every label, each row as pairs of column name and cell."""
    with open(path, encoding="utf-8-sig", newline="") as file:  # noqa: PTH123 - the oracle keeps to the oldest means
        table = csv.reader(file, delimiter=";")
        header = next(table)
        people: dict[str, list[Row]] = {}
        label = ""
        for line in table:
            label = line[0] or label
            people.setdefault(label, []).append(list(zip(header, line, strict=True)))
    return people


def cell(row: Row, name: str) -> str:
    """Return the first cell of this name, without blanks around it."""
    return next(value.strip() for column, value in row if column == name)


def current(rows: list[Row], category: str) -> list[Row]:
    """Return the rows that hold a current occurrence of a category, as the chain of its H cells says."""
    former = str(int(category) + 50)
    found = []
    meaning = category
    for row in rows:
        if meaning not in (category, former):
            break
        filled = any(value for name, value in row if name.startswith(category + ".") and name != category + ".H")
        if meaning == category and filled:
            found.append(row)
        meaning = cell(row, category + ".H")
    return found


def one_spelling(parts: list[str]) -> tuple[str, ...] | None:
    """Return postcode, number, letter, addition and designation in one spelling; nothing where they are no address."""
    plain = ["".join(part.split()).lower() for part in parts] + [""] * (len(ADDRESS) - len(parts))
    good = all(re.fullmatch(rule, part) for rule, part in zip(ADDRESS_RULES, plain, strict=True))
    return tuple(plain) if good else None


def split_holders(labels: list[str], organisations: list[str]) -> dict[str, list[str]]:
    """Return who holds whom by SHA-256 of the label: one organisation each, for a quarter the next one too."""
    holders = {}
    for label in labels:
        digest = hashlib.sha256(label.encode()).digest()
        first = digest[0] % len(organisations)
        second = [organisations[(first + 1) % len(organisations)]] if digest[1] % 4 == 0 else []
        holders[label] = sorted({organisations[first], *second})
    return holders


def split_region(labels: list[str], organisations: list[str]) -> dict[str, list[str]]:
    """Return who holds whom by SHA-256 of the label: 40 % by one, 40 % by two and 20 % by three that follow on."""
    holders = {}
    for label in labels:
        digest = hashlib.sha256(label.encode()).digest()
        first, share = digest[0] % len(organisations), int.from_bytes(digest[1:5], "big") % 10
        count = 1 if share < 4 else 2 if share < 8 else 3
        holders[label] = sorted({organisations[(first + step) % len(organisations)] for step in range(count)})
    return holders


class Region:
    """Every signal of every holder, and what each check of them finds."""

    def __init__(
        self,
        people: dict[str, Person],
        holders: dict[str, list[str]],
        *,
        purpose: str = "proefregio",
        today: str = "",
        assessments: dict[str, dict[str, str]] | None = None,
    ) -> None:
        """Register each person at his holders; a holder registers one number once."""
        self.people = people
        self.kinds_used = KINDS_OF[purpose]
        self.rejected: list[Match] = []
        self.signals: list[tuple[str, str]] = []
        known: set[tuple[str, str]] = set()
        for label, person in people.items():
            rule = ""
            if not person.reason and purpose == "verwijsindex":
                rule = person.too_old(today) or unassessed((assessments or {}).get(label, {}), today)
            for holder in holders.get(label, []):
                again = "number on another row" if (holder, person.subject) in known else ""
                why = person.reason or again or rule
                if why:
                    self.rejected.append({"row": label, "holder": holder, "reason": why})
                else:
                    known.add((holder, person.subject))
                    self.signals.append((holder, label))
        self.at: dict[tuple[str, ...] | None, list[tuple[str, str]]] = defaultdict(list)
        for holder, label in self.signals:
            self.at[people[label].address].append((holder, label))

    def crowd(self, checker: str, mine: Person) -> int:
        """Return how many signals of others, on other persons, stand at the address of a check."""
        return sum(
            holder != checker and self.people[label].subject != mine.subject for holder, label in self.at[mine.address]
        )

    def kinds(self, mine: Person, theirs: Person, *, silent: set[tuple[str, ...] | None]) -> list[str]:
        """Return the kinds by which a check of one person finds a signal about another, each by itself."""
        other = mine.subject != theirs.subject
        here = mine.address is not None and mine.address == theirs.address and mine.address not in silent
        holds = {
            "person": not other,
            "member": other and theirs.subject in mine.members,
            "family": other and bool(mine.parents & theirs.parents),
            "address": other and here,
        }
        return [kind for kind in self.kinds_used if holds[kind]]

    def matches(self, *, mute: int, excluded: set[tuple[str, ...] | None]) -> tuple[list[Match], int]:
        """Return every match, and how many checked pairs do not match."""
        found: list[Match] = []
        unmatched = 0
        for checker, checker_row in self.signals:
            mine = self.people[checker_row]
            silent = excluded | ({mine.address} if self.crowd(checker, mine) > mute else set())
            for holder, holder_row in self.signals:
                if holder == checker:
                    continue
                kinds = self.kinds(mine, self.people[holder_row], silent=silent)
                unmatched += not kinds
                pair = {"checker": checker, "checker_row": checker_row, "holder": holder, "holder_row": holder_row}
                found += [{**pair, "kind": kind} for kind in kinds]
        return found, unmatched


def strongest(expected: list[Match], teams: dict[str, str]) -> list[Match]:
    """Return what an asker is told: one line per checked row, holder and team, with the strongest kind."""
    kinds = defaultdict(list)
    for match in expected:
        team = teams.get(match["holder_row"], "")
        kinds[match["checker"], match["checker_row"], match["holder"], team].append(match["kind"])
    return [
        {"checker": checker, "checker_row": row, "holder": holder, "kind": min(found, key=KINDS.index)}
        | ({"team": team} if team else {})
        for (checker, row, holder, team), found in sorted(kinds.items())
    ]


def doubled(people: dict[str, Person]) -> list[list[str]]:
    """Return the labels that share one number: one subject, on two rows."""
    by_number = defaultdict(list)
    for label, person in people.items():
        by_number[person.subject].append(label)
    return [labels for number, labels in by_number.items() if number and len(labels) > 1]


def crowded(region: Region, expected: list[Match]) -> list[dict[str, object]]:
    """Return the addresses where signals stand, the most first, and how many matches by the address each gives."""
    matches = Counter(region.people[m["checker_row"]].address for m in expected if m["kind"] == "address")
    rows = [
        {
            "address": "/".join(address).rstrip("/"),
            "signals": len(there),
            "matches": matches[address],
            "crowd": max(region.crowd(holder, region.people[label]) for holder, label in there),
            "rows": sorted({label for _, label in there}),
        }
        for address, there in region.at.items()
        if address
    ]
    return sorted(rows, key=lambda row: (-int(str(row["signals"])), str(row["address"])))


def options() -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file")
    parser.add_argument("--limit", type=int)
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--holders")
    which.add_argument("--split", nargs="+")
    which.add_argument("--region", nargs="+")
    parser.add_argument("--purpose", choices=KINDS_OF, default="proefregio")
    parser.add_argument("--assessments")
    parser.add_argument("--teams")
    parser.add_argument("--date", default=datetime.datetime.now(datetime.UTC).date().isoformat())
    parser.add_argument("--mute", type=int, default=12)
    parser.add_argument("--exclude", nargs="*", default=[])
    return parser.parse_args()


def read_json(path: str | None) -> dict[str, list[str]]:
    """Return what a JSON file holds, nothing where there is none."""
    if path is None:
        return {}
    with open(path, encoding="utf-8") as file:  # noqa: PTH123 - the oracle keeps to the oldest means
        return dict(json.load(file))


def read_assessments(path: str | None) -> dict[str, dict[str, str]]:
    """Return the lines of the side file by label."""
    if path is None:
        return {}
    with open(path, encoding="utf-8-sig", newline="") as file:  # noqa: PTH123 - the oracle keeps to the oldest means
        return {line["label"]: line for line in csv.DictReader(file)}


def main() -> None:
    """Print the count of a file as JSON."""
    asked = options()
    rows = dict(list(read_people(asked.file).items())[: asked.limit])
    people = {label: Person(lines, asked.date) for label, lines in rows.items()}
    if asked.holders:
        holders = read_json(asked.holders)
    elif asked.region:
        holders = split_region(list(people), asked.region)
    else:
        holders = split_holders(list(people), asked.split)
    region = Region(
        people, holders, purpose=asked.purpose, today=asked.date, assessments=read_assessments(asked.assessments)
    )
    expected, unmatched = region.matches(mute=asked.mute, excluded={one_spelling(t.split("/")) for t in asked.exclude})
    shown = strongest(expected, {row: str(team) for row, team in read_json(asked.teams).items()})
    report = {
        "holders": holders,
        "expected": expected,
        "shown": shown,
        "rejected": region.rejected,
        "doubled": doubled(people),
        "addresses": crowded(region, expected),
        "counts": {
            "persons": len(people),
            "signals": len(region.signals),
            "expected": Counter(match["kind"] for match in expected),
            "shown": Counter(match["kind"] for match in shown),
            "pairs_without_match": unmatched,
        },
    }
    json.dump(report, sys.stdout, indent=1)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
