"""The scenarios of the demonstration, in the order in which they are played."""

from connectors.demo import scenario_chayenne, scenario_follow_up, scenario_mieke, scenario_suzan, scenario_trudy
from connectors.demo.acts import Act, Advice
from connectors.demo.scenario_mieke import Step

Scenarios = tuple[tuple[str, tuple[Step | Act | Advice, ...]], ...]

MIEKE: Scenarios = (
    ("Mieke (5): wie is betrokken, en wie mag dat zien", scenario_mieke.STEPS),
    ("Mieke: van een match naar contact", scenario_follow_up.STEPS),
)
SCENARIOS: Scenarios = (
    *MIEKE,
    ("Chayenne (9): advies, en later toestemming", scenario_chayenne.STEPS),
    ("Suzan (13): Veilig Thuis na een melding van de politie", scenario_suzan.STEPS),
    ("Trudy (70): een volwassene beslist zelf", scenario_trudy.STEPS),
)
