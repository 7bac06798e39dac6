"""The plaintext count of a GBA-V file: who would match whom, by the definitions of `docs/matching.md`.

    python tests/region/oracle.py FILE [--limit N] [--holders FILE | --split ORG ORG [ORG ...]]
                                       [--mute N] [--exclude POSTCODE/NUMBER[/LETTER[/ADDITION[/DESIGNATION]]] ...]

It reads with the csv module, shares no line with Sluis, and prints JSON: `holders` {label: [org]}, `expected` (every match as
{checker, checker_row, kind, holder, holder_row}), `shown` (what an asker is told: the strongest kind per checked row and
holder), `rejected` labels, and counts. Rows are named by label, never by number.
"""

import argparse
import csv
import hashlib
import json
import sys
from collections import Counter, defaultdict

KINDS = ("person", "member", "family", "address")  # strongest first
WEIGHTS = (9, 8, 7, 6, 5, 4, 3, 2, -1)


def passes_elfproef(number):
    """Return whether these nine digits can be a BSN."""
    return (
        len(number) == 9
        and number.isdecimal()
        and number != "000000000"
        and sum(int(digit) * weight for digit, weight in zip(number, WEIGHTS, strict=True)) % 11 == 0
    )


def padded(text):
    """Return a BSN cell with nine digits, or nothing for a cell that holds none."""
    number = text.strip().zfill(9) if text.strip() else ""
    return number if passes_elfproef(number) else ""


def read_people(path):
    """Return {label: rows}, each row a list of (column, cell) pairs by column name."""
    with open(path, encoding="utf-8-sig", newline="") as file:
        table = csv.reader(file, delimiter=";")
        header = next(table)
        people = {}
        rows = None
        for line in table:
            if line[0] != "":
                rows = people[line[0]] = []
            rows.append(list(zip(header, line, strict=True)))
    return people


def cell(row, name):
    """Return the first cell of this name, without blanks around it."""
    for column, value in row:
        if column == name:
            return value.strip()
    raise SystemExit(f"the file has no column {name}")


def current(rows, category):
    """Return the rows that hold a current occurrence of a category, as the chain of its H cells says."""
    former = str(int(category) + 50)
    holds = []
    position, meaning = 0, category
    while position < len(rows) and meaning in (category, former):
        row = rows[position]
        has_content = any(value for column, value in row if column[:3] == category + "." and column != category + ".H")
        if meaning == category and has_content:
            holds.append(row)
        meaning = cell(row, category + ".H")
        position += 1
    return holds


def describe(rows):
    """Return what counts of one person, or the reason that he does not."""
    first = rows[0]
    death = current(rows, "06")[:1]
    if death and cell(death[0], "06.08.10"):
        return "deceased"
    own = cell(first, "01.01.20")
    if not own:
        return "no number"
    subject = padded(own)
    if not subject:
        return "bad number"
    parents = set()
    for category in ("02", "03"):
        for row in current(rows, category)[:1]:
            parents.add(padded(cell(row, category + ".01.20")))
    members = set(parents)
    for row in current(rows, "05"):
        if not cell(row, "05.07.10"):
            members.add(padded(cell(row, "05.01.20")))
    for row in current(rows, "09"):
        members.add(padded(cell(row, "09.01.20")))
    address = None
    for row in current(rows, "08")[:1]:
        parts = [cell(row, "08.11." + element) for element in ("60", "20", "30", "40", "50")]
        address = address_of(parts)
    return {
        "subject": subject,
        "parents": parents - {"", subject},
        "members": members - {"", subject},
        "address": address,
    }


def address_of(parts):
    """Return one spelling of postcode, number, letter, addition and designation; nothing without a postcode."""
    plain = ["".join(part.split()).lower() for part in parts] + [""] * (5 - len(parts))
    return tuple(plain) if plain[0] else None


def split_holders(labels, organisations):
    """Return {label: [org]}: by SHA-256 of the label one organisation each, and in a quarter of the cases the next one too."""
    holders = {}
    for label in labels:
        digest = hashlib.sha256(label.encode()).digest()
        first = digest[0] % len(organisations)
        chosen = [organisations[first]]
        if digest[1] % 4 == 0:
            chosen.append(organisations[(first + 1) % len(organisations)])
        holders[label] = sorted(chosen)
    return holders


def count(people, holders, mute, excluded):
    """Return (expected matches, rejected labels with reasons, checked pairs that do not match)."""
    described = {label: describe(rows) for label, rows in people.items()}
    rejected = {label: reason for label, reason in described.items() if isinstance(reason, str)}
    signals = []
    registered = set()
    for label in people:
        if label in rejected:
            continue
        for holder in holders.get(label, []):
            if (holder, described[label]["subject"]) in registered:
                rejected[label] = "number on another row"
                continue
            registered.add((holder, described[label]["subject"]))
            signals.append((holder, label))
    at_address = Counter(described[label]["address"] for _, label in signals)
    expected, unmatched = [], 0
    for checker, checker_row in signals:
        mine = described[checker_row]
        for holder, holder_row in signals:
            if holder == checker:
                continue
            theirs = described[holder_row]
            other = theirs["subject"] != mine["subject"]
            address = mine["address"]
            usable = address is not None and address not in excluded and at_address[address] <= mute
            found = {
                "person": not other,
                "member": other and theirs["subject"] in mine["members"],
                "family": other and bool(mine["parents"] & theirs["parents"]),
                "address": other and usable and address == theirs["address"],
            }
            unmatched += not any(found.values())
            for kind in KINDS:
                if found[kind]:
                    expected.append(
                        {
                            "checker": checker,
                            "checker_row": checker_row,
                            "kind": kind,
                            "holder": holder,
                            "holder_row": holder_row,
                        }
                    )
    return expected, rejected, unmatched


def strongest(expected):
    """Return what an asker is told: one line per checked row and holder, with the strongest kind."""
    kinds = defaultdict(list)
    for match in expected:
        kinds[match["checker"], match["checker_row"], match["holder"]].append(match["kind"])
    return [
        {"checker": checker, "checker_row": row, "kind": min(found, key=KINDS.index), "holder": holder}
        for (checker, row, holder), found in sorted(kinds.items())
    ]


def main():
    """Print the count of a file as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file")
    parser.add_argument("--limit", type=int)
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--holders")
    which.add_argument("--split", nargs="+")
    parser.add_argument("--mute", type=int, default=12)
    parser.add_argument("--exclude", nargs="*", default=[])
    options = parser.parse_args()
    people = read_people(options.file)
    people = dict(list(people.items())[: options.limit])
    if options.holders:
        with open(options.holders, encoding="utf-8") as file:
            holders = json.load(file)
    else:
        holders = split_holders(people, options.split)
    excluded = {address_of(text.split("/")) for text in options.exclude}
    expected, rejected, unmatched = count(people, holders, options.mute, excluded)
    shown = strongest(expected)
    report = {
        "holders": holders,
        "expected": expected,
        "shown": shown,
        "rejected": [{"row": row, "reason": reason} for row, reason in rejected.items()],
        "counts": {
            "persons": len(people),
            "expected": dict(Counter(match["kind"] for match in expected)),
            "shown": dict(Counter(match["kind"] for match in shown)),
            "pairs_without_match": unmatched,
        },
    }
    json.dump(report, sys.stdout, indent=1)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
