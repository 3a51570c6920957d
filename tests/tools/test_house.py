"""The figures of `python -m tools.house`, on small sources whose answer is known."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tools.house import sizes
from tools.house.__main__ import ROOT, figures
from tools.house.circles import Circle, circles
from tools.house.sentences import sentences
from tools.house.settings import unexplained, variables
from tools.house.sources import Source, files, python
from tools.house.sql import running, spelled
from tools.house.states import writers
from tools.house.templates import texts

MODELS = Source(
    Path("rollouts/models/target.py"),
    "class Target(models.Model):\n    state = models.CharField()\n"
    "class Back(models.Model):\n    state = models.CharField()\n"
    "class Plan(models.Model):\n    name = models.CharField()\n",
)


def code(text: str, path: str = "rollouts/acts.py") -> Source:
    return Source(Path(path), text)


def written(text: str) -> dict[str, list[str]]:
    return writers([MODELS, code(text)])


@pytest.mark.parametrize(
    "text",
    [
        "Target.objects.filter(pk=1).update(state='done')",
        "def act(rollout):\n    late = Target.objects.all()\n    late.filter(pk=1).update(state='x')",
        "def act(target: Target):\n    target.state = 'done'",
        "def act(targets: QuerySet[Target]):\n    targets.update(state='done', at=now)",
        "def act():\n    for one in Target.objects.all():\n        one.state = 'done'",
        "SQL = 'UPDATE rollouts_target t SET at = 1, state = %s FROM x WHERE t.id = 1'",
        "SQL = f'UPDATE rollouts_target SET state = {word} WHERE id = 1'",
        "SQL = 'WITH v AS (SELECT 1) UPDATE rollouts_target SET state = 1 RETURNING id'",
    ],
)
def test_each_way_to_write_a_state_is_seen(text: str) -> None:
    assert written(text) == {"Target": ["rollouts.acts"]}


@pytest.mark.parametrize(
    "text",
    [
        "Target.objects.filter(state='done').update(at=now)",
        "Target.objects.create(state='waiting')",
        "SQL = 'UPDATE rollouts_target SET at = 1 WHERE state = 1'",
        "SQL = 'SELECT 1 FROM rollouts_target WHERE state = 1'",
        "SQL = 'UPDATE rollouts_target SET at = 1 FROM x WHERE state = 1'",
        "class Machine:\n    def go(self):\n        self.state = 1",
        "state = 'done'",
    ],
)
def test_reading_a_state_is_no_writing(text: str) -> None:
    assert written(text) == {}


def test_a_writer_that_cannot_be_followed_is_not_forgotten() -> None:
    assert written("def act(things):\n    things.update(state='x')") == {"?": ["rollouts.acts"]}


def test_one_statement_may_write_two_states() -> None:
    text = (
        "SQL = 'WITH a AS (UPDATE rollouts_target SET state = 1 RETURNING id)"
        " UPDATE rollouts_back b SET state = 2 FROM a'"
    )
    assert written(text) == {"Back": ["rollouts.acts"], "Target": ["rollouts.acts"]}


def test_circles_are_found_over_any_number_of_steps() -> None:
    sources = [
        code("", "console/__init__.py"),
        code("", "console/pages/__init__.py"),
        code("from console.live import feed", "console/pages/list.py"),
        code("", "console/live/__init__.py"),
        code("import console.top", "console/live/feed.py"),
        code("from console.pages.list import rows", "console/top.py"),
        code("from console.top import x", "console/alone.py"),
    ]
    assert circles(sources) == [Circle("console", ("live", "pages", "top"), has_folder=True)]


def test_a_circle_of_files_is_told_apart() -> None:
    sources = [
        code("", "console/__init__.py"),
        code("from console import b", "console/a.py"),
        code("from console.a import x", "console/b.py"),
    ]
    assert circles(sources) == [Circle("console", ("a", "b"), has_folder=False)]


@pytest.mark.parametrize(
    "text",
    [
        'raise Invalid("There is no such plan.")',
        'why = f"waiting for {count} agents to answer"',
        'def f():\n    """What it does, in words."""\n    return "nobody has answered yet"',
        'raise ValueError("this is no duration")',
        """SQL = "SELECT 'did not confirm in time' WHERE t.state IS NULL\"""",
        """SQL = "WHEN t.late THEN 'did not confirm in time'\"""",
        """SQL = "greatest(t.a, 1) || ' agents were too late'\"""",
    ],
)
def test_sentences_are_counted(text: str) -> None:
    assert len(sentences([code(text)])) == 1


