"""The page server: a fixed table of public files, and nothing else."""

from __future__ import annotations

import http.client
import json
import re
import socket
import ssl
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from appliance.base.errors import Unfit
from appliance.enrol import create_booth
from appliance.pages import seats, visit
from appliance.pages.content import HERE_FACTS, booth_json, table
from appliance.pages.server import PageServer
from appliance.pages.visit import PagesConfig, security_policy
from appliance.protocol import vocabulary
from appliance.protocol.values import BoothId

BOOTH = BoothId("demo")


@contextmanager
def running(**changes: Any) -> Iterator[PageServer]:
    config: dict[str, Any] = {
        "host": "127.0.0.1",
        "port": 0,
        "booth": BOOTH,
        "ws_port": 9001,
        "wss_port": 9443,
    }
    server = PageServer(PagesConfig(**{**config, **changes}))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(scope="module")
def server() -> Iterator[PageServer]:
    with running() as one:
        yield one


def ask(
    server: PageServer, path: str, method: str = "GET", **headers: str
) -> tuple[http.client.HTTPResponse, bytes]:
    with closing(http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)) as connection:
        connection.request(
            method, path, headers={name.replace("_", "-"): value for name, value in headers.items()}
        )
        response = connection.getresponse()
        return response, response.read()


def raw(server: PageServer, sent: bytes) -> bytes:
    """Everything the server says to these bytes until it closes."""
    with socket.create_connection(("127.0.0.1", server.server_port), timeout=10) as connection:
        connection.sendall(sent)
        with suppress(OSError):  # it may have hung up on us already
            connection.shutdown(socket.SHUT_WR)
        said = b""
        with suppress(ConnectionResetError):  # what came before is still what it said
            while chunk := connection.recv(65536):
                said += chunk
        return said


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/tablet", "text/html; charset=utf-8"),
        ("/static/tablet.js", "text/javascript; charset=utf-8"),
        ("/static/tablet.css", "text/css; charset=utf-8"),
        ("/static/icon.svg", "image/svg+xml"),
        ("/booth.json", "application/json; charset=utf-8"),
        ("/vocabulary.json", "application/json; charset=utf-8"),
    ],
)
def test_each_page_has_its_type_and_every_protection(server: PageServer, path: str, media_type: str) -> None:
    """Every answer names its media type and forbids the browser what the page does not need."""
    response, body = ask(server, path)
    assert response.status == 200
    assert body
    assert response.headers["Content-Type"] == media_type
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert response.headers["Cache-Control"] == "no-cache"
    assert "camera=()" in response.headers["Permissions-Policy"]
    assert "microphone=()" in response.headers["Permissions-Policy"]
    assert response.headers["Server"] == "leftfield"
    assert "Set-Cookie" not in response.headers
    policy = response.headers["Content-Security-Policy"]
    assert policy == security_policy("127.0.0.1", server.config)
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "connect-src 'self' ws://127.0.0.1:9001;" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize(
    "path",
    [
        "/../pyproject.toml", "/static/../server.py", "/static/..%2fserver.py", "/static/%2e%2e/server.py",
        "//etc/passwd",
        "/static/", "/static", "/static/server.py", "/static/tablet.html", "/tablet/", "/TABLET",
        "/static/tablet.js%00.css",
        "http://127.0.0.1/etc/passwd", "/static\\tablet.js", "/favicon.ico",
    ],
)  # fmt: skip
def test_nothing_outside_the_table_is_found(server: PageServer, path: str) -> None:
    """Whatever is not literally a row of the table is not found: no path is ever made from what is asked."""
    sent = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode()
    said = raw(server, sent)
    assert said.startswith(b"HTTP/1.1 404 ")
    assert said.endswith(b"\r\n\r\nNot Found\n")


def test_a_query_does_not_matter(server: PageServer) -> None:
    """What follows a question mark is ignored."""
    assert ask(server, "/tablet?x=../..")[1] == ask(server, "/tablet")[1]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "CONNECT", "get"])
def test_only_get_and_head_are_allowed(server: PageServer, method: str) -> None:
    """Any other method is refused with the list of those allowed."""
    said = raw(server, f"{method} /tablet HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n".encode())
    assert said.startswith(b"HTTP/1.1 405 ")
    assert b"\r\nAllow: GET, HEAD\r\n" in said


def test_head_says_what_get_would_give(server: PageServer) -> None:
    """HEAD has the headers of GET and no body."""
    (get, page), (head, nothing) = ask(server, "/tablet"), ask(server, "/tablet", "HEAD")
    assert nothing == b""
    assert head.headers["Content-Length"] == str(len(page))
    assert head.headers["ETag"] == get.headers["ETag"]


