"""A headless Chromium in a test, told what a person would do, and asked what they would see.

It speaks the DevTools protocol, https://chromedevtools.github.io/devtools-protocol/.
"""

from __future__ import annotations

import asyncio
import contextlib
import os

import aiohttp

from tests.system.program import PATIENCE, Program

WORDS = (
    *("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--disable-dev-shm-usage", "--remote-debugging-port=0"),
)


class Browser:
    """A browser that runs until it is closed.

    Args:
        folder: an empty one, for whatever it wants to keep.
    """

    def __init__(self, folder):
        self._closing = contextlib.ExitStack()
        with contextlib.ExitStack() as closing:
            program = Program(
                [*WORDS, f"--user-data-dir={folder}/profile", "about:blank"],
                cwd=folder,
                env={**os.environ, "HOME": str(folder)},
            )
            closing.callback(program.kill)
            self._address = program.stderr.wait_for(r"DevTools listening on ws://([^/\s]+)")[1]
            self._run = closing.enter_context(asyncio.Runner()).run
            self._session = self._run(_open_session())
            closing.callback(lambda: self._run(self._session.close()))
            self._closing = closing.pop_all()

    def close(self):
        """End it."""
        self._closing.close()

    @contextlib.contextmanager
    def page(self):
        """Open a page that is closed in the end."""
        socket = self._run(self._connect())
        try:
            yield Page(self._run, socket)
        finally:
            self._run(socket.close())

    async def _connect(self):
        async with self._session.put(f"http://{self._address}/json/new?about:blank") as answer:
            url = (await answer.json())["webSocketDebuggerUrl"]
        return await self._session.ws_connect(url, max_msg_size=0)


class Page:
    """One page of the browser.

    Attributes:
        complaints: what its console has said: errors of scripts, and what a policy or the server refused.
        answers: what servers have answered, each as the Response of the protocol's Network domain.
    """

    def __init__(self, run, socket):
        self.complaints = []
        self.answers = []
        self._run = run
        self._socket = socket
        self._number = 0
        self._loader = None  # of the document that is shown
        self._downloads = []  # states of the one that is under way
        self._loaded = []  # loaders of the documents that were shown since
        for domain in ("Page", "Runtime", "Log", "Accessibility", "Network"):
            self.call(f"{domain}.enable")
        self.call("Page.setLifecycleEventsEnabled", enabled=True)

    def call(self, method, **parameters):
        """Call a method of the protocol."""
        return self._run(asyncio.wait_for(self._call(method, parameters), PATIENCE))

    def open(self, url):
        """Go to a URL, and wait until the page is there."""
        loader = self.call("Page.navigate", url=url)["loaderId"]
        self._wait_until(lambda: loader in self._loaded)
        self._settle(loader)

    def reload(self):
        """Ask for the page again, as a person does, and wait until it is there."""
        self.call("Page.reload")
        self._wait_for_another()

    def follow(self, selector):
        """Click on a link, and wait until the page is there to which it leads."""
        self.click(selector)
        self._wait_for_another()

    def click(self, selector):
        """Click into the middle of an element."""
        box = self.run(
            f"(element => (element.scrollIntoView(), element.getBoundingClientRect().toJSON()))"
            f"(document.querySelector({selector!r}))"
        )
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def press(self, key, code, text=""):
        """Press a key on the keyboard."""
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=code, text=text)

    def follow_focus(self):
        """Press Enter on a link, and wait until the page is there to which it leads."""
        self.press("Enter", 13, "\r")
        self._wait_for_another()

    def type(self, text):
        """Type a text where the cursor is."""
        self.call("Input.insertText", text=text)

    def run(self, expression):
        """Evaluate JavaScript and return its value."""
        outcome = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in outcome, outcome["exceptionDetails"]
        return outcome["result"].get("value")

    def answers_for(self, url):
        """Wait for an answer for a URL; return status and header fields, names in lower case, of each."""
        self._wait_until(lambda: any(answer["url"] == url for answer in self.answers))
        return [
            (answer["status"], {name.lower(): value for name, value in answer["headers"].items()})
            for answer in self.answers
            if answer["url"] == url
        ]

    def download(self, selector, folder):
        """Click on a link whose target is kept as a file in a folder, and wait until it is there."""
        self.call("Page.setDownloadBehavior", behavior="allow", downloadPath=str(folder))
        self._downloads.clear()
        self.click(selector)
        self._wait_until(lambda: {"completed", "canceled"} & set(self._downloads))
        return self._downloads[-1]

    def accessible(self):
        """Return role and name of everything that a screen reader is told of, in its order."""
        nodes = {node["nodeId"]: node for node in self.call("Accessibility.getFullAXTree")["nodes"]}
        todo = [next(iter(nodes))]
        heard = []
        while todo:
            node = nodes[todo.pop()]
            todo += reversed(node["childIds"])
            if not node["ignored"]:
                heard.append((node["role"]["value"], node["name"]["value"]))
        return heard

    def _wait_for_another(self):
        self._wait_until(lambda: set(self._loaded) - {self._loader})
        self._settle(self._loaded[-1])

    def _settle(self, loader):
        self._loader = loader
        self._loaded.clear()

    def _wait_until(self, is_so):
        async def wait():
            while not is_so():
                self._note(await self._socket.receive_json())

        self._run(asyncio.wait_for(wait(), PATIENCE))

    async def _call(self, method, parameters):
        self._number += 1
        await self._socket.send_json({"id": self._number, "method": method, "params": parameters})
        while (message := await self._socket.receive_json()).get("id") != self._number:
            self._note(message)
        assert "error" not in message, (method, message["error"])
        return message["result"]

    def _note(self, event):
        match event:
            case {"method": "Page.lifecycleEvent", "params": {"name": "load", "loaderId": loader}}:
                self._loaded.append(loader)
            case {"method": "Runtime.exceptionThrown", "params": {"exceptionDetails": details}}:
                self.complaints.append(details["exception"]["description"])
            case {"method": "Runtime.consoleAPICalled", "params": {"args": words}}:
                self.complaints.append(" ".join(str(word.get("value")) for word in words))
            case {"method": "Network.responseReceived", "params": {"response": answer}}:
                self.answers.append(answer)
            case {"method": "Page.downloadProgress", "params": {"state": state}}:
                self._downloads.append(state)
            case {"method": "Log.entryAdded", "params": {"entry": entry}}:
                self.complaints.append(entry["text"])


async def _open_session():
    return aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(PATIENCE))
