from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from ollamamaster.domain.instances import InstanceAddress, Locality
from ollamamaster.domain.models import Tier
from ollamamaster.domain.settings import CloudUse, Performance, Settings
from ollamamaster.errors import ConfigInvalidError, UsageError
from ollamamaster.storage.config import load_settings
from ollamamaster.storage.inspection import check_config, values_in_force
from ollamamaster.storage.key_lines import key_lines
from ollamamaster.storage.paths import Paths
from ollamamaster.storage.reading import read_config
from ollamamaster.storage.schema import TABLES, variables
from ollamamaster.storage.starter import create_config, starter_text

if TYPE_CHECKING:
    from pathlib import Path

    from ollamamaster.storage.problems import Problem


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths(tmp_path, tmp_path)


def settings(text: str, **environ: str) -> Settings:
    read = read_config(text, environ)
    assert read.problems == ()
    return read.settings


def problem(text: str, **environ: str) -> Problem:
    [found] = read_config(text, environ).problems
    return found


def test_no_file_and_no_variables_are_the_defaults(paths: Paths) -> None:
    assert load_settings(paths, {}).settings == Settings()


def test_every_key_of_the_schema_is_a_field_with_a_default() -> None:
    for table in TABLES:
        for key in table.keys:
            table.default(key)


def test_every_field_of_the_settings_has_a_key() -> None:
    from dataclasses import fields

    assert {f.name for f in fields(Settings)} == {table.name for table in TABLES}
    for table in TABLES:
        assert {f.name for f in fields(table.settings)} == {key.name for key in table.keys}


def test_the_starter_file_changes_nothing() -> None:
    assert settings(starter_text()) == Settings()


def test_the_starter_file_without_its_comment_marks_is_valid_and_sets_every_key() -> None:
    read = read_config(re.sub(r"(?m)^#(?=[a-z\[])", "", starter_text()), {})
    assert read.problems == ()
    assert len(read.origins()) == sum(len(table.keys) for table in TABLES)


def test_every_kind_of_value_is_read() -> None:
    read = settings(
        """
        [discovery]
        ports = "11434-11440,8080"
        networks = ["192.168.1.0/24", "gpu.lan:11434", "https://gw.lan/a"]
        [instances."GPU.lan"]
        label = "big"
        labels.room = "cellar"
        locality = "lan"
        [instances."https://gw.lan/a"]
        disabled = true
        [models.phi4]
        tier = "powerful"
        capabilities = ["vision"]
        ability.code = 70
        keep_alive = -1
        [route]
        performance = "fast"
        price_per_doubling.fast = 0.2
        cloud = "never"
        [policy]
        deny = ["model:*cloud*", "label:room=c*"]
        """
    )
    gpu = read.instances[InstanceAddress("gpu.lan")]
    assert read.discovery.ports == ("11434-11440,8080",)
    assert (gpu.label, gpu.labels, gpu.locality) == ("big", {"room": "cellar"}, Locality.LAN)
    assert read.instances[InstanceAddress("gw.lan", 443, "https", "/a")].disabled
    assert read.models["phi4:latest"].tier is Tier.POWERFUL
    assert read.models["phi4:latest"].ability == {"code": 70}
    assert read.models["phi4:latest"].keep_alive == -1
    assert read.route.performance is Performance.FAST
    assert read.route.price_per_doubling == {"fast": 0.2, "balanced": 0.03, "powerful": 0.003}
    assert read.route.cloud is CloudUse.NEVER


def test_a_list_of_ports_may_hold_numbers_and_ranges() -> None:
    assert settings('[discovery]\nports = [8080, "1-2"]').discovery.ports == ("8080", "1-2")


def test_a_variable_wins_over_the_file() -> None:
    text = '[route]\nperformance = "powerful"'
    read = settings(text, OLLAMAMASTER_ROUTE_PERFORMANCE="fast")
    assert read.route.performance is Performance.FAST


def test_an_empty_variable_is_none() -> None:
    text = '[route]\nperformance = "powerful"'
    read = settings(text, OLLAMAMASTER_ROUTE_PERFORMANCE=" ")
    assert read.route.performance is Performance.POWERFUL


def test_a_list_in_a_variable_is_separated_by_commas() -> None:
    read = settings("", OLLAMAMASTER_DISCOVERY_NETWORKS="10.0.0.0/24, gpu.lan")
    assert read.discovery.networks == ("10.0.0.0/24", "gpu.lan")


