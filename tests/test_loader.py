from __future__ import annotations

import re
import signal
import sys
from contextlib import suppress
from textwrap import dedent

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aioserve.errors import StartupError
from aioserve.loader import load_handler
from aioserve.server import ServerHttpProtocol

HANDLER = """
from aioserve.server import ServerHttpProtocol

class Handler(ServerHttpProtocol):
    pass
"""


@pytest.fixture(autouse=True)
def restored_imports(monkeypatch):
    before = set(sys.modules)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield
    for name in set(sys.modules) - before:
        del sys.modules[name]


@pytest.fixture
def write(tmp_path):
    def write(text, name="shop.py"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text), "utf-8")
        return path

    return write


def refusal(target, app_dir):
    with pytest.raises(StartupError) as caught:
        load_handler(target, app_dir)
    assert "\n" not in str(caught.value)
    return caught.value


# What is a handler


def test_subclass_makes_its_own_instances(tmp_path, write):
    write(HANDLER)

    factory = load_handler("shop:Handler", tmp_path)

    assert isinstance(factory, type)
    assert isinstance(factory(), ServerHttpProtocol)


def test_function_that_returns_a_handler_is_called_once_to_see(tmp_path, write):
    write(HANDLER + "made = []\ndef make():\n    made.append(Handler())\n    return made[-1]\n")

    factory = load_handler("shop:make", tmp_path)

    made = sys.modules["shop"].made
    assert len(made) == 1
    assert factory() is made[1]


def test_function_that_returns_a_class_gives_way_to_it(tmp_path, write):
    write(HANDLER + "def choose():\n    return Handler\n")

    assert load_handler("shop:choose", tmp_path) is sys.modules["shop"].Handler


def test_name_may_be_dotted(tmp_path, write):
    write(HANDLER + "class Shelf:\n    Top = Handler\n")

    assert load_handler("shop:Shelf.Top", tmp_path) is sys.modules["shop"].Handler


# Where it is found


def test_module_of_a_package_is_imported(tmp_path, write):
    write("", "mall/__init__.py")
    write(HANDLER, "mall/store.py")

    assert load_handler("mall.store:Handler", tmp_path).__module__ == "mall.store"


@pytest.mark.parametrize("target", ["./store.py:Handler", "store.py:Handler"])
def test_file_is_found_in_the_folder(tmp_path, write, target):
    write(HANDLER, "store.py")

    assert load_handler(target, tmp_path).__module__ == "store"
    assert sys.modules["store"].__file__ == str(tmp_path / "store.py")


def test_file_can_import_what_lies_beside_it_and_in_the_folder(tmp_path, write):
    write("import near_by\nimport further_up\n" + HANDLER, "deep/down/store.py")
    write("", "deep/down/near_by.py")
    write("", "further_up.py")

    assert load_handler("deep/down/store.py:Handler", tmp_path)


def test_file_with_an_absolute_path_is_found(tmp_path, write):
    path = write(HANDLER, "elsewhere/store.py")

    assert load_handler(f"{path}:Handler", tmp_path)


@pytest.mark.parametrize("name", ["json.py", "this.py"])
def test_file_never_takes_the_place_of_another_module(tmp_path, write, name):
    write(HANDLER, name)
    before = sys.modules.get(name[:-3])

    factory = load_handler(f"./{name}:Handler", tmp_path)

    assert factory.__module__ == "__aioserve_app__"
    assert sys.modules.get(name[:-3]) is before


def test_dataclasses_of_a_file_find_their_module(tmp_path, write):
    write(
        HANDLER
        + """
from __future__ import annotations
from dataclasses import dataclass
@dataclass
class Thing:
    n: int
""".replace("from __future__ import annotations\n", ""),
        "store.py",
    )

    assert load_handler("./store.py:Handler", tmp_path)


def test_folder_is_put_on_the_path_once(tmp_path, write):
    write(HANDLER)

    load_handler("shop:Handler", tmp_path)
    load_handler("shop:Handler", tmp_path)

    assert sys.path.count(str(tmp_path)) == 1


