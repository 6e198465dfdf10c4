"""Other websites are kept away from an app that only this machine is meant to reach."""

import pytest

pytest.importorskip("starlette")
pytest.importorskip("httpx")
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from colorize.app.guard import OnlyFrom
from colorize.app.serve import LOOPBACK


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "127.0.0.1:7860"}, 200),
        ({"host": "localhost:7860", "origin": "http://localhost:7860"}, 200),
        ({"host": "localhost", "origin": "http://127.0.0.1:9"}, 200),
        ({"host": "evil.example:7860"}, 403),  # DNS rebinding
        ({"host": "127.0.0.1:7860", "origin": "https://evil.example"}, 403),  # a page elsewhere
        ({"host": "127.0.0.1:7860", "origin": "null"}, 403),  # a file, or a frame that may do nothing
        ({"host": "127.0.0.1.evil.example"}, 403),
        ({"host": "[::1"}, 403),
        ({"host": ""}, 403),
    ],
)
def test_only_pages_of_this_machine_are_answered(headers, status):
    done = []

    def work(request):
        done.append(request)
        return PlainTextResponse("done")

    app = Starlette(
        routes=[Route("/", work, methods=["GET", "POST"])], middleware=[Middleware(OnlyFrom, hosts=LOOPBACK)]
    )
    client = TestClient(app)
    for method in ("GET", "POST"):
        assert client.request(method, "/", headers=headers).status_code == status
    assert len(done) == (2 if status == 200 else 0)