def test_what_the_browser_has_is_not_sent_again(server: PageServer) -> None:
    """A known entity tag is answered with 304 and no body (RFC 9110 section 15.4.5)."""
    tag = ask(server, "/static/tablet.js")[0].headers["ETag"]
    response, body = ask(server, "/static/tablet.js", If_None_Match=tag)
    assert (response.status, body) == (304, b"")


@pytest.mark.parametrize(
    "host",
    [
        b"",
        b"Host: a b\r\n",
        b"Host: evil;script-src *\r\n",
        b"Host: x'\r\n",
        b"Host: 127.0.0.1:8080, x\r\n",
        b"Host: [::1\r\n",
    ],
)
def test_a_host_that_is_no_host_is_refused(server: PageServer, host: bytes) -> None:
    """What is no host name cannot get into the policy: 400."""
    assert raw(server, b"GET /tablet HTTP/1.1\r\n" + host + b"\r\n").startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize(
    ("host", "broker"), [("booth.local:8080", "ws://booth.local:9001"), ("[::1]:8080", "ws://[::1]:9001")]
)
def test_the_policy_names_the_broker_where_the_page_was_found(
    server: PageServer, host: str, broker: str
) -> None:
    """The page may speak to the broker at the host it was asked for at, on the broker's port."""
    response, _ = ask(server, "/tablet", Host=host)
    assert f"connect-src 'self' {broker};" in response.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9.9\r\n\r\n",
        b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost",
        bytes(range(256)),
    ],
)
def test_garbage_is_refused_and_the_server_goes_on(server: PageServer, sent: bytes) -> None:
    """Whatever is sent, the server answers 4xx (or 505) or closes, and serves the next visitor."""
    said = raw(server, sent)
    assert said == b"" or re.match(rb"(HTTP/1\.1 (4\d\d|505) |Bad Request)", said)
    assert ask(server, "/tablet")[0].status == 200


def test_a_long_request_line_is_refused(server: PageServer) -> None:
    """A request line above the limit is refused before it is looked at."""
    assert raw(server, b"GET /" + b"a" * 3000 + b" HTTP/1.1\r\nHost: x\r\n\r\n").startswith(b"HTTP/1.1 414 ")


def test_idle_visitors_do_not_keep_others_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Visitors who take all seats and say nothing are put out in time, and the next is served."""
    monkeypatch.setattr(seats, "VISITORS", 2)
    monkeypatch.setattr(visit, "REQUEST_SECONDS", 0.3)
    with running() as small:
        idle = [socket.create_connection(("127.0.0.1", small.server_port), timeout=10) for _ in range(3)]
        for one in idle:
            assert one.recv(1) == b""  # the third at once, the others when their time is up
            one.close()
        assert ask(small, "/tablet")[0].status == 200


def test_a_request_must_be_whole_by_its_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    """A visitor who sends a byte now and then, so that no single wait is long, is put out when its time is up."""
    monkeypatch.setattr(visit, "REQUEST_SECONDS", 0.4)
    with (
        running() as small,
        socket.create_connection(("127.0.0.1", small.server_port), timeout=0.05) as slow,
    ):
        slow.sendall(b"GET /tablet HTTP/1.1\r\nHost: x\r\nX: ")
        for _ in range(200):  # ten seconds of trickling, were it allowed
            try:
                if slow.recv(1) == b"":
                    break
            except TimeoutError:
                slow.sendall(b"a")
            except ConnectionError:
                break
        else:
            pytest.fail("the trickling visitor still sits there")
        assert ask(small, "/tablet")[0].status == 200


def test_one_address_cannot_take_all_seats() -> None:
    """However many connections one address opens, it gets six seats, and others are served meanwhile."""
    with running(host="0.0.0.0") as server:  # noqa: S104 - so that this machine has many addresses
        greedy = [
            socket.create_connection(("127.0.0.1", server.server_port), 10, ("127.0.0.2", 0))
            for _ in range(48)
        ]
        closed = [one for one in greedy if _is_closed(one)]
        assert len(closed) == 48 - seats.SEATS
        assert ask(server, "/tablet")[0].status == 200
        for one in greedy:
            one.close()


def _is_closed(connection: socket.socket) -> bool:
    """Whether the other side closes at once; an open one stays silent."""
    connection.settimeout(0.1)
    try:
        return connection.recv(1) == b""
    except TimeoutError:
        return False
    except ConnectionError:
        return True


@pytest.mark.parametrize(
    ("address", "seat"),
    [("192.168.4.7", "192.168.4.7"), ("::ffff:192.168.4.7", "192.168.4.7"), ("::1", "::"),
     ("fd00:1:2:3:4:5:6:7", "fd00:1:2:3::"), ("fe80::1%eth0", "fe80::")],
)  # fmt: skip
def test_a_machine_has_one_seat(address: str, seat: str) -> None:
    """An IPv4 address is one visitor however it is written, and so is everything in one IPv6 network."""
    assert seats.seat_of(address) == seat


def test_the_vocabulary_of_the_page_is_the_vocabulary(server: PageServer) -> None:
    """The page reads attributes and words made from the one table of words."""
    said = json.loads(ask(server, "/vocabulary.json")[1])
    assert said["vocabulary"] == vocabulary.VERSION
    assert [(one["name"], tuple(one["levels"])) for one in said["attributes"]] == [
        (attribute.name, attribute.levels) for attribute in vocabulary.ATTRIBUTES
    ]


def test_the_page_learns_its_booth_and_broker(server: PageServer) -> None:
    """booth.json names the booth and the ports of its broker."""
    assert json.loads(ask(server, "/booth.json")[1]) == {
        "v": 1, "booth": "demo", "ws_port": 9001, "wss_port": 9443, "notice_version": 1,
    }  # fmt: skip
    assert ask(server, "/booth.json")[1] == booth_json(booth=BOOTH, ws_port=9001, wss_port=9443)


def test_with_a_certificate_pages_come_over_tls_only(tmp_path: Path) -> None:
    """With the booth's page certificate pages and broker link go over TLS, and plain HTTP gets nothing."""
    booth = create_booth(tmp_path / "booth", "demo")
    certificate, key = booth.page_certificate
    with running(certificate=certificate, key=key) as secure:
        context = ssl.create_default_context(cafile=str(booth.ca))
        with closing(
            http.client.HTTPSConnection("127.0.0.1", secure.server_port, context=context, timeout=10)
        ) as connection:
            connection.request("GET", "/tablet")
            response = connection.getresponse()
            assert response.status == 200
            assert "connect-src 'self' wss://127.0.0.1:9443;" in response.headers["Content-Security-Policy"]
        assert b"HTTP/1.1 200" not in raw(secure, b"GET /tablet HTTP/1.1\r\nHost: x\r\n\r\n")


