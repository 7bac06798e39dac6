"""A custodian: evaluates blinded points with its own key share, for organisations it enrolled itself, within budgets.

Another legal entity runs it, in a folder of its own: configuration, key shares, register, rosters, budgets, spent ids.
It sees uniformly random points and never an identifier, a token or an answer of the broker.

    service, cli ──► evaluation ──► trust, replays, batches, budgets, keyring ──► store, buckets, clock
"""
