"""What else than a `result/v1` the broker answers with: the message of each schema, with an outcome and a text.

Who is involved is told in a `result/v1` alone: there the receipt is compared with every row that is shown.
"""

from collections.abc import Mapping

from broker.protocol.call_messages import SCHEMA_CALLS, SCHEMA_RINGS, CallsResult, RingsResult
from broker.protocol.consent_messages import ConsentResult
from broker.protocol.exception_messages import ExceptionResult
from broker.protocol.inbox_messages import InboxResult
from broker.protocol.match_messages import CoordinatedResult, MatchChanged, MatchesResult
from broker.protocol.messages import Telling
from broker.protocol.owed_messages import SCHEMA_OWED, OwedResult
from broker.protocol.owner_messages import OwnersResult
from broker.protocol.phone_messages import SCHEMA_PHONE, PhoneCallsResult
from broker.protocol.request_messages import RequestResult
from broker.protocol.review_messages import ReviewResult
from broker.protocol.task_messages import TasksResult
from broker.protocol.webhook_messages import SCHEMA_WEBHOOK, WebhookResult

RESULT = "result/v1"
RESULT_SCHEMAS: Mapping[str, type[Telling]] = {
    "consent/v1": ConsentResult,
    "exception/v1": ExceptionResult,
    "inbox/v1": InboxResult,
    "matches/v1": MatchesResult,
    "match-changed/v1": MatchChanged,
    "requests/v1": RequestResult,
    SCHEMA_CALLS: CallsResult,
    SCHEMA_RINGS: RingsResult,
    SCHEMA_PHONE: PhoneCallsResult,
    SCHEMA_WEBHOOK: WebhookResult,
    "review/v1": ReviewResult,
    "tasks/v1": TasksResult,
    "coordinated/v1": CoordinatedResult,
    "owners/v1": OwnersResult,
    SCHEMA_OWED: OwedResult,
}
