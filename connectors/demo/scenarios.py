"""The scenarios of the demonstration, in the order in which they are played."""

from connectors.demo import scenario_follow_up, scenario_mieke, scenario_suzan
from connectors.demo.acts import Act
from connectors.demo.scenario_mieke import Step

SCENARIOS: tuple[tuple[str, tuple[Step | Act, ...]], ...] = (
    ("Mieke (5): wie is betrokken, en wie mag dat zien", scenario_mieke.STEPS),
    ("Mieke: van een match naar contact", scenario_follow_up.STEPS),
    ("Suzan (13): Veilig Thuis na een melding van de politie", scenario_suzan.STEPS),
)
