"""`sluis-custodian monitor`: set up whose log is followed, show what was seen, and clear an alarm."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from broker.custodian import findings, folder, followed
from broker.custodian.clock import SystemClock, unix_seconds
from broker.custodian.followed import FOLLOWED_AT, WITNESSED_AT, FollowedTree
from broker.custodian.refusals import DOES_NOT_HOLD
from broker.custodian.refusals import refusals as _refusals
from broker.custodian.store import Store
from broker.custodian.watch_settings import WatchSettings
from broker.protocol import strict_json
from broker.protocol.errors import MalformedError

monitor_app = typer.Typer(no_args_is_help=True, help="Follow the broker's log, and see what becomes of the tickets.")
Dir = Annotated[Path, typer.Argument(metavar="DIR", help="The custodian's folder.")]


@monitor_app.command()
def configure(
    directory: Dir,
    *,
    broker_url: Annotated[str, typer.Option("--broker-url", help="Where the broker answers.")],
    log_policy: Annotated[Path, typer.Option("--log-policy", help="The broker's log and its witnesses.")],
    peer: Annotated[list[str] | None, typer.Option("--peer", help="ID=URL of another custodian.")] = None,
    peer_key: Annotated[list[str] | None, typer.Option("--peer-key", help="ID=FILE with its public JWK.")] = None,
    poll_s: Annotated[int, typer.Option("--poll-s", help="Seconds between two looks.")] = 20,
    max_blind_s: Annotated[int, typer.Option("--max-blind-s", help="Seconds without a look before it stops.")] = 3600,
) -> None:
    """Follow this log from the next start on; the own log is witnessed by the same witnesses."""
    # The network library behind it takes a moment to load, and no other command of an operator needs it.
    from broker.custodian.monitor_folder import configure_monitor  # noqa: PLC0415 - the reason stands above

    with _refusals():
        urls, keys = _named(peer, "peer"), _named(peer_key, "peer-key")
        if set(urls) != set(keys):
            raise MalformedError("peer-key", "must be given once for each --peer")
        peers = [
            {"id": name, "url": url, **strict_json.load_object(Path(keys[name]).read_bytes(), field="peer-key")}
            for name, url in urls.items()
        ]
        members: dict[str, Any] = {
            "broker_url": broker_url.rstrip("/"), "peers": peers, "poll_s": poll_s, "max_blind_s": max_blind_s
        }  # fmt: skip
        configure_monitor(directory, WatchSettings.checked(members), log_policy.read_text(encoding="utf-8"))
    typer.echo("configured; it counts from the next start on")


@monitor_app.command()
def show(directory: Dir, *, as_json: Annotated[bool, typer.Option("--json")] = False) -> None:
    """Print how far the log was followed, what was found and which alarms stand; exit 1 while one stands."""
    with _refusals(), folder.open_trust(directory) as (store, _):
        told = _told(store)
    if as_json:
        typer.echo(json.dumps(told))
    else:
        typer.echo(f"followed {told['size']} entries; last seen whole at {told['seenAt'] or 'never'} (unix seconds)")
        typer.echo(f"enough witnesses last agreed at {told['witnessedAt'] or 'never'}")
        for kind, count in told["findings"].items():
            typer.echo(f"{kind}: {count}")
        for alarm in told["alarms"]:
            typer.echo(f"ALARM {alarm['kind']} since {alarm['raisedAt']}: no tickets but urgent ones are handed out")
    if told["alarms"]:
        raise typer.Exit(DOES_NOT_HOLD)


def _told(store: Store) -> dict[str, Any]:
    ((from_peers,),) = store.rows("SELECT count(*) FROM peer_finding")
    ((own_size,),) = store.rows("SELECT coalesce(max(size), 0) FROM log_checkpoints")
    return {
        "size": FollowedTree(store).size(),
        "seenAt": store.number(FOLLOWED_AT),
        "witnessedAt": store.number(WITNESSED_AT),
        "findings": findings.counts_by_kind(store),
        "fromPeers": from_peers,
        "ownLogSize": own_size,
        "alarms": [
            {"number": alarm.number, "kind": alarm.kind, "raisedAt": alarm.raised_at, "evidence": alarm.evidence}
            for alarm in followed.standing_alarms(store)
        ],
    }


@monitor_app.command()
def clear(
    directory: Dir,
    *,
    because: Annotated[str, typer.Option("--because", help="What was found out, and by whom; it is kept.")],
) -> None:
    """Clear every alarm, after a person found out what happened; the log is followed anew from its first entry."""
    with _refusals(), folder.open_trust(directory) as (store, _):
        if not because.strip():
            raise MalformedError("because", "must say what was found out")
        cleared = followed.clear_alarms(store, because=because, now=unix_seconds(SystemClock()))
    typer.echo(f"cleared {cleared}")


def _named(options: list[str] | None, field: str) -> dict[str, str]:
    pairs = [option.partition("=") for option in options or []]
    if any(not name or not value for name, _, value in pairs):
        raise MalformedError(field, "must be ID=VALUE")
    return {name: value for name, _, value in pairs}
