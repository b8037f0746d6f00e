"""A real browser for the tests that need one: Chromium as the system has it, driven by Playwright.

Playwright's synchronous interface leaves an event loop running in its thread, in which ``asyncio.run`` then fails. So
it lives in a thread of its own, and tests that ask for `browser` are run there.
"""

import shutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
QUIET += ["--disable-sync", "--disable-extensions", "--disable-default-apps", "--no-first-run", "--mute-audio"]


class Browser:
    """Opens pages, and fails a test whose page logs an error or asks for anything but itself."""

    def __init__(self, chromium):
        self._chromium, self._pages = chromium, {}

    @contextmanager
    def page(self, path, *, width=1280, height=900, dark=False, javascript=True):
        """The page at `path`, from disk, as if opened for the first time."""
        kind = (width, height, dark, javascript)
        if kind not in self._pages:  # a new window takes longer than most tests
            self._pages[kind] = self._open(*kind)
        page, errors, requests = self._pages[kind]
        page.mouse.move(0, 0)
        errors.clear()
        requests.clear()
        page.goto(path.as_uri())
        yield page
        assert not errors
        assert requests == [path.as_uri()]

    def _open(self, width, height, dark, javascript):
        context = self._chromium.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            java_script_enabled=javascript,
            reduced_motion="reduce",
        )
        context.set_default_timeout(10_000)
        page, errors, requests = context.new_page(), [], []
        page.on("console", lambda message: errors.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        return page, errors, requests


@pytest.fixture(scope="session")
def browser():
    """The browser; the tests that ask for it are skipped where there is none."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("there is no Chromium on PATH")
    with ThreadPoolExecutor(1) as thread:
        driver = thread.submit(lambda: playwright.sync_playwright().start()).result()
        try:
            chromium = thread.submit(driver.chromium.launch, executable_path=CHROMIUM, args=QUIET).result()
        except playwright.Error as error:
            thread.submit(driver.stop).result()
            pytest.skip(f"{CHROMIUM} does not start: {str(error).splitlines()[0]}")
        found = Browser(chromium)
        found.thread = thread
        yield found
        thread.submit(chromium.close).result()
        thread.submit(driver.stop).result()


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem):
    """Run a test that asks for the browser in the browser's thread."""
    found = pyfuncitem.funcargs.get("browser")
    if found is None:
        return None
    given = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}
    found.thread.submit(pyfuncitem.obj, **given).result()
    return True
