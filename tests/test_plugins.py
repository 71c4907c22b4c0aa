import pytest

from assistant.config import load
from assistant.errors import ExtraMissing, SettingError
from assistant.plugins import Plugins


@pytest.fixture
def plugins(tmp_path):
    def make(*overrides: str, **files: str) -> Plugins:
        for name, text in files.items():
            (tmp_path / f"{name}.py").write_text(text)
        return Plugins(load(None, [f"plugins.folder={tmp_path}", *overrides], {}))

    return make


GOOD = '''
from assistant import hookimpl

@hookimpl
def assistant_tools():
    def greet(name: str) -> str:
        """Greet somebody."""
        return f"Hello {name}."
    return [greet]
'''


def test_a_file_in_the_users_folder_brings_a_tool(plugins):
    found = plugins(mine=GOOD)
    assert "greet" in found.tools
    assert [plugin.problem for plugin in found.found if plugin.name == "mine"] == [""]


def test_a_broken_file_is_named_and_the_others_work(plugins):
    found = plugins(good=GOOD, bad="import nothing_of_this_name", worse="def")
    problems = {plugin.name: plugin.problem for plugin in found.found}
    assert "nothing_of_this_name" in problems["bad"]
    assert "SyntaxError" in problems["worse"]
    assert "greet" in found.tools


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("return [greet]", "return [thanks]", "NameError: name 'thanks' is not defined"),
        ('"""Greet somebody."""', "", "PluginError: the tool greet needs a docstring"),
        ("def assistant_tools():", "def assistant_tools(nothing):", "nothing"),
    ],
)
def test_a_plugin_that_fails_at_its_tools_is_named_and_the_others_work(plugins, caplog, old, new, problem):
    found = plugins(good=GOOD.replace("greet", "thank"), bad=GOOD.replace(old, new))
    assert "thank" in found.tools and "greet" not in found.tools
    problems = {plugin.name: plugin.problem for plugin in found.found}
    assert problem in problems["bad"] and not problems["good"]
    assert (
        "the plugin bad brings no tools" in caplog.text or "cannot" in problems["bad"] or "nothing" in problems["bad"]
    )


def test_a_later_plugin_may_replace_a_tool(plugins):
    other = GOOD.replace("Hello", "Bye")
    assert plugins(a=GOOD, b=other).tools["greet"].function("Ada") == "Bye Ada."
    assert plugins(a=other, b=GOOD).tools["greet"].function("Ada") == "Hello Ada."


def test_a_plugin_may_know_the_settings(plugins):
    text = GOOD.replace("assistant_tools()", "assistant_tools(settings)").replace("Greet somebody", "Profile {0}")
    text = text.replace("return [greet]", "greet.__doc__ = greet.__doc__.format(settings.profile); return [greet]")
    found = plugins("plugins.timeout=3", mine=text)
    assert found.tools["greet"].description == "Profile default."


def test_a_plugin_may_tell_news_from_any_thread(plugins, caplog):
    text = GOOD.replace("assistant_tools()", "assistant_tools(news)").replace(
        'return f"Hello', 'news("Tea!", True); return f"'
    )
    found, told = plugins(mine=text), []
    greet = found.tools["greet"].function
    greet("Ada")
    assert [(record.levelname, record.message) for record in caplog.records] == [("WARNING", "Tea!")]
    found.news.told = lambda *news: told.append(news)
    greet("Ada")
    assert told == [("Tea!", True)] and len(caplog.records) == 1


def test_disabled(plugins):
    found = plugins("plugins.disabled=mine", mine=GOOD)
    assert "greet" not in found.tools


def test_unknown_engine_names_the_nearest(plugins, store):
    with pytest.raises(SettingError, match="no voice engine 'pipr'; did you mean 'piper'"):
        plugins().make("voice", "pipr", store)


def test_missing_library_names_the_extra(plugins, store):
    text = """
from assistant import Backend, hookimpl

@hookimpl
def assistant_backends():
    return [Backend("voice", "future", "library_that_is_not_there:Voice", extra="future")]
"""
    with pytest.raises(ExtraMissing, match=r'pip install "local-assistant\[future\]"'):
        plugins(future=text).make("voice", "future", store)