def test_a_port_that_is_taken_is_one_clear_error(server: PageServer) -> None:
    """A port somebody listens on is Unfit and says what to do."""
    with pytest.raises(
        Unfit,
        match=rf"port {server.server_port}: cannot listen: Address already in use. Fix: choose another --port",
    ):
        PageServer(PagesConfig(host="127.0.0.1", port=server.server_port, booth=BOOTH, ws_port=1, wss_port=1))


def test_a_certificate_without_its_key_is_unfit(tmp_path: Path) -> None:
    """Half of the TLS files is one clear error."""
    with pytest.raises(Unfit, match="give both --certificate and --key"):
        PageServer(
            PagesConfig(
                host="127.0.0.1", port=0, booth=BOOTH, ws_port=1, wss_port=1, certificate=tmp_path / "x"
            )
        )


def test_the_files_ask_for_nothing_elsewhere(static: Path) -> None:
    """No file of the pages names another origin (XML namespaces apart), and none builds markup or code from text."""
    for name, content in table(booth=BOOTH, ws_port=1, wss_port=1).items():
        text = content.body.decode()
        links = set(re.findall(r"(?:https?|wss?)://[^\s\"'`)]+", text)) - {"http://www.w3.org/2000/svg"}
        assert {link for link in links if not link.startswith(("ws://host", "wss://host"))} <= set(), name
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", text
        ), name
        assert not re.search(r"<script(?![^>]*\bsrc=)|\son\w+=|style=", text), name
    assert static.is_dir()


def test_every_file_a_page_asks_for_is_in_the_table() -> None:
    """Links, styles, scripts and imports of the pages all exist."""
    contents = table(booth=BOOTH, ws_port=1, wss_port=1)
    for name, content in contents.items():
        text = content.body.decode()
        wanted = {*re.findall(r"(?:href|src)=\"(/[^\"#]*)\"", text)}
        if name.endswith(".js"):
            wanted |= {f"/static/{file}" for file in re.findall(r"from \"\./([^\"]+)\"", text)}
            wanted |= set(re.findall(r"fetched\(\"([^\"]+)\"\)", text))
        assert wanted <= {*contents, HERE_FACTS}, name


def test_the_wheel_carries_the_pages(tmp_path: Path, static: Path) -> None:
    """The built package holds every file of the pages."""
    root = static.parents[2]
    builder = (
        "import sys; from hatchling.builders.wheel import WheelBuilder;"
        "next(iter(WheelBuilder(sys.argv[1]).build(directory=sys.argv[2], versions=['standard'])))"
    )
    subprocess.run([sys.executable, "-c", builder, root, tmp_path], check=True, capture_output=True)
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        packed = {
            name.rsplit("/", 1)[1] for name in wheel.namelist() if name.startswith("appliance/pages/static/")
        }
    assert packed == {file.name for file in static.iterdir()}
