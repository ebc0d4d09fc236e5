"""Models fetched from an address, from a server of the test's own."""

import hashlib
import http.server
import shutil
import threading
import urllib.request
from pathlib import Path

import pytest

from HTSegmentationLib.errors import InputError, UsageError
from HTSegmentationLib.inference.models import install as install_module
from HTSegmentationLib.inference.models.download import _OnlyHttps
from HTSegmentationLib.inference.models.install import install

from .. import needs
from .model_folders import write_model

needs.deep_learning()

pytestmark = pytest.mark.usefixtures("store")


class Server(http.server.BaseHTTPRequestHandler):
    """Serves one file in several ways."""

    content = b""

    def do_GET(self):
        code = {"/missing.zip": 404, "/elsewhere.zip": 302}.get(self.path, 200)
        self.send_response(code)
        if code == 302:
            self.send_header("Location", "http://127.0.0.1:1/model.zip")
        length = {"/short.zip": len(self.content) + 10, "/huge.zip": 10**12}.get(self.path, len(self.content))
        self.send_header("Content-Length", str(length if code == 200 else 0))
        self.end_headers()
        if code == 200:
            self.wfile.write(self.content)

    def log_message(self, *_):
        pass


@pytest.fixture
def address(tmp_path):
    """(address of a server with a packed model, how it is opened, SHA-256 of the file)."""
    path = shutil.make_archive(str(tmp_path / "packed"), "zip", write_model(tmp_path / "source"))
    content = Path(path).read_bytes()
    handler = type("Handler", (Server,), {"content": content})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()

    def open_address(request):
        # The test's server has no certificate: what is asked of https://models.test goes to it.
        local = request.full_url.replace("https://models.test", f"http://127.0.0.1:{server.server_port}")
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _OnlyHttps)
        request = urllib.request.Request(local, headers=dict(request.header_items()))  # noqa: S310  (the test's own server)
        return opener.open(request, timeout=10)

    yield "https://models.test", open_address, hashlib.sha256(content).hexdigest()
    server.shutdown()
    server.server_close()


def test_a_model_is_fetched_from_an_address_with_its_sha256(address):
    base, open_address, digest = address
    assert install(f"{base}/model.zip", sha256=digest, open_address=open_address).name == "tiny"


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("missing.zip", "the server says 404"),
        ("elsewhere.zip", "without https"),
        ("short.zip", "only .* bytes came|cannot be fetched"),
        ("huge.zip", "it has 931 GB"),
    ],
)
def test_what_a_server_does_wrong_is_told(address, path, words, store):
    base, open_address, digest = address
    with pytest.raises(InputError, match=words) as error:
        install(f"{base}/{path}", sha256=digest, open_address=open_address)
    assert str(error.value).startswith(f"{base}/{path}: ")
    assert list(store.iterdir()) == []


def test_another_file_than_meant_is_not_opened(address, monkeypatch):
    base, open_address, _ = address
    monkeypatch.setattr(install_module, "unpack", lambda *_: pytest.fail("it was opened"))
    with pytest.raises(InputError, match=r"models.test/model.zip: its SHA-256 is .*; it is not the file that was meant"):
        install(f"{base}/model.zip", sha256="a" * 64, open_address=open_address)


@pytest.mark.parametrize(
    ("source", "sha256", "words"),
    [
        ("http://models.test/m.zip", "a" * 64, "by https only"),
        ("ftp://models.test/m.zip", "a" * 64, "by https only"),
        ("file:///etc/passwd", "a" * 64, "by https only"),
        ("https://models.test/m.zip", None, "needs --sha256"),
        ("https://models.test/m.zip", "abc", "needs --sha256"),
    ],
)
def test_nothing_is_fetched_without_https_and_sha256(source, sha256, words):
    with pytest.raises(UsageError, match=words):
        install(source, sha256=sha256, open_address=lambda _: pytest.fail("it was opened"))