def test_variables_are_there_for_scalars_and_lists_of_the_tables_that_have_them() -> None:
    names = {name for name, _, _ in variables()}
    assert {"OLLAMAMASTER_ROUTE_PERFORMANCE", "OLLAMAMASTER_MCP_FILE_ROOTS"} <= names
    assert {name.split("_")[1] for name in names} == {
        "DISCOVERY", "TIERS", "ROUTE", "HISTORY", "MCP", "SESSIONS",
    }  # fmt: skip
    assert "OLLAMAMASTER_ROUTE_PRICE_PER_DOUBLING" not in names


def test_a_variable_that_means_nothing_is_a_note_with_the_nearest() -> None:
    [note] = read_config("", {"OLLAMAMASTER_RUTE_PERFORMANCE": "x"}).notes
    assert "OLLAMAMASTER_RUTE_PERFORMANCE" in note
    assert "OLLAMAMASTER_ROUTE_PERFORMANCE" in note


def test_the_variables_of_the_program_itself_are_no_note() -> None:
    environ = {"OLLAMAMASTER_HOME": "/x", "OLLAMAMASTER_MCP_TOKEN": "s", "PATH": "/bin"}
    assert read_config("", environ).notes == ()


def test_a_wrong_variable_is_a_problem_without_a_line() -> None:
    found = problem("[route]\nhedge = true", OLLAMAMASTER_ROUTE_HEDGE="maybe")
    assert (found.key, found.line) == ("OLLAMAMASTER_ROUTE_HEDGE", None)


@pytest.mark.parametrize(
    ("text", "key", "line", "said"),
    [
        ("\nperformance = 'fast'", "performance", 2, "it belongs in [route]"),
        ("[rout]\nx = 1", "rout", 1, "did you mean route?"),
        ("[route]\n\nperformence = 'fast'", "route.performence", 3, "route.performance?"),
        ("route.performence = 'fast'", "route.performence", 1, "route.performance?"),
        ("route = { hedge = 1 }", "route.hedge", 1, "true or false"),
        ("route = 1", "route", 1, "[route]"),
        ("[route]\nmax_time_s = 0", "route.max_time_s", 2, "above 0"),
        ("[route]\nmax_time_s = inf", "route.max_time_s", 2, "above 0"),
        ("[route]\nmax_time_s = true", "route.max_time_s", 2, "above 0"),
        ("[route]\nperformance = 'slow'", "route.performance", 2, "fast, balanced or powerful"),
        ("[route.price_per_doubling]\nfsat = 1", "route.price_per_doubling.fsat", 2, "fast?"),
        ("[discovery]\nconcurrency = 1.5", "discovery.concurrency", 2, "whole number"),
        ("[discovery]\nports = '2-1'", "discovery.ports", 2, "2-1"),
        ("[discovery]\nnetworks = ['10.0.0.0/33']", "discovery.networks", 2, "33"),
        ("[discovery]\nnetworks = '10.0.0.0/8'", "discovery.networks", 2, "brackets"),
        ("[instances.'a:99999']", 'instances."a:99999"', 1, "99999"),
        ("[instances]\na = 'big'", "instances.a", 2, "[instances.a]"),
        ("[[instances]]\nlabel = 'a'", "instances", 1, "[instances]"),
        ("[models.llama3.1]\ntier = 'fast'", "models.llama3.1", 1, "quotes"),
        ("[models.a]\nability = { cod = 1 }", "models.a.ability.cod", 2, "ability.code?"),
        ("[models.a]\nability = { code = 101 }", "models.a.ability.code", 2, "0 to 100"),
        ("[models.a]\npreferred_tasks = ['sing']", "models.a.preferred_tasks", 2, "chat"),
        ("[models.a]\nkeep_alive = 'soon'", "models.a.keep_alive", 2, "10m"),
        ("[models.a]\nkeep_alive = '99999999999h'", "models.a.keep_alive", 2, "-1 is for ever"),
        ("[models.a]\nkeep_alive = 9999999999999", "models.a.keep_alive", 2, "-1 is for ever"),
        ("[models.a]\nkeep_alive = 1.5", "models.a.keep_alive", 2, "10m"),
        ("[policy]\nallow = ['phi4']", "policy.allow", 2, "model:GLOB"),
        ("[tiers]\nfast_below_gb = 20", "tiers.powerful_above_gb", 1, "less than"),
        ("[mcp]\nfile_roots = ['docs']", "mcp.file_roots", 2, "absolute"),
    ],
)
def test_a_mistake_is_told_with_its_key_line_and_what_belongs_there(
    text: str, key: str, line: int, said: str
) -> None:
    found = problem(text)
    assert (found.key, found.line) == (key, line)
    assert said in f"{found.message} {found.hint}"


