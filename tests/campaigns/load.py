"""Work that goes on in a region while things break: workers of several organisations, each one thing at a time."""

import random
import threading
import time
from dataclasses import dataclass, field

import httpx

from tests.campaigns.acknowledged import Acknowledged, Signal
from tests.campaigns.crowd import HOLDERS, ORGANISATIONS, WORKERS, workers
from tests.campaigns.partner import Partner
from tests.simulators.region import Region

REGISTERING, WITHDRAWING, RENEWING = 0.45, 0.15, 0.10
"""How much of the work each is; the rest is checking."""
REGISTERING_LATER = 0.05
"""The same of registering, once there are enough signals: each is looked for several times at the end."""
PROGRESS_S = 120.0


@dataclass(slots=True, kw_only=True)
class Load:
    """The threads that work, until they are told to stop and know what became of everything they asked."""

    partners: list[Partner]
    books: Acknowledged
    pause_s: float
    client: httpx.Client
    enough: int
    _stopping: threading.Event
    _threads: list[threading.Thread] = field(default_factory=list)

    @classmethod
    def of(
        cls, region: Region, books: Acknowledged, *, seed: int, pause_s: float, each: int = WORKERS, enough: int = 600
    ) -> "Load":  # fmt: skip
        """Return the load of a region; it does not run yet.

        Args:
            region: already serving.
            books: where everything that is told is kept.
            seed: of everybody's choices.
            pause_s: of each worker between two things he does.
            each: how many workers of each organisation.
            enough: how many signals to make as fast as may be; after that few are added.

        """
        stopping = threading.Event()
        client = httpx.Client(trust_env=False, limits=httpx.Limits(max_connections=64))
        partners = [
            Partner(
                wire=region.partner(oin, client=client, worker=worker),
                books=books,
                random=random.Random(f"{seed} {worker}"),
            )
            for oin in ORGANISATIONS
            for worker in workers(oin)[:each]
        ]
        return cls(partners=partners, books=books, pause_s=pause_s, client=client, enough=enough, _stopping=stopping)

    def start(self) -> None:
        """Everybody works."""
        self._threads = [threading.Thread(target=self._work, args=(partner,)) for partner in self.partners]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Nobody works any more, and everybody knows what became of what he asked last."""
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def close(self) -> None:
        """Nobody asks anything any more."""
        self.client.close()

    def goes_on(self, *, answers: int = 3) -> bool:
        """Return whether so many more answers come in time."""
        wanted, until = len(self.books.told) + answers, time.monotonic() + PROGRESS_S
        while len(self.books.told) < wanted:
            if time.monotonic() > until:
                return False
            time.sleep(0.005)
        return True

    def _work(self, partner: Partner) -> None:
        try:
            while not self._stopping.is_set():
                self._one_thing(partner)
                self._stopping.wait(self.pause_s)
        except Exception as error:  # noqa: BLE001 - a worker that fails is a fault of the campaign, told at its end
            self.books.fault(f"a worker stopped: {type(error).__name__} {error}")

    def _one_thing(self, partner: Partner) -> None:
        choice, own = partner.random.random(), [signal for signal in partner.own if signal.stands]
        registering = REGISTERING if len(self.books.signals) < self.enough else REGISTERING_LATER
        if choice < registering or not own:
            self._register(partner)
        elif choice < registering + WITHDRAWING:
            partner.withdraw(partner.random.choice(own))
        elif choice < registering + WITHDRAWING + RENEWING:
            partner.renew(partner.random.choice(own))
        else:
            partner.check(partner.random.choice(own).person)

    def _register(self, partner: Partner) -> None:
        """Somebody new, or somebody whom another organisation knows already."""
        known = self.books.persons()
        signal: Signal | None = None
        if known and partner.random.random() < 0.5:
            signal = self.books.begin(partner.oin, partner.random.choice(known), most=HOLDERS)
        if signal is None:
            signal = self.books.begin(partner.oin, f"{partner.random.getrandbits(64):016x}", most=HOLDERS)
        if signal is not None:
            partner.register(signal)
