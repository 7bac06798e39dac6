"""`sluis-connect webhook`: where the own organisation hears that it is time to fetch its inbox."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from broker.protocol.problems import render
from broker.protocol.webhook_messages import SetWebhook, WebhookResult
from connectors.answers import Outcome
from connectors.client import SluisClient
from connectors.command_line import (
    ApproverId,
    AsJson,
    OrgFolder,
    WorkerId,
    console,
    errors_end_the_command,
    print_json,
    receipt_line,
)
from connectors.dates import moment_nl
from connectors.errors import ReceiptError

webhook = typer.Typer(no_args_is_help=True, help="Where the own organisation hears that it can fetch its inbox.")
_PATH = "/v1/webhook"


def add_to(app: typer.Typer) -> None:
    """These commands stand in this command line."""
    app.add_typer(webhook, name="webhook")


@webhook.command("set")
def set_address(
    url: Annotated[str, typer.Argument(metavar="URL", help="An https address of a public name.")],
    *,
    org: OrgFolder,
    worker: WorkerId,
    approver: ApproverId = None,
    as_json: AsJson = False,
) -> None:
    """Have an event sent to this address every quarter of an hour, whatever waits; a colleague approves it."""
    _stated(org, worker, url, approver=approver, as_json=as_json)


@webhook.command("off")
def off(*, org: OrgFolder, worker: WorkerId, approver: ApproverId = None, as_json: AsJson = False) -> None:
    """Have no events sent any more; a colleague approves it."""
    _stated(org, worker, None, approver=approver, as_json=as_json)


@webhook.command("show")
def show(*, org: OrgFolder, worker: WorkerId, as_json: AsJson = False) -> None:
    """Print where events go."""
    own = _read(org, worker)
    if as_json:
        print_json({"url": own.url, "text_nl": render(own.text.id, {})})
        return
    console.print(render(own.text.id, {}) + ("" if own.url is None else f" {own.url}"), markup=False)


@webhook.command("dead-letters")
def dead_letters(*, org: OrgFolder, worker: WorkerId, as_json: AsJson = False) -> None:
    """List the newest events that the own address did not take; nothing is lost by that, for the inbox waits."""
    own = _read(org, worker)
    if as_json:
        print_json({"dead": [one.model_dump(mode="json", by_alias=True) for one in own.dead]})
        return
    console.print(render("webhook.dead" if own.dead else "webhook.none_dead", {}), markup=False)
    for one in own.dead:
        console.print(f"{one.event_id}  {moment_nl(one.made_at)}  {one.tries} keer geprobeerd", markup=False)


def _stated(org: Path, worker: str, url: str | None, *, approver: str | None, as_json: bool) -> None:
    async def run() -> Outcome:
        async with SluisClient(org, worker=worker, approver=approver) as client:
            desk = client.desk
            return await desk.delivery.send(
                desk.composer.statement(SetWebhook, {"url": url}, kind="admin", path=_PATH, local={})
            )

    with errors_end_the_command():
        outcome = asyncio.run(run())
    if as_json:
        print_json({"text_nl": outcome.text_nl})
        return
    console.print(outcome.text_nl, markup=False)
    for receipt in outcome.receipts:
        console.print(receipt_line(receipt), markup=False)


def _read(org: Path, worker: str) -> WebhookResult:
    async def run() -> WebhookResult:
        async with SluisClient(org, worker=worker) as client:
            told = (await client.desk.delivery.read(_PATH, worker=worker)).details
            if not isinstance(told, WebhookResult):
                raise ReceiptError("a webhook")
            return told

    with errors_end_the_command():
        return asyncio.run(run())