@pytest.mark.parametrize(("given", "sent"), [("'600'", 600), ("600", 600), ("'1h30m'", "1h30m")])
def test_seconds_that_stand_in_quotes_are_sent_as_the_number_that_ollama_wants(
    given: str, sent: str | int
) -> None:
    read = settings(f"[models.a]\nkeep_alive = {given}")
    assert read.models["a:latest"].keep_alive == sent


def test_all_mistakes_are_told_in_the_order_of_lines() -> None:
    text = "[history]\nkeep_days = -1\n[route]\nhedge = 1\n[discovery]\nloopback = 0\n"
    found = read_config(text, {}).problems
    assert [p.line for p in found] == [2, 4, 6]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ('instances."gpu.lan"', 'instances."http://GPU.lan:11434/"'),
        ("models.phi4", 'models."phi4:latest"'),
    ],
)
def test_two_spellings_of_one_name_are_a_mistake(first: str, second: str) -> None:
    assert "same" in problem(f"[{first}]\n[{second}]").message


@pytest.mark.parametrize(
    "secret",
    [
        "sk-verysecret",
        "hf_verysecret",
        "0123456789abcdef0123456789abcdef",
        "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
        "tHiSlOoKsLiKeAsEcReT2026x",
        "two words",
    ],
)
def test_a_secret_in_place_of_its_variable_is_refused_and_never_shown(secret: str) -> None:
    found = problem(f'[instances.a]\ntoken_env = "{secret}"')
    assert secret not in f"{found}"


def test_a_secret_under_a_key_of_its_own_is_pointed_to_token_env() -> None:
    found = problem('[instances.a]\napi_key = "sk-verysecret"')
    assert "token_env" in (found.hint or "")
    assert "verysecret" not in f"{found}"


def test_a_password_in_an_address_is_never_shown() -> None:
    found = problem('[instances."https://me:verysecret@gw.lan"]')
    assert "verysecret" not in f"{found}"
    assert found.line == 1


@pytest.mark.parametrize("name", ["GPU_BOX_TOKEN", "ollama_token", "TOKEN_2", "_T"])
def test_the_name_of_a_variable_is_no_secret(name: str) -> None:
    read = settings(f'[instances.a]\ntoken_env = "{name}"')
    assert read.instances[InstanceAddress("a")].token_env == name


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[route]\nhedge = \n", 2),
        ("a = 1\na = 2\n", 2),
        ("\n\n[route\n", 3),
        ("a = '''\n\n", 3),
        ("[instances.gpu:11434]\n", 1),
    ],
)
def test_a_text_that_is_no_toml_is_told_with_its_line(text: str, line: int) -> None:
    assert problem(text).line == line


def test_a_name_without_its_quotes_gets_them_in_the_hint() -> None:
    assert 'instances."' in (problem("[instances.gpu:11434]\n").hint or "")


def test_a_backslash_in_a_path_gets_a_hint() -> None:
    assert "backslash" in (problem('[mcp]\nfile_roots = ["C:\\Users"]\n').hint or "")


def test_nesting_without_end_is_a_problem_and_no_crash() -> None:
    assert problem("a = " + "[" * 100_000).key == ""


def test_a_file_that_is_not_utf8_is_told_with_its_line(paths: Paths) -> None:
    paths.config.write_bytes(b"[route]\n# caf\xe9\n")
    [found] = check_config(paths, {}).problems
    assert found.line == 2


def test_a_byte_order_mark_is_no_mistake(paths: Paths) -> None:
    paths.config.write_bytes(b"\xef\xbb\xbf[route]\nhedge = false\n")
    assert not load_settings(paths, {}).settings.route.hedge


def test_a_folder_in_place_of_the_file_is_told(paths: Paths) -> None:
    paths.config.mkdir()
    with pytest.raises(ConfigInvalidError, match="cannot be read"):
        load_settings(paths, {})


def test_a_command_is_told_the_first_mistake_and_how_many_there_are(paths: Paths) -> None:
    paths.config.write_text("[route]\nhedge = 1\nlocal_only = 2\n")
    with pytest.raises(ConfigInvalidError, match=r"config\.toml:2: route\.hedge.*1 more") as caught:
        load_settings(paths, {})
    assert "ollamamaster config check" in (caught.value.hint or "")