# What is refused, in one line


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("nosuch:Thing", "there is no module 'nosuch' in {folder}"),
        ("shopp:Handler", "there is no module 'shopp' in {folder} (did you mean 'shop'?)"),
        ("shop.shelf:Handler", "there is no module 'shop.shelf' in {folder}"),
        ("./shopp.py:Handler", "there is no Python file '{folder}/shopp.py' (did you mean 'shop.py'?)"),
        ("./shop:Handler", "there is no Python file '{folder}/shop' (did you mean 'shop.py'?)"),
        ("./none/x.py:Handler", "there is no Python file '{folder}/none/x.py'"),
        ("shop:Handlr", "shop has no 'Handlr' (did you mean 'Handler'?)"),
        ("shop:zzz", "shop has no 'zzz'"),
        ("shop:Handler.handle_reqest", "shop:Handler has no 'handle_reqest'"),
        ("shop:Shelf.Top.nothing", "shop:Shelf.Top has no 'nothing'"),
        ("shop:made", "shop:made is a handler already; give its class, to make one for each connection"),
        ("shop:Shelf", "shop:Shelf is a class, but not a subclass of aioserve.ServerHttpProtocol"),
        ("shop:number", "shop:number is of type int, neither a handler class nor a function that makes one"),
        ("shop:needy", "shop:needy cannot be called without arguments: missing a required argument: 'shelf'"),
        ("shop:Needy", "shop:Needy cannot be called without arguments: missing a required argument: 'shelf'"),
        ("shop:builtin", "shop:builtin cannot be called without arguments: "),
        ("shop:later", "shop:later is an async function; a function that makes handlers is a plain one"),
        ("shop:wrong", "shop:wrong() returns an object of type str, not a handler"),
        ("shop:wrong_class", "shop:wrong_class() returns an object of type type, not a handler"),
        ("shop", "shop is a module; a handler of it is shop:Handler or shop:Needy"),
        ("./shop.py", "./shop.py is a module; a handler of it is ./shop.py:Handler or ./shop.py:Needy"),
        (
            "empty",
            "empty is a module, and there is no handler class in it; APP is module:name or ./file.py:name",
        ),
        ("public", "'public' is a folder; to serve its files: aioserve --static public"),
        ("./public", "'./public' is a folder; to serve its files: aioserve --static ./public"),
        ("public:x", "public has no 'x'"),
        ("", "'' names no handler; APP is module:name or ./file.py:name, such as app:Handler"),
        (":Handler", "':Handler' names no handler"),
        ("shop:", "'shop:' names no handler"),
        ("a\0/b.py:x", "'a\\x00/b.py:x' names no handler"),
        ("shop:make()", "'shop:make()' names no handler"),
        ("shop:a..b", "'shop:a..b' names no handler"),
        ("..shop:Handler", "'..shop' is not the name of a module; APP is module:name"),
        ("my-shop:Handler", "'my-shop' is not the name of a module"),
        ("a" * 300, "File name too long"),
        ("./" + "a" * 300 + ".py:x", "File name too long"),
    ],
)
def test_unusable_target_is_refused(tmp_path, write, target, said):
    write(
        HANDLER
        + """
        number = 1
        made = Handler()
        builtin = iter
        class Shelf:
            Top = Handler
        class Needy(Handler):
            def __init__(self, shelf): ...
        def needy(shelf): ...
        async def later(): ...
        def wrong(): return "x"
        def wrong_class(): return dict
        """.replace("\n        ", "\n")
    )
    write("", "empty.py")
    write("<p>", "public/index.html")

    error = refusal(target, tmp_path)

    assert said.format(folder=tmp_path) in str(error)
    assert error.details == ""


def test_missing_folder_is_refused(tmp_path):
    assert str(refusal("shop:Handler", tmp_path / "x")) == f"there is no folder '{tmp_path}/x' to import from"


# What is the user's own error, with their traceback and nothing of ours