@pytest.mark.parametrize(
    "text",
    [
        '"""A docstring of many words."""',
        'class A:\n    """A docstring of many words."""',
        'why = _("waiting for the agents")',
        'logger.warning("the store is away now")',
        'raise RuntimeError("must run inside a transaction")',
        'SQL = "SELECT id FROM rollouts_target WHERE id = 1"',
        'assert x, "an event belongs to a rollout"',
        'key = "rollouts.approve"',
        'SQL = "t.was_unhealthy AND n.healthy IS NOT TRUE"',
        'SQL = "greatest(n.config_losses - t.losses_before, 0)"',
        """SQL = "WHEN true THEN 'quarantined'\"""",
        """SQL = ", (SELECT json_agg(e) FROM judged e WHERE reason <> '')\"""",
        'said = "two words"',
        'def __str__(self):\n    return f"session {self.id} of agent {self.agent}"',
        'if "the end of input" in message:\n    pass',
        """policy = "img-src 'self' data:\"""",
        'says = text("rollout.busy", names=names)',
    ],
)
def test_what_is_not_for_people_is_not_counted(text: str) -> None:
    assert sentences([code(text)]) == []


@pytest.mark.parametrize(
    "text",
    [
        "<p>Nobody was refused</p>",
        '{% translate "Agents" %} and more',
        '<a title="Back to the list">{% icon "x" %}</a>',
        '<input placeholder="Say why">',
        "{% if a %}off{% endif %}",
    ],
)
def test_text_of_a_template_that_no_translator_finds_is_counted(text: str) -> None:
    assert len(list(texts(text))) == 1


@pytest.mark.parametrize(
    "text",
    [
        '<p title="{% translate "Back" %}">{% translate "Nobody was refused" %}</p>',
        "{% blocktranslate trimmed count n=n %}one{% plural %}many {{ n }}{% endblocktranslate %}",
        "{% comment %}What this is.{% endcomment %}{# and a note #}",
        "<p>OpenTelemetry · {{ name }} · 1 %</p>",
        '<input placeholder="env=prod,region=eu-1"><code>running_hash</code>',
        "<script>const word = 1;</script>&nbsp;",
    ],
)
def test_what_is_translated_or_the_same_in_every_language_is_not_counted(text: str) -> None:
    assert list(texts(text)) == []


def test_settings_are_looked_up_as_whole_words() -> None:
    settings = code(
        'A = env.str("LOG_LEVEL")\nB = env.int("KEEP", default=1)', "console/settings.py"
    )
    assert variables(settings) == ["LOG_LEVEL", "KEEP"]
    assert unexplained(settings, ["`LOG_LEVEL_OF_ALL` and `KEEP`"]) == ["LOG_LEVEL"]


def test_sizes_name_the_worst(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text("ab\n" + "x" * 130 + "\n")
    assert sizes.longest_line(tmp_path, [Path("a.html")]) == (130, "a.html:2")
    assert sizes.fullest_folder([Path("a/1.py"), Path("a/2.py"), Path("b/1.py")]) == (2, "a")
    assert sizes.longest_file([code("x = 1\n" * 3)]) == (3, "rollouts/acts.py")
    function = code("x = 1\n\ndef f():\n    return 1\n")
    assert sizes.longest_function([function]) == (2, "rollouts/acts.py:3 f")


def test_what_git_does_not_know_is_measured_but_what_it_ignores_is_not(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / ".gitignore").write_text("var/\n")
    for name in ("new.py", "x_pb2.py", "var/old.py", "migrations/0001.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    assert [str(source.path) for source in python(tmp_path)] == ["new.py"]
    assert len(files(tmp_path, "*.py")) == 3


def test_no_figure_is_over_its_target() -> None:
    found = list(figures(ROOT))
    assert [figure for figure in found if figure.is_over] == []
    assert len(found) >= 25


@pytest.mark.parametrize(
    "text",
    [
        "with connection.cursor() as cursor:\n    pass",
        "cursor.execute(STATEMENT)",
        "Target.objects.raw('SELECT 1')",
        "found.annotate(x=RawSQL('1', []))",
    ],
)
def test_each_way_to_run_sql_is_seen(text: str) -> None:
    assert running([code(text)], "rollouts") == ["rollouts/acts.py"]
    assert running([code(text)], "agents") == []


def test_sql_is_seen_by_the_tables_it_names() -> None:
    assert spelled(code("X = 'SELECT 1 FROM agents_agent'").tree) == [1]
    assert spelled(code("X = f'UPDATE rollouts_target SET at = {now}'").tree) == [1]
    assert spelled(code("X = 'agents come FROM afar'").tree) == []
    assert running([code("logger.info('x', extra={})")], "rollouts") == []
