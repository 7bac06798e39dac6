"""Two partners that probe each other: real clients and custodians, and a broker's twin that can be told to hide."""

from dataclasses import replace

import httpx

from broker.custodian import reporting
from broker.custodian.errors import RefusedError
from broker.custodian.watched import Watching
from broker.protocol.errors import MalformedError, RequestTokenError
from broker.protocol.problems import problem
from tests.simulators.custodian import CUSTODIANS
from tests.simulators.partner_world import PartnerWorld, problem_response


class ReportingNetwork(httpx.AsyncBaseTransport):
    """The world's network, over which custodians also answer who asks for their reports."""

    def __init__(self, world: PartnerWorld) -> None:
        self._world = world
        self.reports_down = False
        self.watching = True

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Return what the party answers."""
        paths = (reporting.REPORTS, reporting.PROBE_MISSES)
        if request.url.host not in CUSTODIANS or request.url.path not in paths:
            return await self._world.network.handle_async_request(request)
        if self.reports_down:
            raise httpx.ConnectError("refused", request=request)
        body = b"".join([chunk async for chunk in request.stream])  # type: ignore[union-attr]  # a client's stream is asynchronous
        try:
            return httpx.Response(200, content=self._answer(request, body))
        except (RefusedError, RequestTokenError) as error:
            return problem_response(problem(error.code))
        except MalformedError as error:
            return problem_response(problem("malformed-request", field=error.field, rule=error.rule))

    def _answer(self, request: httpx.Request, body: bytes) -> bytes:
        custodian = self._world.network.pair.custodians[CUSTODIANS.index(request.url.host)]
        watching = Watching(since=0, max_blind_s=3600) if self.watching else None
        custodian = replace(custodian, watching=watching)
        header, query = request.headers.get("authorization"), request.url.query.decode()
        if request.url.path == reporting.REPORTS:
            return reporting.ticket_report(custodian, authorization=header, query=query)
        if request.method == "POST":
            return reporting.probe_missed(custodian, authorization=header, body=body)
        return reporting.probe_reports(custodian, authorization=header, query=query)