def test_every_value_in_force_tells_its_origin(paths: Paths) -> None:
    paths.config.write_text('[route]\nhedge = false\n\n[instances.a]\nlabel = "big"\n')
    loaded = load_settings(paths, {"OLLAMAMASTER_HISTORY_MAX_MB": "50"})
    shown = {v.key: (v.value, v.origin) for v in values_in_force(loaded)}
    assert shown["route.hedge"] == (False, "config.toml:2")
    assert shown["history.max_mb"] == (50, "OLLAMAMASTER_HISTORY_MAX_MB")
    assert shown["route.cloud"] == ("by_name", "default")
    assert shown['instances."a:11434".label'] == ("big", "config.toml:5")
    assert 'instances."a:11434".slots' not in shown


def test_an_own_config_is_never_overwritten(paths: Paths) -> None:
    create_config(paths).write_text("# mine")
    with pytest.raises(UsageError, match="already"):
        create_config(paths)
    assert paths.config.read_text() == "# mine"


def test_reading_settings_loads_nothing_heavy(paths: Paths) -> None:
    import subprocess
    import sys

    paths.config.write_text("[route]\nhedge = false\n")
    code = (
        "import sys; from pathlib import Path;"
        "from ollamamaster.storage.config import load_settings;"
        "from ollamamaster.storage.paths import Paths;"
        f"load_settings(Paths(Path({str(paths.config_dir)!r}), Path('x')), {{}});"
        "heavy = {'asyncio', 'httpx', 'rich', 'platformdirs', 'filelock', 'sqlite3', 'tomli_w',"
        "'difflib'};"
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


ODD_TOML = '''\
# comment [not.a.table]
"a.b" . 'c d' = """
[fake]
key = 1 \\""" ""x""\\"
"""
x = [ # comment ]
  "]", '}', { inner = 1, "in ner" = [1, 2] },
]
"\\u00e9" = 1979-05-27T07:32:00Z # after

[ t . "q#uoted" ]  # c
k = \'\'\'it''s
[fake2]\'\'\'\'
inline = { a.b = 1, c = "}" }
[[array]]
n = 1
[[array]]
m = 2
'''


def test_lines_are_found_in_toml_of_every_kind() -> None:
    import tomllib

    tomllib.loads(ODD_TOML)
    assert key_lines(ODD_TOML) == {
        ("a.b",): 2,
        ("a.b", "c d"): 2,
        ("x",): 6,
        ("x", "inner"): 7,
        ("x", "in ner"): 7,
        ("é",): 9,
        ("t",): 11,
        ("t", "q#uoted"): 11,
        ("t", "q#uoted", "k"): 12,
        ("t", "q#uoted", "inline"): 14,
        ("t", "q#uoted", "inline", "a"): 14,
        ("t", "q#uoted", "inline", "a", "b"): 14,
        ("t", "q#uoted", "inline", "c"): 14,
        ("array",): 15,
        ("array", "n"): 16,
        ("array", "m"): 18,
    }


def keys_of(value: Any, path: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    if isinstance(value, list):
        return set().union(*(keys_of(item, path) for item in value))
    if isinstance(value, dict):
        inside = (keys_of(item, (*path, key)) for key, item in value.items())
        return set().union({(*path, key) for key in value}, *inside)
    return set()


names = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
values = st.recursive(
    st.booleans() | st.integers() | st.floats() | names | st.datetimes(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=12,
)


@given(document=st.dictionaries(names, values, max_size=4), multiline=st.booleans())
def test_every_key_of_a_document_has_a_line(document: dict[str, Any], multiline: bool) -> None:
    text = tomli_w.dumps(document, multiline_strings=multiline)
    assert keys_of(document) == set(key_lines(text))


@given(text=st.text() | st.text("[]{}=\"'.,#\\\n ab1"))
def test_no_text_stops_the_reader(text: str) -> None:
    key_lines(text)
    read_config(text, {})


@given(document=st.dictionaries(st.sampled_from([t.name for t in TABLES]) | names, values))
def test_no_document_stops_the_reader(document: dict[str, Any]) -> None:
    read_config(tomli_w.dumps(document), {})


@given(
    st.dictionaries(
        st.sampled_from([name for name, _, _ in variables()]),
        st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
    )
)
def test_no_environment_stops_the_reader(environ: dict[str, str]) -> None:
    read_config("", environ)
