"""Exports of the log with their proofs: made from opened entries, and checked offline by whoever gets one.

    opened entries ──► records ──► csv | json-ldv | json-adl | fhir | pdf
          └──────────► entries/, proofs/, policy ──► manifest

An export is a pure function of the entries, the openings its reader may have and what its maker states. So it is
checked by making it again from its own entries, under the checker's policy, and comparing every byte.
`docs/audit-format.md` section 9 has the format, `docs/audit-mapping.md` the fields.
"""