@pytest.mark.parametrize("target", ["shop:Handler", "./shop.py:Handler"])
def test_module_that_raises_is_shown_with_its_own_traceback(tmp_path, write, target):
    path = write("def stock():\n    return 1 / 0\n\nstock()\n")

    error = refusal(target, tmp_path)

    assert str(error).endswith(" cannot be imported: ZeroDivisionError: division by zero")
    assert error.details.startswith(
        f'Traceback (most recent call last):\n  File "{path}", line 4, in <module>\n'
    )
    assert error.details.count("File ") == 2
    assert "loader.py" not in error.details
    assert "importlib" not in error.details


@pytest.mark.parametrize("target", ["shop:Handler", "./shop.py:Handler"])
def test_missing_import_inside_the_module_is_the_users_error(tmp_path, write, target):
    path = write("import nosuch_dependency\n")

    error = refusal(target, tmp_path)

    assert "cannot be imported: ModuleNotFoundError: No module named 'nosuch_dependency'" in str(error)
    assert f'File "{path}", line 1' in error.details
    assert "importlib" not in error.details


@pytest.mark.parametrize("target", ["shop:Handler", "./shop.py:Handler"])
def test_syntax_error_is_shown_where_it_is(tmp_path, write, target):
    path = write("def broken(:\n    pass\n")

    error = refusal(target, tmp_path)

    assert re.search(r"cannot be imported: SyntaxError: .*\(shop\.py, line 1\)$", str(error))
    assert error.details.startswith(f'  File "{path}", line 1\n    def broken(:\n')
    assert "Traceback" not in error.details


def test_syntax_error_of_an_imported_module_is_shown_with_the_import(tmp_path, write):
    path = write("import other_shop\n")
    other = write("x = = 1\n", "other_shop.py")

    error = refusal("shop:Handler", tmp_path)

    assert f'File "{path}", line 1' in error.details
    assert f'File "{other}", line 1' in error.details
    assert "importlib" not in error.details


def test_module_that_exits_is_refused(tmp_path, write):
    write("import sys\nsys.exit(7)\n")

    error = refusal("shop:Handler", tmp_path)

    assert str(error) == "shop cannot be imported: SystemExit: 7"


@pytest.mark.parametrize(
    "raised", ["asyncio.CancelledError", "GeneratorExit", "KeyboardInterrupt", "BaseException"]
)
def test_module_that_raises_what_is_no_exception_is_refused_as_well(tmp_path, write, monkeypatch, raised):
    monkeypatch.setattr(signal, "getsignal", lambda _: signal.SIG_IGN)
    write(f"import asyncio\nraise {raised}('no')\n")

    error = refusal("shop:Handler", tmp_path)

    assert str(error) == f"shop cannot be imported: {raised.rpartition('.')[2]}: no"
    assert error.details.startswith("Traceback")


def test_person_who_does_not_want_to_wait_for_the_module_is_heard(tmp_path, write, monkeypatch):
    monkeypatch.setattr(signal, "getsignal", lambda _: signal.default_int_handler)
    write("raise KeyboardInterrupt\n")

    with pytest.raises(KeyboardInterrupt):
        load_handler("shop:Handler", tmp_path)


def test_message_of_several_lines_is_cut_to_one(tmp_path, write):
    write("raise ValueError('first\\nsecond')\n")

    error = refusal("shop:Handler", tmp_path)

    assert str(error) == "shop cannot be imported: ValueError: first"
    assert "second" in error.details


def test_function_that_raises_is_shown_with_its_own_traceback(tmp_path, write):
    path = write("def make():\n    raise OSError('no stock')\n")

    error = refusal("shop:make", tmp_path)

    assert str(error) == "shop:make() fails: OSError: no stock"
    assert error.details.startswith(f'Traceback (most recent call last):\n  File "{path}", line 2, in make\n')


def test_file_that_fails_is_not_left_among_the_modules(tmp_path, write):
    write("1 / 0\n", "store.py")

    refusal("./store.py:Handler", tmp_path)

    assert "store" not in sys.modules


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(target=st.text(alphabet="shop.:/py Handler\0é") | st.text())
def test_any_target_is_a_handler_or_a_startup_error(tmp_path, target):
    (tmp_path / "shop.py").write_text(HANDLER, "utf-8")

    with suppress(StartupError):
        assert callable(load_handler(target, tmp_path))
