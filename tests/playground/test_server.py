"""The page as a client asks for it, and as Chromium shows it."""

import http.client
import json
import re
import threading
import time

import pytest

from keras_fusion.common.escaping import UNSHOWN
from keras_fusion.playground import server
from keras_fusion.serving.server.addresses import listen
from tests.chromium import CHROMIUM
from tests.cli.running import run
from tests.playground.conftest import NAMES, PLACES

pytestmark = [
    pytest.mark.slow,
    pytest.mark.only_on("torch", reason="no backend changes it"),
]
TITLE = "<b>birds</b>\x1b[2J"


@pytest.fixture(scope="module")
def port(judge):
    with listen(server.HOST, 0) as listening:
        listening.listen()
        running = server.server(judge, TITLE)
        thread = threading.Thread(target=running.run, args=([listening],))
        thread.start()
        yield listening.getsockname()[1]
        running.should_exit = True
        thread.join()


def ask(port, path, host=None):
    """Status, headers and body of one GET."""
    connection = http.client.HTTPConnection(server.HOST, port, timeout=30)
    connection.request("GET", path, headers={"Host": host} if host else {})
    answer = connection.getresponse()
    found = answer.status, dict(answer.getheaders()), answer.read()
    connection.close()
    return found


@pytest.mark.parametrize(
    ("host", "status"),
    [("localhost:1", 200), ("127.0.0.1", 200), ("evil.com", 400), ("[", 400)],
)
def test_a_name_of_the_web_is_not_this_machine(port, host, status):
    for path in ("/", "/about", "/rows/0/answer"):
        assert ask(port, path, host)[0] == status


def test_nothing_runs_that_is_not_ours(port):
    for path in ("/", "/about", "/page.js"):
        status, headers, _ = ask(port, path)
        policy = headers["content-security-policy"]
        assert status == 200 and "default-src 'none'; script-src 'self'" in policy
        assert "unsafe" not in policy


def test_what_is_not_there(port):
    for path in ("/rows/99", "/rows/99/contributions", "/rows/0/answer?off=3", "/runs"):
        assert ask(port, path)[0] == 404
    assert ask(port, "/rows/0/answer?off=x")[0] == 404


def test_names_are_text(port):
    about = json.loads(ask(port, "/about")[2])
    assert about["title"] == f"<b>birds</b>{UNSHOWN}[2J"
    assert about["modalities"] == ["photo", "call", "table"]
    answer = json.loads(ask(port, "/rows/0/answer")[2])
    names = {one["name"] for one in answer["probabilities"]}
    assert names == {"tit", "<i>finch</i>", f"owl{UNSHOWN}"}


def test_bad_words_at_the_command(model, tmp_path):
    status, _, err = run("show", tmp_path / "no.keras")
    assert status == 2 and "no.keras" in err
    with listen(server.HOST, 0) as taken:
        taken.listen()
        port = taken.getsockname()[1]
        status, _, err = run("show", model.parent, "--port", port)
    assert status == 2 and f"Port {port}" in err


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
def test_in_a_browser(port, judge, tmp_path):
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox"]
        )
        tab = browser.new_page(viewport={"width": 1200, "height": 900})
        asked, said = [], []
        tab.on("request", lambda request: asked.append(request.url))
        tab.on("console", lambda message: said.append(message.text))
        tab.on("pageerror", lambda error: said.append(str(error)))
        home = f"http://localhost:{port}/"
        tab.goto(home)
        tab.wait_for_selector("#weights .bar")
        row = next(i for i, there in enumerate(judge.rows.present) if there.all())
        _choose(tab, row)
        _look(tab)
        _switch_off(tab)
        assert _whole(tab) == pytest.approx(max(_values(tab, "prediction")), abs=2e-3)
        tab.screenshot(path=tmp_path / "playground.png", full_page=True)
        browser.close()
    others = [u for u in asked if not u.startswith((home, "data:"))]
    assert others == [] and said == []


def _until(tab, script):
    """As `wait_for_function`, whose second try the page's policy forbids."""
    until = time.monotonic() + 30
    while not tab.evaluate(script):
        assert time.monotonic() < until, script
        tab.wait_for_timeout(50)


def _choose(tab, row):
    for _ in range(row):
        with tab.expect_response(lambda r: "/answer" in r.url):
            tab.locator("#after").click()
    assert tab.locator("#row").input_value() == str(row)
    _until(tab, "document.querySelector('img')?.naturalWidth === 12")
    _until(tab, "document.querySelector('audio')?.duration === 0.25")


def _look(tab):
    """Names are shown as text, and make no element."""
    shown = tab.locator("#prediction .bar > :first-child").all_text_contents()
    assert set(shown) == {name.replace("\u202e", UNSHOWN) for name in NAMES}
    assert tab.locator("#title").text_content() == f"<b>birds</b>{UNSHOWN}[2J"
    assert tab.locator("dd").all_text_contents()[1] in PLACES
    assert tab.locator("i, b, [onerror]").count() == 0


def _switch_off(tab):
    before = _values(tab, "prediction")
    with tab.expect_response(lambda r: r.url.endswith("off=0")):
        tab.locator("input[type=checkbox]").first.uncheck()
    _until(
        tab,
        "document.querySelector('#weights .bar > :last-child').textContent === '0.000'",
    )
    assert _values(tab, "prediction") != before
    assert sum(_values(tab, "prediction")) == pytest.approx(1, abs=2e-3)
    assert sum(_values(tab, "weights")) == pytest.approx(1, abs=2e-3)
    with tab.expect_response(lambda r: r.url.endswith("off=")):
        tab.locator("input[type=checkbox]").first.check()
    _until(
        tab,
        "document.querySelector('#weights .bar > :last-child').textContent !== '0.000'",
    )
    assert _values(tab, "prediction") == before


def _whole(tab):
    """The base of the Shapley values, and all that is drawn of them."""
    tab.wait_for_selector("#contributions[aria-busy=false] .bar")
    base = re.search(r"from (\S+) with", tab.locator("#whole").text_content())[1]
    return float(base) + sum(_values(tab, "contributions"))


def _values(tab, place):
    texts = tab.locator(f"#{place} .bar > :last-child").all_text_contents()
    return [float(text.replace("\N{MINUS SIGN}", "-")) for text in texts]
