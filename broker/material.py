"""What stands in the broker's files, each checked before anything starts on it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from audit.key_ring import KeyRing
from audit.policy_file import Policy, parse_policy
from broker.keys import BrokerTokenIndexer
from broker.protocol.signing_keys import SigningKey, VerifyKey
from broker.rules import Rules, read_rules
from broker.settings import INDEX_KEY, OFFLINE_PRIVATE_KEY, OFFLINE_PUBLIC_KEY, Settings, SettingsError
from broker.starting import read_payload_keys, read_pins, told, with_addresses

_OTHERS = 0o077
WEBHOOK_KEY = "webhook.jwk"


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What stands in the broker's files, each checked: whom it trusts, by which rules and with which keys it works."""

    registrars: Mapping[str, VerifyKey]
    custodians: Mapping[str, VerifyKey]
    rules: Rules
    log_policy: Policy
    tokens: BrokerTokenIndexer
    payload_keys: KeyRing


def read_webhook_key(keys: Path) -> SigningKey:
    """Return the key that events are signed with, made where there is none. Raises MalformedError, OSError."""
    path = keys / WEBHOOK_KEY
    if not path.exists():
        SigningKey.generate().write(path)
    return SigningKey.read(path)


def read_material(settings: Settings, *, today: date) -> Material:
    """Return everything the files hold. Raises SettingsError: something is missing, weak, malformed or expired."""
    registrars, custodians = read_pins(settings)
    keys = settings.path(settings.keys)
    # With it beside the database, one stolen folder holds every token.
    if any((folder / OFFLINE_PRIVATE_KEY).exists() for folder in (settings.path(Path()), keys)):
        raise SettingsError(OFFLINE_PRIVATE_KEY, "is still in the broker's folder", "take it offline, then start again")
    with told("keys", "run `sluis-broker init`, or restore the files with mode 0600"):
        if keys.stat().st_mode & _OTHERS:
            raise SettingsError("keys", "can be entered by others", "make the folder mode 0700")
        tokens = BrokerTokenIndexer.load(index_key=keys / INDEX_KEY, offline_public_key=keys / OFFLINE_PUBLIC_KEY)
    payload_keys = read_payload_keys(settings)
    with told("log_policy", "place the policy file that names this log and its witnesses"):
        policy = parse_policy(settings.path(settings.log_policy).read_text(encoding="utf-8"))
    return Material(
        registrars=registrars,
        custodians=custodians,
        rules=read_rules(settings, today=today),
        log_policy=with_addresses(policy, settings.witness_url),
        tokens=tokens,
        payload_keys=payload_keys,
    )
